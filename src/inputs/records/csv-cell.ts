import type { Units } from '../window.ts';
import type { CsvShape } from './csv.ts';

/** Where the text of a cell lies among units. */
export interface Cell {
  from: number;
  to: number;
  /** Quotes in it stand doubled. */
  doubled: boolean;
}

/**
 * Finds the cell of a column (from 0) in a record without a look at the text of the others. Of a delimiter of one unit. Fills
 * `cell`; false when the record has fewer columns. The record begins behind empty lines and has a unit behind it to read.
 */
export function findCell(
  units: Units,
  record: { from: number; to: number },
  shape: CsvShape,
  column: number,
  cell: Cell,
): boolean {
  const { quote } = shape;
  const comma = shape.delimiter[0]!;
  const { to } = record;
  let at = record.from;
  for (let passed = 0; ; passed++) {
    const begin = at;
    let isQuoted = false;
    let isDoubled = false;
    if (at < to && units[at] === quote) {
      isQuoted = true;
      for (at++; at < to; at++) {
        if (units[at] !== quote) continue;
        if (units[at + 1] !== quote) break;
        isDoubled = true;
        at++;
      }
    }
    while (at < to && units[at] !== comma) at++;
    if (passed === column) {
      cell.from = isQuoted ? begin + 1 : begin;
      cell.to = isQuoted ? at - 1 : at;
      cell.doubled = isDoubled;
      return true;
    }
    if (at >= to) return false;
    at++;
  }
}

const SLOTS = 4_096;
const LONGEST = 64;

/** Texts of cells that were seen before, so that the same few values are not made into new texts a million times. */
export class SeenCells {
  readonly #texts: (string | undefined)[] = new Array(SLOTS);
  readonly #units: Uint16Array = new Uint16Array(SLOTS * LONGEST);
  readonly #lengths = new Uint8Array(SLOTS);

  text(units: Units, from: number, to: number, make: () => string): string {
    const length = to - from;
    if (length > LONGEST) return make();
    let hash = 0x811c9dc5;
    for (let at = from; at < to; at++) hash = Math.imul(hash ^ units[at]!, 0x01000193);
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const base = slot * LONGEST;
    const known = this.#texts[slot];
    if (known !== undefined && this.#lengths[slot] === length) {
      let at = 0;
      while (at < length && this.#units[base + at] === units[from + at]) at++;
      if (at === length) return known;
    }
    const text = make();
    this.#texts[slot] = text;
    this.#lengths[slot] = length;
    for (let at = 0; at < length; at++) this.#units[base + at] = units[from + at]!;
    return text;
  }
}
