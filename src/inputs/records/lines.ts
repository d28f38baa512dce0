import type { Units } from '../window.ts';

export const LF = 0x0a;
export const CR = 0x0d;

const ONES = 0x01010101;
const HIGHS = 0x80808080;

/**
 * Writes the units behind each line end between `from` and `to` to `ends` at `count`, until that is full; gives the new count.
 * Bytes are looked at four at a time: a word minus ones borrows into the high bit of a byte that was 0.
 */
export function findLineEnds(
  units: Units,
  from: number,
  to: number,
  lineEnd: number,
  ends: Uint32Array,
  count: number,
): number {
  if (units instanceof Uint8Array) return findInBytes(units, from, to, lineEnd, ends, count);
  let found = count;
  for (let at = from; at < to && found < ends.length; at++) if (units[at] === lineEnd) ends[found++] = at + 1;
  return found;
}

function findInBytes(
  units: Uint8Array,
  from: number,
  to: number,
  lineEnd: number,
  ends: Uint32Array,
  count: number,
): number {
  let [at, found] = [from, count];
  const most = ends.length;
  const firstWord = Math.min(to, (from + 3) & ~3);
  for (; at < firstWord; at++) if (units[at] === lineEnd && found < most) ends[found++] = at + 1;
  const words = new Int32Array(units.buffer, 0, to >> 2);
  const pattern = lineEnd * ONES;
  for (let word = at >> 2; word < words.length && found + 4 <= most; word++) {
    const x = words[word]! ^ pattern;
    at = (word + 1) << 2;
    if (((x - ONES) & ~x & HIGHS) === 0) continue;
    const first = word << 2;
    if (units[first] === lineEnd) ends[found++] = first + 1;
    if (units[first + 1] === lineEnd) ends[found++] = first + 2;
    if (units[first + 2] === lineEnd) ends[found++] = first + 3;
    if (units[first + 3] === lineEnd) ends[found++] = first + 4;
  }
  for (; at < to && found < most; at++) if (units[at] === lineEnd) ends[found++] = at + 1;
  return found;
}

/** CR when a beginning has CR and no LF at all, as old files have; CR LF and LF both end with LF. */
export function lineEndOf(units: Units, length: number): number {
  const seen = units.subarray(0, length);
  return seen.indexOf(LF) < 0 && seen.indexOf(CR) >= 0 ? CR : LF;
}

/** The unit behind the text of a record, without its line end. */
export function textEnd(units: Units, from: number, to: number, lineEnd: number): number {
  let end = to;
  if (end > from && units[end - 1] === lineEnd) {
    end--;
    if (lineEnd === LF && end > from && units[end - 1] === CR) end--;
  }
  return end;
}
