import { type PackedReader, PackedWriter } from '../../core/packed.ts';
import type { Extent } from './manifest.ts';

/**
 * Extents one after the other, packed: which source, as the difference to the one before, with a bit that says whether the extent
 * begins elsewhere than where the one before ended; then where, if so; then its length. A part of a text is five bytes or so.
 */
export class ExtentWriter {
  readonly packed: PackedWriter;
  #source = 0;
  #to = 0;

  constructor(packed = new PackedWriter()) {
    this.packed = packed;
  }

  add(source: number, from: number, to: number): void {
    const expected = source === this.#source ? this.#to : 0;
    const moved = from === expected ? 0 : 1;
    this.packed.number(zigzag(source - this.#source) * 2 + moved);
    if (moved === 1) this.packed.number(zigzag(from - expected));
    this.packed.number(to - from);
    this.#source = source;
    this.#to = to;
  }
}

export class ExtentReader {
  readonly packed: PackedReader;
  #source = 0;
  #to = 0;

  constructor(packed: PackedReader) {
    this.packed = packed;
  }

  next(): Extent {
    const head = this.packed.number();
    const source = this.#source + unzigzag(Math.floor(head / 2));
    const expected = source === this.#source ? this.#to : 0;
    const from = expected + (head % 2 === 1 ? unzigzag(this.packed.number()) : 0);
    const to = from + this.packed.number();
    if (source < 0 || from < 0 || !Number.isSafeInteger(to)) throw new RangeError('an extent is out of bounds');
    this.#source = source;
    this.#to = to;
    return { source, from, to };
  }
}

/** Small numbers of either sign to small numbers from 0. */
function zigzag(value: number): number {
  return value < 0 ? -value * 2 - 1 : value * 2;
}

function unzigzag(value: number): number {
  return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
}
