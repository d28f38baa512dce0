/** Growing byte buffer of unsigned LEB128 numbers; values up to 2^53. */
export class PackedWriter {
  #bytes: Uint8Array;
  #length = 0;

  /** `capacity`: bytes to begin with, at least 8. */
  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  number(value: number): void {
    if (this.#length + 8 > this.#bytes.length) this.#grow();
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** Numbers that often repeat: (value, how many) pairs until `count` are written. */
  runs(values: ArrayLike<number>, from: number, count: number): void {
    let at = from;
    const end = from + count;
    while (at < end) {
      const value = values[at]!;
      let next = at + 1;
      while (next < end && values[next] === value) next++;
      this.number(value);
      this.number(next - at);
      at = next;
    }
  }

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #grow(): void {
    const larger = new Uint8Array(this.#bytes.length * 2);
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

/** Reads what PackedWriter wrote, in the same order. Running past the end is our own bug or a damaged store: it throws. */
export class PackedReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  number(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new RangeError('packed bytes end in the middle of a number');
      if (byte < 128) return value + byte * scale;
      value += (byte - 128) * scale;
      scale *= 128;
    }
  }

  /** Fills target[from … from+count-1]. */
  runs(
    target: { [index: number]: number; fill(value: number, start: number, end: number): unknown },
    from: number,
    count: number,
  ): void {
    let at = from;
    const end = from + count;
    while (at < end) {
      const value = this.number();
      const length = this.number();
      if (length < 1 || at + length > end) throw new RangeError('packed run leaves its column');
      // Runs of one are what large columns have most of, and a call of `fill` for each takes longer than all the rest.
      if (length === 1) target[at] = value;
      else target.fill(value, at, at + length);
      at += length;
    }
  }
}
