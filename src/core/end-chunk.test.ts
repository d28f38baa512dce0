import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EndChunk, type EndRecord, unpackEnds } from './end-chunk.ts';

const ENDED_AT = 1_750_000_000_000;
const NONE: Omit<EndRecord, 'endedAt'> = {
  position: 0,
  attempt: 0,
  outcome: 0,
  fence: 0,
  sessionId: 0,
  wallUs: 0,
  cpuUs: 0,
  maxRssKb: 0,
  logSegment: 0,
  logOffset: 0,
  logEndSegment: 0,
  logEndOffset: 0,
  outBytes: 0,
  errBytes: 0,
  cutBytes: 0,
  missingBytes: 0,
  suspendedMs: 0,
  resultSegment: 0,
  resultOffset: 0,
  resultBytes: 0,
};

const measured = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.nat(70_000), fc.maxSafeNat());
const columns = Object.fromEntries(
  Object.keys(NONE)
    .filter((name) => name !== 'position' && name !== 'fence' && !name.startsWith('result'))
    .map((name) => [name, measured]),
) as Record<string, fc.Arbitrary<number>>;

const result = fc.oneof(
  { weight: 2, arbitrary: fc.constant({}) },
  fc.record({
    resultSegment: fc.nat(70_000),
    resultOffset: fc.nat(2 ** 31),
    resultBytes: fc.integer({ min: 1, max: 2 ** 21 }),
  }),
);

/** Stretches of ends as reports bring them: positions and fences grow together inside one. */
const stretch = fc.tuple(
  fc.nat(999_999),
  fc.nat(2 ** 40),
  fc.array(
    fc.tuple(fc.record(columns, { requiredKeys: [] }), result).map(([row, given]) => ({ ...row, ...given })),
    { minLength: 1, maxLength: 12 },
  ),
);

function recordsOf(stretches: readonly (readonly [number, number, readonly object[]])[]): Omit<EndRecord, 'endedAt'>[] {
  return stretches.flatMap(([position, fence, rows]) =>
    rows.map((row, at) => ({ ...NONE, ...row, position: position + at, fence: fence + at })),
  );
}

function chunkOf(records: readonly Omit<EndRecord, 'endedAt'>[]): EndChunk {
  const chunk = new EndChunk(ENDED_AT);
  for (const record of records) chunk.add(record);
  return chunk;
}

describe('EndChunk', () => {
  it('gives back every column of every end in the order of the reports', () => {
    fc.assert(
      fc.property(fc.array(stretch, { minLength: 1, maxLength: 8 }), (stretches) => {
        const records = recordsOf(stretches);
        const chunk = chunkOf(records);
        expect(unpackEnds(chunk.pack())).toEqual(records.map((record) => ({ ...record, endedAt: ENDED_AT })));
        const positions = records.map(({ position }) => position);
        expect(chunk.count).toBe(records.length);
        expect(chunk.minPosition).toBe(Math.min(...positions));
        expect(chunk.maxPosition).toBe(Math.max(...positions));
      }),
    );
  });

  it('joins a run only when position and fence both go on', () => {
    const of = (position: number, fence: number) => ({ ...NONE, position, fence });
    const together = chunkOf([of(5, 10), of(6, 11)]).pack();
    const otherFence = chunkOf([of(5, 10), of(6, 12)]);
    const otherPosition = chunkOf([of(5, 10), of(7, 11)]);
    for (const apart of [otherFence, otherPosition]) expect(apart.pack().length).toBe(together.length + 3);
    expect(unpackEnds(otherFence.pack()).map(({ fence }) => fence)).toEqual([10, 12]);
    expect(unpackEnds(otherPosition.pack()).map(({ position }) => position)).toEqual([5, 7]);
  });

  it('costs a few bytes an end that has only durations', () => {
    const records = Array.from({ length: 1_000 }, (_, at) => ({
      ...NONE,
      position: at,
      fence: 50 + at,
      attempt: 1,
      sessionId: 3,
      wallUs: 900 + (at % 400),
    }));
    expect(chunkOf(records).pack().length).toBeLessThan(2_100);
  });

  it('counts what was no success, and gives the ends that are wanted', () => {
    const chunk = chunkOf([0, 1, 0, 3].map((outcome, at) => ({ ...NONE, position: at * 2, fence: at, outcome })));
    expect(chunk.bad).toBe(2);
    const some = unpackEnds(chunk.pack(), (position) => position > 3);
    expect(some.map(({ position, outcome, fence }) => [position, outcome, fence])).toEqual([
      [4, 0, 2],
      [6, 3, 3],
    ]);
  });

  it('costs a result some bytes only where one does not follow the one before', () => {
    const rows = Array.from({ length: 1_000 }, (_, at) => ({ ...NONE, position: at, fence: 50 + at }));
    const results = rows.map((row, at) => ({
      ...row,
      resultSegment: 3,
      resultOffset: 10_000 + at * 40,
      resultBytes: 40,
    }));
    const chunk = chunkOf(results).pack();
    expect(chunk[0]).toBe(3);
    expect(chunk.length - chunkOf(rows).pack().length).toBeLessThan(1_020);
    expect(unpackEnds(chunk).map(({ resultOffset }) => resultOffset)).toEqual(results.map((row) => row.resultOffset));
    const one = chunkOf([NONE, { ...NONE, resultSegment: 1, resultBytes: 9 }, NONE]);
    expect(unpackEnds(one.pack()).map(({ resultBytes }) => resultBytes)).toEqual([0, 9, 0]);
  });

  it('takes many that completed as it takes each of them', () => {
    const numbers = fc.array(fc.oneof(fc.constant(0), fc.nat(900)), { minLength: 30, maxLength: 30 });
    const given = fc.record(
      { wallUs: numbers, outBytes: numbers, resultSegment: numbers, resultBytes: numbers },
      { requiredKeys: [] },
    );
    const run = fc.record({
      position: fc.nat(9),
      fence: fc.nat(9),
      count: fc.integer({ min: 1, max: 9 }),
      at: fc.nat(20),
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(run, given, fc.boolean()), { minLength: 1, maxLength: 5 }), (runs) => {
        const [bulk, single] = [new EndChunk(ENDED_AT), new EndChunk(ENDED_AT)];
        const attempts = Uint16Array.from({ length: 20 }, (_, at) => at % 3);
        for (const [{ at, ...each }, columns, isAlone] of runs) {
          const ends = Array.from({ length: each.count }, (_, i) => ({
            ...NONE,
            ...Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, column[at + i]!])),
            position: each.position + i,
            fence: each.fence + i,
            attempt: attempts[each.position + i]!,
            sessionId: 7,
          }));
          for (const end of ends) single.add(end);
          if (isAlone) for (const end of ends) bulk.add(end);
          else bulk.addCompleted({ ...each, sessionId: 7 }, attempts, columns, at);
        }
        expect(bulk.pack()).toEqual(single.pack());
        expect([bulk.count, bulk.bad, bulk.minPosition, bulk.maxPosition]).toEqual([
          single.count,
          single.bad,
          single.minPosition,
          single.maxPosition,
        ]);
      }),
    );
  });

  it('tells what was no success also where no attempts are known', () => {
    const ends = [0, 1, 0].map((outcome, at) => ({ ...NONE, position: at * 2, fence: at * 2, outcome }));
    expect([...chunkOf(ends).badEnds()]).toEqual([{ position: 2, attempt: 0 }]);
    expect([...chunkOf(ends.slice(0, 1)).badEnds()]).toEqual([]);
  });

  it('writes the first format as long as nothing was suspended, and reads both', () => {
    const never = chunkOf([NONE, NONE]).pack();
    const once = chunkOf([NONE, { ...NONE, suspendedMs: 1_500 }]).pack();
    expect([never[0], once[0]]).toEqual([1, 2]);
    expect(unpackEnds(never).map(({ suspendedMs }) => suspendedMs)).toEqual([0, 0]);
    expect(unpackEnds(once).map(({ suspendedMs }) => suspendedMs)).toEqual([0, 1_500]);
    const without = new EndChunk(ENDED_AT);
    const { suspendedMs: _, resultSegment: _1, resultOffset: _2, resultBytes: _3, ...rest } = NONE;
    without.add(rest);
    expect(without.pack()[0]).toBe(1);
  });

  it('tells which were no success', () => {
    const chunk = chunkOf([
      { ...NONE, position: 4, fence: 9, attempt: 1 },
      { ...NONE, position: 5, fence: 10, attempt: 2, outcome: 3 },
      { ...NONE, position: 1, fence: 20, attempt: 3, outcome: 1 },
    ]);
    expect([...chunk.badEnds()]).toEqual([
      { position: 5, attempt: 2 },
      { position: 1, attempt: 3 },
    ]);
    expect([...chunkOf([]).badEnds()]).toEqual([]);
  });

  it('refuses bytes of another format', () => {
    const bytes = chunkOf([NONE]).pack();
    bytes[0] = 9;
    expect(() => unpackEnds(bytes)).toThrow('chunk of ends has format 9, expected 1 to 3');
  });
});
