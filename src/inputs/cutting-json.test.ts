import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { all, chunks, cuts, expectSound, named, RUNS, seeks } from '../../test/support/cut-cases.ts';
import { cutInput, encode } from '../../test/support/cut-input.ts';

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
