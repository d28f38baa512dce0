import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { all, chunks, cuts, expectSound, named, RUNS } from '../../test/support/cut-cases.ts';
import { cutInput } from '../../test/support/cut-input.ts';

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
