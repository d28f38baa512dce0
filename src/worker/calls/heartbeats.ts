/** No attempt is looked at more often. */
const LEAST_LOOK_MS = 20;

interface Watched {
  readonly limitMs: number;
  heardMs: number;
  /** What it had been silent for when it was made to stand still. */
  silentMs: number | undefined;
}

/** Which attempts have shown no sign of life for as long as their job allows. Times on the worker's monotonic clock. */
export class Heartbeats {
  readonly #onStalled: (fence: number) => void;
  readonly #watched = new Map<number, Watched>();
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;

  constructor(onStalled: (fence: number) => void) {
    this.#onStalled = onStalled;
  }

  /** It has started. */
  watch(fence: number, limitMs: number): void {
    const heardMs = performance.now();
    this.#watched.set(fence, { limitMs, heardMs, silentMs: undefined });
    this.#wakeAt(heardMs + limitMs, heardMs);
  }

  heard(fence: number): void {
    const watched = this.#watched.get(fence);
    if (watched !== undefined) watched.heardMs = performance.now();
    if (watched?.silentMs !== undefined) watched.silentMs = 0;
  }

  /** What stands still says nothing: its time goes on where it was. */
  suspend(fence: number, on: boolean): void {
    const watched = this.#watched.get(fence);
    if (watched === undefined || on === (watched.silentMs !== undefined)) return;
    const nowMs = performance.now();
    if (!on) watched.heardMs = nowMs - watched.silentMs!;
    watched.silentMs = on ? nowMs - watched.heardMs : undefined;
    this.#look();
  }

  over(fence: number): void {
    this.#watched.delete(fence);
  }

  close(): void {
    this.#watched.clear();
    clearTimeout(this.#timer);
  }

  #look(): void {
    const nowMs = performance.now();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [fence, { limitMs, heardMs, silentMs }] of this.#watched) {
      if (silentMs !== undefined) continue;
      const atMs = heardMs + limitMs;
      if (atMs > nowMs) nextMs = Math.min(nextMs, atMs);
      else {
        this.#watched.delete(fence);
        this.#onStalled(fence);
      }
    }
    if (nextMs !== Number.POSITIVE_INFINITY) this.#wakeAt(nextMs, nowMs);
  }

  #wakeAt(nextMs: number, nowMs: number): void {
    const wakeMs = Math.max(nextMs, nowMs + LEAST_LOOK_MS);
    if (this.#timer !== undefined && this.#timerAtMs <= wakeMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = wakeMs;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#look();
    }, wakeMs - nowMs);
  }
}
