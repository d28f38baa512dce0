import { describe, expect, it } from 'vitest';
import { all } from '../../test/support/cut-cases.ts';
import { cutInput } from '../../test/support/cut-input.ts';

/** More than one look at a window finds, and more than one chunk has. */
const MANY = 40_000;
const NUMBERS = Array.from({ length: MANY }, (_, at) => at);

const KINDS: readonly (readonly [type: string, data: string, spec: Readonly<Record<string, unknown>>])[] = [
  ['text', NUMBERS.map((at) => `${at}\n`).join(''), {}],
  ['csv', `n\n${NUMBERS.map((at) => (at % 3 === 0 ? `"${at}"\n` : `${at}\n`)).join('')}`, {}],
  ['jsonl', NUMBERS.map((at) => `${at}\n`).join(''), {}],
  ['json', JSON.stringify(NUMBERS), {}],
];

function numberOf(record: unknown): number {
  return Number(typeof record === 'object' ? (record as { n: string }).n : record);
}

describe('many short records', () => {
  it.each(KINDS)('of %s are all there, in order', async (type, data, spec) => {
    for (const cut of [{ rows: 35_000 }, { bytes: 80_000 }, undefined]) {
      const made = await cutInput({ type, cut, ...spec }, { f: data }, 64 * 1024, { seekFromBytes: 50_000 });
      const records = all(made);
      expect(records.length).toBe(MANY);
      expect(records.findIndex((record, at) => numberOf(record) !== at)).toBe(-1);
    }
  });

  it('of very many values and stretches are grouped, also where memory does not hold them', async () => {
    // A stretch for each record: what is to be kept is more than memory may hold.
    const data = `k,n\n${NUMBERS.map((at) => `${at % 7 === 0 ? 'rest' : at % 5},${at}\n`).join('')}`;
    const made = await cutInput({ type: 'csv', cut: { group: 'k' } }, { f: data, g: data }, undefined, {
      groupBytes: 4_096,
    });
    const expected = Map.groupBy([...NUMBERS, ...NUMBERS], (at) => (at % 7 === 0 ? 'rest' : `${at % 5}`));
    expect(made.manifest.batches?.map(({ name }) => name)).toEqual([...expected.keys()]);
    expect(made.manifest.extentBlobs?.length).toBeGreaterThan(1);
    for (const [at, numbers] of [...expected.values()].entries())
      expect(made.records[at]!.findIndex((record, place) => numberOf(record) !== numbers[place])).toBe(-1);
  });
});
