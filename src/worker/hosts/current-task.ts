import { RunningTask, type RunningTaskOptions } from './running-task.ts';
import type { StopCause } from './wire.ts';

/** What is known of the task that a host runs: nothing while it is short, then its clocks, then why it is to stop. */
export class CurrentTask {
  #running: RunningTask | undefined;
  #stopping: { readonly fence: number; readonly cause: StopCause; readonly timer: NodeJS.Timeout } | undefined;

  get running(): RunningTask | undefined {
    return this.#running;
  }

  get isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  /** It is not short. */
  begin(options: RunningTaskOptions): void {
    this.#running = new RunningTask(options);
  }

  /** The one that is known to run, when it is among these. */
  among(base: number, count: number): RunningTask | undefined {
    const running = this.#running;
    return running !== undefined && running.fence >= base && running.fence < base + count ? running : undefined;
  }

  /** It is known that this one was started. */
  isKnown(fence: number): boolean {
    return this.#running?.fence === fence || this.#stopping?.fence === fence;
  }

  /** @param onLate after the grace time */
  stop(fence: number, cause: StopCause, graceMs: number, onLate: () => void): void {
    this.#stopping = { fence, cause, timer: setTimeout(onLate, graceMs) };
  }

  causeOf(fence: number): StopCause | undefined {
    return this.#stopping?.fence === fence ? this.#stopping.cause : undefined;
  }

  /** How long it has run without the time in which it stood still, ms. */
  get wallMs(): number {
    const running = this.#running;
    return running === undefined ? 0 : Math.max(0, performance.now() - running.startedAtMs - running.suspendedMs);
  }

  over(): void {
    this.#running?.over();
    this.#running = undefined;
    clearTimeout(this.#stopping?.timer);
    this.#stopping = undefined;
  }
}
