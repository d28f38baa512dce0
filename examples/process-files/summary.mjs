import { readCsv } from './csv.mjs';

const INTEGER = /^[+-]?(?:0|[1-9]\d*)$/;
const NUMBER = /^[+-]?(?:0|[1-9]\d*)?\.?\d+(?:[eE][+-]?\d+)?$/;
const DATE = /^\d{4}([-/])(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])(?:[T ]\d\d:\d\d(?::\d\d)?)?$/;
const TYPES = [
  ['integer', (value) => INTEGER.test(value)],
  // 00501 is a code, not a number: as one it would lose its zeros.
  ['number', (value) => NUMBER.test(value) && !/^[+-]?0\d/.test(value)],
  ['date', (value) => DATE.test(value)],
  ['text', () => true],
];

/**
 * What is in a CSV text with a header: for each column its type, how many values are present and missing (empty), and
 * the least and the greatest. Numbers are compared as numbers, everything else as text.
 *
 * @param {string} text
 */
export function summarize(text) {
  const [header = [], ...rows] = readCsv(text);
  const tooLong = rows.findIndex((row) => row.length > header.length);
  if (tooLong >= 0) throw new SyntaxError(`record ${tooLong + 1} has more fields than the header`);
  return {
    rows: rows.length,
    columns: header.map((name, at) => ({ name, ...summarizeColumn(rows.map((row) => row[at] ?? '')) })),
  };
}

function summarizeColumn(values) {
  const present = values.filter((value) => value !== '');
  const missing = values.length - present.length;
  if (present.length === 0) return { type: 'empty', count: 0, missing, min: null, max: null };
  const [type] = TYPES.find(([, matches]) => present.every(matches));
  const comparable = type === 'integer' || type === 'number' ? present.map(Number) : present;
  const sorted = comparable.sort((a, b) => (a < b ? -1 : Number(a > b)));
  return {
    type,
    count: present.length,
    missing,
    min: sorted[0],
    max: sorted.at(-1),
  };
}
