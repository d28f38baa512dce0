import type { StopCause } from './wire.ts';

/** What a task that is not short is held to; 0 = none. */
export interface TaskLimits {
  readonly timeLimitMs: number;
  readonly heartbeatMs: number;
  readonly warning: { readonly signal: number; readonly beforeMs: number; readonly mainOnly: boolean } | undefined;
}

export interface RunningTaskOptions extends TaskLimits {
  readonly fence: number;
  /** Since then, on the clock of `performance.now`. */
  readonly startedAtMs: number;
  /** It must stop. */
  readonly onDue: (cause: StopCause) => void;
  readonly onWarning: (signal: number, mainOnly: boolean) => void;
}

/** More than Node's timers take at once. */
const MOST_TIMER_MS = 2 ** 31 - 1;

/** The clocks of the task that a host runs. While it is suspended they stand still. */
export class RunningTask {
  readonly fence: number;
  readonly startedAtMs: number;
  readonly #options: RunningTaskOptions;
  #timeLimitMs: number;
  #heardMs: number;
  #timer: NodeJS.Timeout | undefined;
  #suspendedSince: number | undefined;
  #suspendedMs = 0;
  #isWarned = false;

  constructor(options: RunningTaskOptions) {
    this.fence = options.fence;
    this.startedAtMs = options.startedAtMs;
    this.#options = options;
    this.#timeLimitMs = options.timeLimitMs;
    this.#heardMs = performance.now();
    this.#arm();
  }

  get isSuspended(): boolean {
    return this.#suspendedSince !== undefined;
  }

  /** For how long it was suspended until now. */
  get suspendedMs(): number {
    return this.#suspendedMs + (this.#suspendedSince === undefined ? 0 : performance.now() - this.#suspendedSince);
  }

  limit(timeLimitMs: number): void {
    this.#timeLimitMs = timeLimitMs;
    this.#arm();
  }

  /** It has shown that it lives. */
  heard(): void {
    this.#heardMs = performance.now();
  }

  suspend(on: boolean): void {
    if (on === this.isSuspended) return;
    const now = performance.now();
    if (this.#suspendedSince !== undefined) {
      this.#suspendedMs += now - this.#suspendedSince;
      this.#heardMs += now - this.#suspendedSince;
    }
    this.#suspendedSince = on ? now : undefined;
    this.#arm();
  }

  over(): void {
    clearTimeout(this.#timer);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    if (this.isSuspended) return;
    const due = Math.min(this.#warnAt, this.#limitAt, this.#stalledAt);
    if (due === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.#look(), Math.min(MOST_TIMER_MS, Math.max(0, due - performance.now())));
  }

  #look(): void {
    const now = performance.now();
    const cause = now >= this.#limitAt ? 'timeLimit' : now >= this.#stalledAt ? 'stalled' : undefined;
    if (cause !== undefined) {
      this.#options.onDue(cause);
      return;
    }
    if (now >= this.#warnAt) {
      this.#isWarned = true;
      const { warning } = this.#options;
      if (warning !== undefined) this.#options.onWarning(warning.signal, warning.mainOnly);
    }
    this.#arm();
  }

  get #limitAt(): number {
    if (this.#timeLimitMs === 0) return Number.POSITIVE_INFINITY;
    return this.startedAtMs + this.#suspendedMs + this.#timeLimitMs;
  }

  get #warnAt(): number {
    const { warning } = this.#options;
    return warning === undefined || this.#isWarned ? Number.POSITIVE_INFINITY : this.#limitAt - warning.beforeMs;
  }

  get #stalledAt(): number {
    const { heartbeatMs } = this.#options;
    return heartbeatMs === 0 ? Number.POSITIVE_INFINITY : this.#heardMs + heartbeatMs;
  }
}
