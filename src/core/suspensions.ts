/** How long an attempt that runs stands still, or did. Times are epoch ms, durations ms. */
export interface Suspension {
  /** Since when it does; 0: it does not. */
  readonly since: number;
  /** How long it did before. */
  readonly stoodMs: number;
}

/** Which running attempts of a job are suspended or have been, by position; each is forgotten with its end. */
export class Suspensions {
  readonly #of = new Map<number, Suspension>();
  /** So many stand still. */
  #count = 0;

  get count(): number {
    return this.#count;
  }

  of(position: number): Suspension | undefined {
    return this.#of.get(position);
  }

  isSuspended(position: number): boolean {
    return (this.#of.get(position)?.since ?? 0) !== 0;
  }

  /** How long it has stood still altogether. A clock may have been set back meanwhile. */
  stoodMs(position: number, now: number): number {
    const { since, stoodMs } = this.#of.get(position) ?? { since: 0, stoodMs: 0 };
    return since === 0 ? stoodMs : stoodMs + Math.max(0, now - since);
  }

  /** False: it stood still already. */
  suspend(position: number, now: number): boolean {
    if (this.isSuspended(position)) return false;
    this.#of.set(position, { since: now, stoodMs: this.#of.get(position)?.stoodMs ?? 0 });
    this.#count++;
    return true;
  }

  /** False: it did not stand still. */
  resume(position: number, now: number): boolean {
    if (!this.isSuspended(position)) return false;
    this.#of.set(position, { since: 0, stoodMs: this.stoodMs(position, now) });
    this.#count--;
    return true;
  }

  /** Its attempt is over. Gives how long it stood still altogether. */
  end(position: number, now: number): number {
    if (this.#of.size === 0) return 0;
    const stoodMs = this.stoodMs(position, now);
    if (this.isSuspended(position)) this.#count--;
    this.#of.delete(position);
    return stoodMs;
  }

  /** Position, since and stoodMs of each. */
  pack(): readonly number[] {
    return [...this.#of].flatMap(([position, { since, stoodMs }]) => [position, since, stoodMs]);
  }

  unpack(packed: readonly number[]): void {
    for (let at = 0; at < packed.length; at += 3) {
      const since = packed[at + 1]!;
      this.#of.set(packed[at]!, { since, stoodMs: packed[at + 2]! });
      if (since !== 0) this.#count++;
    }
  }
}
