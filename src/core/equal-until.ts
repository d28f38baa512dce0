/** Runs shorter than this are not worth a second look at the column as words. */
const NEAR = 64;
const FOUR_TIMES = 0x01010101;

/**
 * Where the values of a column stop being what they are at `at`: a place above `at`, at most `end`. Long runs are looked at four places
 * at a time. The column begins where its buffer does, as every column of a task table.
 */
export function equalUntil(column: Uint8Array, at: number, end: number): number {
  const value = column[at]!;
  const near = Math.min(end, (at + NEAR) & ~3);
  const next = plainUntil(column, value, at + 1, near);
  if (next < near || near === end) return next;
  const words = new Uint32Array(column.buffer, 0, column.length >>> 2);
  const four = value * FOUR_TIMES;
  const last = end >>> 2;
  let word = next >>> 2;
  while (word < last && words[word] === four) word++;
  return plainUntil(column, value, word * 4, end);
}

function plainUntil(column: Uint8Array, value: number, from: number, end: number): number {
  let at = from;
  while (at < end && column[at] === value) at++;
  return at;
}
