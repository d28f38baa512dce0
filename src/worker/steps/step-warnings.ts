/** A signal before the time limit that is for steps alone: Slurm's `--signal` without `B:`. */
interface Warning {
  readonly startedAtMs: number;
  readonly signal: number;
  readonly beforeMs: number;
  timer: NodeJS.Timeout | undefined;
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Sends steps their signal some time before the time limit of their attempt; the forker, which does it for tasks, knows of no steps. */
export class StepWarnings {
  readonly #warnings = new Map<number, Warning>();
  readonly #send: (fence: number, signal: number) => void;

  constructor(send: (fence: number, signal: number) => void) {
    this.#send = send;
  }

  /** An attempt started now. @param timeLimitMs 0 for none */
  started(fence: number, timeLimitMs: number, { number, beforeMs }: { number: number; beforeMs: number }): void {
    this.#warnings.set(fence, { startedAtMs: performance.now(), signal: number, beforeMs, timer: undefined });
    this.limit(fence, timeLimitMs);
  }

  /** It has another time limit, from its start. */
  limit(fence: number, timeLimitMs: number): void {
    const warning = this.#warnings.get(fence);
    if (warning === undefined) return;
    clearTimeout(warning.timer);
    const left = warning.startedAtMs + timeLimitMs - warning.beforeMs - performance.now();
    if (timeLimitMs === 0) return;
    const look = left > LONGEST_TIMER_MS;
    const act = () => (look ? this.limit(fence, timeLimitMs) : this.#warn(fence));
    warning.timer = setTimeout(act, look ? LONGEST_TIMER_MS : Math.max(0, left)).unref();
  }

  ended(fence: number): void {
    clearTimeout(this.#warnings.get(fence)?.timer);
    this.#warnings.delete(fence);
  }

  #warn(fence: number): void {
    const { signal } = this.#warnings.get(fence)!;
    this.#warnings.delete(fence);
    this.#send(fence, signal);
  }
}
