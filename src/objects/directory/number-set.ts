const EMPTY = -1;

/** Whole numbers from 0 on, at 16 bytes or less each; a Set of so many takes three times as much. */
export class NumberSet {
  #table = new Float64Array(1_024).fill(EMPTY);
  size = 0;

  has(value: number): boolean {
    return this.#table[this.#find(value)] === value;
  }

  /** False when it was there. */
  add(value: number): boolean {
    const at = this.#find(value);
    if (this.#table[at] === value) return false;
    this.#table[at] = value;
    this.size++;
    if (this.size * 2 > this.#table.length) this.#grow();
    return true;
  }

  #find(value: number): number {
    const mask = this.#table.length - 1;
    // The values are hashes: their low bits are as good as any.
    let at = (value % 2 ** 32) & mask;
    for (;;) {
      const found = this.#table[at]!;
      if (found === value || found === EMPTY) return at;
      at = (at + 1) & mask;
    }
  }

  #grow(): void {
    const old = this.#table;
    this.#table = new Float64Array(old.length * 2).fill(EMPTY);
    for (const value of old) if (value !== EMPTY) this.#table[this.#find(value)] = value;
  }
}

/** 53 bits of a text, and of a number with it. */
export function hashText(text: string, seed = 0): number {
  let high = 0xdeadbeef ^ seed;
  let low = 0x41c6ce57 ^ seed;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    high = Math.imul(high ^ char, 2_654_435_761);
    low = Math.imul(low ^ char, 1_597_334_677);
  }
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  return (high & 0x1fffff) * 2 ** 32 + (low >>> 0);
}
