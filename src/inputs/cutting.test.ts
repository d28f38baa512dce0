import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { all, chunks, cuts, encodings, expectSound, named, RUNS, seeks } from '../../test/support/cut-cases.ts';
import { cutInput, encode } from '../../test/support/cut-input.ts';

/** The rule of the documentation, written a second time and without any speed. */
function linesOf(text: string): string[] {
  if (text === '') return [];
  const isOld = !text.includes('\n') && text.includes('\r');
  const lines = isOld
    ? text.split('\r')
    : text.split('\n').map((line, at, every) => (at < every.length - 1 ? line.replace(/\r$/, '') : line));
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

describe('text', () => {
  const piece = fc.constantFrom('a', 'b c', '\n', '\n', '\r\n', '\r', '\0', 'é', 'ÿ', ' ');
  const wide = fc.constantFrom('\u0a0a', '\u0d0a', '\u0a00', '€', '😀', '\u2028');
  const texts = (encoding: string) =>
    fc
      .array(encoding === 'latin1' ? piece : fc.oneof({ weight: 4, arbitrary: piece }, wide), { maxLength: 40 })
      .map((list) => list.join(''));

  it('has every line in one part, whatever the encoding, the cut and the chunks', async () => {
    const cases = encodings.chain((encoding) =>
      fc.record({
        encoding: fc.constant(encoding),
        files: fc.array(fc.record({ text: texts(encoding), bom: fc.boolean() }), { minLength: 1, maxLength: 4 }),
        cut: cuts,
        chunk: chunks,
        seekFromBytes: seeks,
        bad: fc.constantFrom('fail', 'skip'),
      }),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ({ encoding, files, cut, chunk, seekFromBytes, bad }) => {
        const expected = files.flatMap(({ text }) => linesOf(text));
        fc.pre(expected.length > 0);
        // Two old Macs' files with different line ends may share no part; the rule is by file.
        const data = named(files.map(({ text, bom }) => encode(text, encoding, bom && encoding !== 'latin1')));
        const made = await cutInput({ type: 'text', encoding, cut, bad }, data, chunk, { seekFromBytes });
        expect(all(made)).toEqual(expected);
        await expectSound(made);
        const sharing = cut !== undefined && ('files' in cut || 'tasks' in cut);
        if (!sharing) {
          const whole = Buffer.concat(files.map(({ text }) => encode(text, encoding)));
          expect(Buffer.concat(made.bytes).equals(whole)).toBe(true);
        }
        if (cut !== undefined && 'rows' in cut)
          expect(made.records.every((part) => part.length <= cut.rows)).toBe(true);
      }),
      RUNS,
    );
  });
});

describe('csv', () => {
  const cell = fc
    .array(fc.constantFrom('a', 'bc', '"', '\n', '\r\n', ',', ';', '|', '§', ' ', 'é', ''), { maxLength: 5 })
    .map((list) => list.join(''));

  it('has every row in one part, with its header, quotes and line ends', async () => {
    const cases = fc.integer({ min: 1, max: 4 }).chain((columns) =>
      fc.record({
        files: fc.array(fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), { maxLength: 12 }), {
          minLength: 1,
          maxLength: 3,
        }),
        columns: fc.constant(Array.from({ length: columns }, (_, at) => `c${at}`)),
        encoding: encodings,
        delimiter: fc.constantFrom(',', ';', '\t', '||', '§', '|,|'),
        lineEnd: fc.constantFrom('\n', '\r\n'),
        always: fc.boolean(),
        ended: fc.boolean(),
        header: fc.boolean(),
        cut: fc.oneof(cuts, fc.constant({ group: 'first' })),
        chunk: chunks,
        bad: fc.constantFrom('fail', 'skip'),
      }),
    );
    await fc.assert(
      fc.asyncProperty(cases, async (one) => {
        const { files, columns, encoding, delimiter, lineEnd, header, chunk, bad } = one;
        const cut = one.cut !== undefined && 'group' in one.cut ? { group: header ? 'c0' : '1' } : one.cut;
        fc.pre(files.some((rows) => rows.length > 0));
        const write = (rows: readonly (readonly string[])[]) => {
          const text = (header ? [columns, ...rows] : rows)
            .map((row) => row.map((text) => written(text, delimiter, one.always || row.length === 1)).join(delimiter))
            .join(lineEnd);
          return encode(text === '' || !one.ended ? text : text + lineEnd, encoding);
        };
        const made = await cutInput(
          { type: 'csv', encoding, delimiter, header, cut, bad },
          named(files.map(write)),
          chunk,
        );
        const rows = files.flat();
        const asRecords = (list: readonly (readonly string[])[]) =>
          header ? list.map((row) => Object.fromEntries(row.map((text, at) => [columns[at], text]))) : list;
        if (cut === undefined || !('group' in cut)) expect(all(made)).toEqual(asRecords(rows));
        else {
          const groups = [...Map.groupBy(rows, (row) => row[0]!).values()];
          expect(made.records).toEqual(groups.map(asRecords));
        }
        await expectSound(made);
        // The bytes of a part are a table of their own.
        for (const [at, bytes] of made.bytes.entries()) {
          const again = await cutInput({ type: 'csv', encoding, delimiter, header }, { part: bytes });
          expect(all(again)).toEqual(made.records[at]);
        }
      }),
      RUNS,
    );
  });

  function written(text: string, delimiter: string, always: boolean): string {
    const needs =
      always ||
      text.startsWith('"') ||
      /[\r\n]/.test(text) ||
      (delimiter + text + delimiter).indexOf(delimiter, 1) !== delimiter.length + text.length ||
      text.includes(delimiter[0]!);
    return needs ? `"${text.replaceAll('"', '""')}"` : text;
  }
});
