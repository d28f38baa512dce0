const WINDOW_S = 60;
const WINDOW_MS = WINDOW_S * 1000;

/** How many tasks of a job ended in each second of the last minute. Times are epoch ms. */
export class Pace {
  /** Nothing was counted before: the job was loaded, or has only now tasks to run again. */
  since = 0;
  /** One number for each second of the minute; made at the first end. */
  #counts: Uint32Array | undefined;
  /** The second of the newest end. */
  #last = 0;

  note(nowMs: number, count: number): void {
    const second = Math.floor(nowMs / 1000);
    if (this.#counts === undefined) {
      this.#counts = new Uint32Array(WINDOW_S);
    } else if (second < this.#last) {
      // Somebody set the clock back: what was counted is of a time that is yet to come.
      this.#counts.fill(0);
      this.since = nowMs;
    } else {
      const from = Math.max(this.#last + 1, second - WINDOW_S + 1);
      for (let passed = from; passed <= second; passed++) this.#counts[passed % WINDOW_S] = 0;
    }
    this.#last = second;
    this.#counts[second % WINDOW_S]! += count;
  }

  /** Ends a second over the last minute, or since the job started if that is less; undefined before the first. */
  perSecond(nowMs: number, startedAt: number): number | undefined {
    if (this.#counts === undefined) return undefined;
    const now = Math.floor(nowMs / 1000);
    let ended = 0;
    for (let second = Math.max(now, this.#last) - WINDOW_S + 1; second <= this.#last; second++) {
      ended += this.#counts[second % WINDOW_S]!;
    }
    const from = Math.max(startedAt, this.since, nowMs - WINDOW_MS);
    return ended / Math.max(1, (nowMs - from) / 1000);
  }
}
