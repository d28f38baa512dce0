import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CutInput, cutInput, encode } from '../../test/support/cut-input.ts';

const encodings = fc.constantFrom('utf-8', 'utf-16le', 'utf-16be', 'latin1');
const chunks = fc.constantFrom(1, 2, 3, 7, 64, 100_000);
const cuts = fc.oneof(
  fc.constant(undefined),
  fc.record({ rows: fc.integer({ min: 1, max: 6 }) }),
  fc.record({ bytes: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ tasks: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ files: fc.integer({ min: 1, max: 3 }) }),
);
const seeks = fc.constantFrom(1, Number.POSITIVE_INFINITY);
const RUNS = { numRuns: 60 };

function all(cut: CutInput): unknown[] {
  return cut.records.flat();
}

/** What holds for every plan: parts have records, counted ones as many as they say, and batches follow each other. */
async function expectSound({ manifest, plan, records }: CutInput): Promise<void> {
  expect(records.every((part) => part.length > 0)).toBe(true);
  let parts = 0;
  for (let at = 0; at < manifest.batchCount; at++) {
    const batch = await plan.batch(at);
    expect(batch.first).toBe(parts);
    parts += batch.parts;
  }
  expect(parts).toBe(manifest.parts);
  let before = 0;
  for (let at = 0; at < manifest.parts; at++) {
    const part = await plan.part(at);
    if (part.records !== undefined) expect(part.records).toBe(records[at]!.length);
    if (part.firstRecord !== undefined) expect(part.firstRecord).toBe(before);
    before += records[at]!.length;
  }
  if (manifest.records !== undefined) expect(manifest.records).toBe(before);
}

/** The rule of the documentation, written a second time and without any speed. */
function linesOf(text: string): string[] {
  if (text === '') return [];
  const isOld = !text.includes('\n') && text.includes('\r');
  const lines = isOld
    ? text.split('\r')
    : text.split('\n').map((line, at, every) => (at < every.length - 1 ? line.replace(/\r$/, '') : line));
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

function named<T>(list: readonly T[]): Record<string, T> {
  return Object.fromEntries(list.map((one, at) => [`file${at}`, one]));
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

describe('json', () => {
  const values = fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 12 });

  it('has every item of the array in one part', async () => {
    const cases = fc.record({
      files: fc.array(values, { minLength: 1, maxLength: 3 }),
      indent: fc.constantFrom(0, 1, '\t'),
      place: fc.constantFrom(undefined, 'data', 'data.items', 'a\\.b.1', 'x.2.y'),
      noise: fc.jsonValue(),
      encoding: fc.constantFrom('utf-8', 'utf-16le', 'utf-16be'),
      cut: cuts,
      chunk: chunks,
      bad: fc.constantFrom('fail', 'skip'),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ files, indent, place, noise, encoding, cut, chunk, bad }) => {
        fc.pre(files.some((items) => items.length > 0));
        const data = named(
          files.map((items) => encode(JSON.stringify(around(place, items, noise), null, indent), encoding)),
        );
        const made = await cutInput({ type: 'json', at: place, encoding, cut, bad }, data, chunk);
        // Through JSON once: -0 becomes 0.
        expect(all(made)).toEqual(JSON.parse(JSON.stringify(files.flat())));
        await expectSound(made);
        const lines = Buffer.concat(made.bytes).toString().trimEnd().split('\n');
        expect(lines.map((line) => JSON.parse(line))).toEqual(all(made));
      }),
      RUNS,
    );
  });

  function around(place: string | undefined, items: unknown, noise: unknown): unknown {
    if (place === 'data') return { noise, data: items, more: { data: [1, 2] } };
    if (place === 'data.items') return { items: [noise], data: { noise, items, last: 1 }, noise };
    if (place === 'a\\.b.1') return { a: { b: [[], [3]] }, 'a.b': [noise, items, noise] };
    if (place === 'x.2.y') return { x: [noise, { y: [1] }, { z: noise, y: items }], y: noise };
    return items;
  }

  it('has every line of JSON lines in one part, and passes over empty ones', async () => {
    const line = fc.oneof(
      { weight: 4, arbitrary: fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.stringify(value)) },
      fc.constantFrom('', '  ', '\t\r'),
    );
    const cases = fc.record({
      files: fc.array(fc.array(line, { maxLength: 12 }), { minLength: 1, maxLength: 3 }),
      end: fc.constantFrom('', '\n', '\n\n \n'),
      encoding: fc.constantFrom('utf-8', 'utf-16le', 'utf-16be'),
      cut: cuts,
      chunk: chunks,
      seekFromBytes: seeks,
      bad: fc.constantFrom('fail', 'skip'),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ files, end, encoding, cut, chunk, seekFromBytes, bad }) => {
        const expected = files
          .flat()
          .filter((text) => text.trim() !== '')
          .map((text) => JSON.parse(text));
        fc.pre(expected.length > 0);
        const data = named(files.map((lines) => encode(lines.join('\n') + end, encoding)));
        const made = await cutInput({ type: 'jsonl', encoding, cut, bad }, data, chunk, { seekFromBytes });
        expect(all(made)).toEqual(expected);
        await expectSound(made);
      }),
      RUNS,
    );
  });

  it('makes a part of each value of a field', async () => {
    const item = fc.record({
      key: fc.constantFrom('a', 'b', 3, true, null),
      n: fc.nat(),
      more: fc.jsonValue({ maxDepth: 1 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(item, { maxLength: 20 }), { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        chunks,
        async (files, isArray, chunk) => {
          fc.pre(files.flat().length > 0);
          const data = files.map((items) =>
            isArray ? JSON.stringify(items) : items.map((one) => `${JSON.stringify(one)}\n`).join(''),
          );
          const made = await cutInput({ type: isArray ? 'json' : 'jsonl', cut: { group: 'key' } }, named(data), chunk);
          const groups = Map.groupBy(JSON.parse(JSON.stringify(files.flat())) as { key: unknown }[], ({ key }) =>
            String(key),
          );
          expect(made.records).toEqual([...groups.values()]);
          expect(made.manifest.batches?.map(({ name }) => name)).toEqual([...groups.keys()]);
          await expectSound(made);
        },
      ),
      RUNS,
    );
  });
});

describe('binary and files', () => {
  it('has every record in one part, and the bytes of the next behind it where they overlap', async () => {
    const cases = fc.integer({ min: 1, max: 5 }).chain((recordBytes) =>
      fc.record({
        recordBytes: fc.constant(recordBytes),
        overlapBytes: fc.integer({ min: 0, max: 9 }),
        counts: fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 4 }),
        cut: cuts,
        chunk: chunks,
      }),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ({ recordBytes, overlapBytes, counts, cut, chunk }) => {
        fc.pre(counts.some((count) => count > 0));
        let next = 0;
        const files = counts.map((count) =>
          Buffer.from(Array.from({ length: count * recordBytes }, () => next++ % 251)),
        );
        const made = await cutInput({ type: 'binary', recordBytes, overlapBytes, cut }, named(files), chunk);
        expect(Buffer.concat(all(made) as Buffer[]).equals(Buffer.concat(files))).toBe(true);
        expect(all(made).every((record) => (record as Buffer).length === recordBytes)).toBe(true);
        await expectSound(made);
        for (const [at, bytes] of made.bytes.entries()) {
          const extents = await Array.fromAsync((await made.plan.part(at)).extents());
          const parts = await Promise.all(
            extents.map(async ({ source, from, to }) =>
              files[Number((await made.plan.source(source)).uri.slice(4))]!.subarray(from, to + overlapBytes),
            ),
          );
          expect(bytes.equals(Buffer.concat(parts))).toBe(true);
        }
      }),
      RUNS,
    );
  });

  it('has every file in one part, empty ones too', async () => {
    const cases = fc.record({
      sizes: fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 9 }),
      cut: fc.oneof(
        fc.record({ bytes: fc.integer({ min: 1, max: 40 }) }),
        fc.record({ tasks: fc.integer({ min: 1, max: 12 }) }),
        fc.record({ files: fc.integer({ min: 1, max: 4 }) }),
      ),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ sizes, cut }) => {
        const made = await cutInput({ type: 'files', cut }, named(sizes.map((size) => 'x'.repeat(size))));
        expect(all(made).map((file) => (file as { uri: string }).uri)).toEqual(sizes.map((_, at) => `file${at}`));
        await expectSound(made);
        if ('tasks' in cut) expect(made.manifest.parts).toBe(Math.min(cut.tasks, sizes.length));
      }),
      RUNS,
    );
  });
});

describe('list and range', () => {
  const itemCuts = fc.oneof(
    fc.constant(undefined),
    fc.record({ rows: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ tasks: fc.integer({ min: 1, max: 9 }) }),
  );

  it('has every item in one part', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue({ maxDepth: 1 }), { minLength: 1, maxLength: 20 }),
        itemCuts,
        async (items, cut) => {
          const made = await cutInput({ type: 'list', items, cut }, {});
          expect(all(made)).toEqual(JSON.parse(JSON.stringify(items)));
          await expectSound(made);
          if (cut !== undefined && 'tasks' in cut) expect(made.manifest.parts).toBe(Math.min(cut.tasks, items.length));
        },
      ),
      RUNS,
    );
  });

  it('has every number of a range in one part', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: -50, max: 50 }),
        fc.nat({ max: 40 }),
        fc.constantFrom(1, 2, 0.1, -3, 0.25),
        itemCuts,
        async (first, count, step, cut) => {
          const made = await cutInput({ type: 'range', first, last: first + count * step, step, cut }, {});
          expect(all(made)).toEqual(Array.from({ length: count + 1 }, (_, at) => first + at * step));
          await expectSound(made);
        },
      ),
      RUNS,
    );
  });
});
