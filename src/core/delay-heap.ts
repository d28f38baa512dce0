/** Positions waiting for a time, earliest first; two typed arrays, so that a million waiting tasks are 12 MB. */
export class DelayHeap {
  #due = new Float64Array(16);
  #position = new Uint32Array(16);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Undefined when nothing waits. */
  get earliest(): number | undefined {
    return this.#size === 0 ? undefined : this.#due[0];
  }

  add(due: number, position: number): void {
    if (this.#size === this.#due.length) this.#grow();
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#due[parent]! <= due) break;
      this.#due[at] = this.#due[parent]!;
      this.#position[at] = this.#position[parent]!;
      at = parent;
    }
    this.#due[at] = due;
    this.#position[at] = position;
  }

  /** Takes the earliest; undefined when none is due at `now`. */
  takeDue(now: number): number | undefined {
    if (this.#size === 0 || this.#due[0]! > now) return undefined;
    const position = this.#position[0]!;
    const size = --this.#size;
    const due = this.#due[size]!;
    const moved = this.#position[size]!;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#due[child + 1]! < this.#due[child]!) child++;
      if (this.#due[child]! >= due) break;
      this.#due[at] = this.#due[child]!;
      this.#position[at] = this.#position[child]!;
      at = child;
    }
    this.#due[at] = due;
    this.#position[at] = moved;
    return position;
  }

  #grow(): void {
    const due = new Float64Array(this.#due.length * 2);
    due.set(this.#due);
    this.#due = due;
    const position = new Uint32Array(due.length);
    position.set(this.#position);
    this.#position = position;
  }
}
