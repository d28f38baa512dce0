import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJobRef } from '../../core/ids.ts';
import { readSlurmIds, refChunks } from './job-ids.ts';

const chunksOf = (list: string) => refChunks(readSlurmIds('squeue', list));

describe('ids in questions', () => {
  test('are by number, tasks of one job together', () => {
    expect(chunksOf('7,3_2,5_[1-4],3_1,9_4,9,3_[7,8]')).toEqual([['3_[1-2,7-8]', '5_[1-4]', '7', '9']]);
  });

  test('fit into them, whatever their number', () => {
    // Two bits of each of its digits are those of a random number: nothing of the set can be told shortly.
    const indices = Array.from({ length: 30_000 }, (_, n) => n * 31 + ((n * 2_654_435_761) % 29));
    const jobs = Array.from({ length: 5_000 }, (_, n) => n + 10);
    const chunks = chunksOf([...jobs, ...indices.map((index) => `4_${index}`)].join(','));
    const seen = new Set<number>();
    for (const refs of chunks) {
      expect(refs.length).toBeLessThanOrEqual(2_000);
      expect(refs.join(',').length).toBeLessThan(65_536);
      for (const text of refs) {
        const ref = parseJobRef(text);
        if (ref.kind === 'tasks') for (let n = 0; n < ref.indices.size; n++) seen.add(ref.indices.at(n));
      }
    }
    expect(seen).toEqual(new Set(indices));
    expect(chunks.flat().filter((ref) => !ref.includes('_'))).toEqual(jobs.map(String));
  });

  test('name what was named, and nothing else', () => {
    const id = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.option(fc.integer({ min: 0, max: 9 })));
    fc.assert(
      fc.property(fc.array(id, { minLength: 1, maxLength: 12 }), (ids) => {
        const whole = new Set(ids.flatMap(([job, index]) => (index === null ? [job] : [])));
        const wanted = ids.flatMap(([job, index]) => (whole.has(job) ? [`${job}`] : [`${job}_${index}`]));
        const refs = chunksOf(ids.map(([job, index]) => (index === null ? job : `${job}_${index}`)).join(','));
        const named = refs.flat().flatMap((text) => {
          const ref = parseJobRef(text);
          if (ref.kind !== 'tasks') return [text];
          return Array.from({ length: ref.indices.size }, (_, n) => `${ref.id}_${ref.indices.at(n)}`);
        });
        expect(named.toSorted()).toEqual([...new Set(wanted)].toSorted());
      }),
    );
  });
});
