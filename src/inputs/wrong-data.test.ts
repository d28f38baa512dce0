import { describe, expect, it } from 'vitest';
import { bytes, cutInput, encode, messageOf, type WrongCase } from '../../test/support/cut-input.ts';

const ROWS = { rows: 2 };

// biome-ignore format: a case a line
const CASES: readonly WrongCase[] = [
  ['an empty file', { type: 'text' }, '', 'input text: expected at least one record, found none in 1 sources'],
  ['empty files of bytes', { type: 'binary' }, '', 'input binary: expected at least one byte, found none in 1 sources'],
  ['only a byte order mark', { type: 'text' }, '\ufeff', 'input text: expected at least one record, found none in 1 sources'],
  ['a header and nothing else', { type: 'csv' }, 'a,b\n\n', 'input csv: expected at least one record, found none in 1 sources'],
  ['a range that goes the other way', { type: 'range', first: 2, last: 1 }, {}, 'input range: expected at least one item, found none'],
  ['a range without a step', { type: 'range', first: 1, last: 2, step: 0 }, {}, 'input.step: expected a number that is not 0, found 0'],
  ['a byte that is no UTF-8', { type: 'text', cut: ROWS }, bytes('one\ntw', [0xff], 'o\n'), 'f:2:3: expected utf-8, found the byte 0xff'],
  ['the same in a part that was not looked at', { type: 'text' }, bytes('one\ntw', [0xff], 'o\n'), 'f:2:3: expected utf-8, found the byte 0xff'],
  ['a character cut off at the end', { type: 'text', cut: ROWS }, bytes('é\né', [0xc3]), 'f:2:2: expected utf-8, found the end inside a character'],
  ['a character cut off in a line', { type: 'text', cut: ROWS }, bytes('a', [0xe2, 0x82], '\nb'), 'f:1:2: expected utf-8, found the byte 0x0a'],
  ['a surrogate in UTF-8', { type: 'text', cut: ROWS }, bytes('a', [0xed, 0xa0, 0x80]), 'f:1:2: expected utf-8, found the byte 0xa0'],
  ['a character in too many bytes', { type: 'text', cut: ROWS }, bytes([0xc0, 0xaf]), 'f:1:1: expected utf-8, found the byte 0xc0'],
  ['half a pair of UTF-16', { type: 'text', encoding: 'utf-16le', cut: ROWS }, bytes([0x61, 0, 10, 0, 0x62, 0, 0, 0xd8, 0x63, 0]), 'f:2:2: expected utf-16le, found half a surrogate pair, 0xd800'],
  ['half a unit of UTF-16', { type: 'text', encoding: 'utf-16be' }, bytes([0, 0x61, 0]), 'f: byte 2: expected whole characters of utf-16be, found half of one at the end'],
  ['another byte order mark', { type: 'text', encoding: 'utf-8' }, encode('a', 'utf-16le', true), 'f: expected utf-8, found the byte order mark of utf-16le'],
  ['a mark where none can be', { type: 'csv', encoding: 'latin1' }, '\ufeffa\n1', 'f: expected latin1, found the byte order mark of utf-8'],
  ['UTF-32', { type: 'text' }, bytes([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]), 'f: expected utf-8, utf-16le, utf-16be or latin1, found the byte order mark of UTF-32'],
  ['a row with too many fields', { type: 'csv', cut: ROWS }, 'a,b\n1,2\n"x\ny",4\n5,6,7\n', 'f:5:1: expected 2 fields, found 3'],
  ['a row with too few', { type: 'csv', cut: ROWS }, 'a,b\n1,2\n\n3\n', 'f:4:1: expected 2 fields, found 1'],
  ['an uneven row without a header', { type: 'csv', header: false, cut: ROWS }, '1\n2,3\n', 'f:2:1: expected 1 field, found 2'],
  ['an uneven row in a part that was not looked at', { type: 'csv' }, 'a,b\n1,2\n3\n', 'f:3:1: expected 2 fields, found 1'],
  ['a quote that is never closed', { type: 'csv', cut: ROWS }, 'a,b\n1,"x\n2,y\n', 'f:2:3: expected a closing quote, found the end of the file'],
  ['the same, with bad rows left out', { type: 'csv', bad: 'skip', cut: ROWS }, 'a,b\n0,0\n1,"x\n2,y\n', 'f:3:3: expected a closing quote, found the end of the file'],
  ['a quote never closed in the header', { type: 'csv' }, 'a,"b\n1,2\n', 'f:1:3: expected a closing quote, found the end of the file'],
  ['more behind a closing quote', { type: 'csv', cut: ROWS }, 'a,b\n"x"y,2\n', 'f:2:4: expected a delimiter or line end after a closing quote, found "y,2"'],
  ['a column named twice', { type: 'csv' }, 'a,b,a\n1,2,3\n', 'f:1:1: expected a name of its own for every column, found "a" twice'],
  ['a group that is no column', { type: 'csv', cut: { group: 'c' } }, 'a,b\n1,2\n', 'input.cut.group: expected one of the columns a, b, found "c"'],
  ['a group that is no number of a column', { type: 'csv', header: false, cut: { group: 'a' } }, '1,2\n', 'input.cut.group: expected the number of a column, from 1, found "a"'],
  ['files of other columns in one group', { type: 'csv', cut: { group: 'a' } }, { f: 'a,b\n1,2\n', g: 'a,c\n1,2\n' }, 'g:1:1: expected the columns a, b, as in f, with which it shares parts, found a, c'],
  ['files of other encodings in one part', { type: 'text', cut: { files: 2 } }, { f: 'a\n', g: encode('b', 'utf-16be', true) }, 'g: expected utf-8, as in f, with which it shares parts, found utf-16be'],
  ['a delimiter with a quote in it', { type: 'csv', delimiter: '",' }, 'a\n1\n', 'input.delimiter: expected characters of utf-8 without line ends and quotes, found "\\","'],
  ['a quote of two bytes', { type: 'csv', quote: '«' }, 'a\n1\n', 'input.quote: expected a character that is one byte in utf-8, found "«"'],
  ['half a record of bytes', { type: 'binary', recordBytes: 4 }, 'abcdef', 'f: byte 4: expected whole records of 4 bytes, found 2 bytes at the end'],
  ['rows of bytes of no size', { type: 'binary', cut: ROWS }, 'abcdef', 'input.recordBytes: expected the bytes of a record, to cut by rows, found nothing'],
  ['rows of files', { type: 'files', cut: ROWS }, 'a', 'input.cut: expected files, bytes or tasks for type files, found "rows"'],
  ['a group of lines', { type: 'text', cut: { group: 'a' } }, 'a', 'input.cut: expected files, rows, bytes or tasks for type text, found "group"'],
  ['files of a list', { type: 'list', items: [1], cut: { files: 1 } }, {}, 'input.cut: expected rows or tasks for type list, found "files"'],
];

describe('data that is not what its input says', () => {
  it.each(CASES)('%s', async (_, spec, data, message) => {
    expect(await messageOf(spec, data)).toBe(message);
    // Of a source that comes byte by byte less is there to be shown.
    const [upTo] = message.split(', found');
    expect((await messageOf(spec, data, 1)).startsWith(upTo!)).toBe(true);
  });

  it('refuses a record that memory should not hold', async () => {
    const long = Buffer.alloc(70 * 1024 * 1024, 'x');
    expect(await messageOf({ type: 'text', cut: ROWS }, long)).toBe(
      'f: byte 0: expected a record of at most 67108864 bytes, found a longer one',
    );
  });

  it('ends a plan of too many parts', async () => {
    const lines = 'x\n'.repeat(11);
    await expect(
      cutInput({ type: 'text', cut: { rows: 1 } }, { f: lines }, undefined, { maxParts: 10 }),
    ).rejects.toThrow('input text, cut: expected at most 10 parts, found more; cut it into larger ones');
    await expect(
      cutInput({ type: 'csv', cut: { group: 'x' } }, { f: 'x\n1\n2\n3\n' }, undefined, { maxParts: 2 }),
    ).rejects.toThrow('input.cut.group: expected at most 2 values, found more; group by another column');
    const wide = { type: 'range', first: 1, last: 1e12 };
    await expect(cutInput(wide, {})).rejects.toThrow('input range, cut: expected at most 1000000 parts, found more');
  });
});
