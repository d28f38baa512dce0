/** A signal before the time limit that is for steps alone: Slurm's `--signal` without `B:`. */
interface Warning {
  /** Later by as long as it stood still. */
  startedAtMs: number;
  /** Since when it stands still; undefined: it does not. */
  suspendedAtMs: number | undefined;
  timeLimitMs: number;
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
    const now = { startedAtMs: performance.now(), suspendedAtMs: undefined, timer: undefined };
    this.#warnings.set(fence, { ...now, timeLimitMs, signal: number, beforeMs });
    this.limit(fence, timeLimitMs);
  }

  /** It has another time limit, from its start. */
  limit(fence: number, timeLimitMs: number): void {
    const warning = this.#warnings.get(fence);
    if (warning === undefined) return;
    clearTimeout(warning.timer);
    warning.timeLimitMs = timeLimitMs;
    const left = warning.startedAtMs + timeLimitMs - warning.beforeMs - performance.now();
    if (timeLimitMs === 0 || warning.suspendedAtMs !== undefined) return;
    const look = left > LONGEST_TIMER_MS;
    const act = () => (look ? this.limit(fence, timeLimitMs) : this.#warn(fence));
    warning.timer = setTimeout(act, look ? LONGEST_TIMER_MS : Math.max(0, left)).unref();
  }

  /** It stands still, and its time limit with it, or goes on. */
  suspend(fence: number, on: boolean): void {
    const warning = this.#warnings.get(fence);
    if (warning === undefined || on === (warning.suspendedAtMs !== undefined)) return;
    const now = performance.now();
    warning.startedAtMs += now - (warning.suspendedAtMs ?? now);
    warning.suspendedAtMs = on ? now : undefined;
    this.limit(fence, warning.timeLimitMs);
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
