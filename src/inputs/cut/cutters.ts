import type { Found } from '../records/scan.ts';
import type { Window } from '../window.ts';
import type { PartBuilder } from './part-builder.ts';

/** Decides where parts end, from records in their order. */
export interface Cutter {
  /** A source begins: its position in the plan, where its records begin and where it ends. */
  begin(source: number, from: number, to: number): void;
  /** Takes the records `first` up to and without `end` of those found. */
  take(window: Window, found: Found, first: number, end: number): void;
  /** What is up to this place of the source belongs to no part. */
  skip(to: number): void;
}

/** Whole sources: whoever reads them closes the parts. */
export class WholeCutter implements Cutter {
  readonly #part: PartBuilder;

  constructor(part: PartBuilder) {
    this.#part = part;
  }

  begin(source: number, from: number): void {
    this.#part.begin(source, from);
  }

  take(window: Window, found: Found, first: number, end: number): void {
    this.#part.extend(window.placeOf(found.ends[end - 1]!), end - first);
  }

  skip(to: number): void {
    this.#part.skip(to);
  }
}

/** So many records a part. */
export class RowsCutter implements Cutter {
  readonly #part: PartBuilder;
  readonly #rows: number;

  constructor(part: PartBuilder, rows: number) {
    this.#part = part;
    this.#rows = rows;
  }

  begin(source: number, from: number): void {
    this.#part.begin(source, from);
  }

  take(window: Window, found: Found, first: number, end: number): void {
    for (let at = first; at < end; ) {
      const taken = Math.min(this.#rows - this.#part.records, end - at);
      at += taken;
      this.#part.extend(window.placeOf(found.ends[at - 1]!), taken);
      if (this.#part.records === this.#rows) this.#part.close();
    }
  }

  skip(to: number): void {
    this.#part.skip(to);
  }
}

/**
 * Where the part that begins at a place of a source shall end at the earliest: `from` and `to` are where the source's records begin
 * and end.
 */
export type Target = (begins: number, from: number, to: number) => number;

/** So many bytes each, at least. */
export function everyBytes(bytes: number): Target {
  return (begins) => begins + bytes;
}

/** Of so many equal parts of a source. */
export function equalParts(parts: number): Target {
  return (begins, from, to) => {
    const size = to - from;
    let part = Math.max(1, Math.floor(((begins - from) / size) * parts));
    while (from + Math.round((size * part) / parts) <= begins) part++;
    return part >= parts ? to : from + Math.round((size * part) / parts);
  };
}

/** Each part ends with the first record that reaches its target. */
export class BytesCutter implements Cutter {
  readonly #part: PartBuilder;
  #target: Target;
  #from = 0;
  #to = 0;
  #next = 0;

  constructor(part: PartBuilder, target: Target) {
    this.#part = part;
    this.#target = target;
  }

  /** For the source that begins next. */
  retarget(target: Target): void {
    this.#target = target;
  }

  begin(source: number, from: number, to: number): void {
    this.#part.begin(source, from);
    this.#from = from;
    this.#to = to;
    this.#next = this.#target(from, from, to);
  }

  take(window: Window, found: Found, first: number, end: number): void {
    for (let at = first; at < end; ) {
      const reached = firstAtLeast(found.ends, at, end, (this.#next - window.base) / window.charset.unit);
      const last = Math.min(reached, end - 1);
      const place = window.placeOf(found.ends[last]!);
      this.#part.extend(place, last + 1 - at);
      at = last + 1;
      if (reached === end) continue;
      this.#part.close();
      this.#next = this.#target(place, this.#from, this.#to);
    }
  }

  skip(to: number): void {
    this.#part.skip(to);
  }
}

/** The place of the first number that is at least `wanted` among rising ones, or `to`. */
function firstAtLeast(numbers: Uint32Array, from: number, to: number, wanted: number): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! >= wanted) high = middle;
    else low = middle + 1;
  }
  return low;
}
