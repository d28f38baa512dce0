import { expect, test } from 'vitest';
import { findParamRow, type ParamTable, readParamTable, writeParamTable } from './param-table.ts';

const hash = (letter: string) => letter.repeat(64);
const TABLE: ParamTable = {
  version: 1,
  rows: 5,
  pieces: [
    [hash('a'), 3],
    [hash('b'), 2],
  ],
};

test('a table is read as it was written, and each row found in its piece', () => {
  expect(readParamTable(writeParamTable(TABLE))).toEqual(TABLE);
  expect([0, 2, 3, 4].map((row) => findParamRow(TABLE, row))).toEqual([
    { piece: 0, at: 0 },
    { piece: 0, at: 2 },
    { piece: 1, at: 0 },
    { piece: 1, at: 1 },
  ]);
  expect(() => findParamRow(TABLE, 5)).toThrow('row 5 of 5');
});

test.each<[string, unknown]>([
  ['text', 'x'],
  ['null', null],
  ['another version', { ...TABLE, version: 2 }],
  ['no pieces', { ...TABLE, pieces: [] }],
  ['pieces that are none', { ...TABLE, pieces: [7] }],
  ['a pair too long', { ...TABLE, pieces: [[hash('a'), 5, 1]] }],
  ['a hash that is none', { ...TABLE, pieces: [['a', 5]] }],
  ['a piece without rows', { ...TABLE, pieces: [[hash('a'), 0]] }],
  ['another sum', { ...TABLE, rows: 6 }],
])('%s is no table', (_, value) => {
  expect(readParamTable(new TextEncoder().encode(JSON.stringify(value)))).toBeUndefined();
});

test('bytes that are no JSON, no UTF-8, or far too many are no table', () => {
  expect(readParamTable(Uint8Array.of(0x7b))).toBeUndefined();
  expect(readParamTable(Uint8Array.of(0x22, 0xff, 0x22))).toBeUndefined();
  expect(readParamTable(new Uint8Array(9_000_000))).toBeUndefined();
});
