import fc from 'fast-check';
import { expect } from 'vitest';
import type { CutInput } from './cut-input.ts';

/** Encodings that texts may be in. */
export const encodings = fc.constantFrom('utf-8', 'utf-16le', 'utf-16be', 'latin1');
/** Bytes that a source gives at a time. */
export const chunks = fc.constantFrom(1, 2, 3, 7, 64, 100_000);
/** Ways to cut files. */
export const cuts = fc.oneof(
  fc.constant(undefined),
  fc.record({ rows: fc.integer({ min: 1, max: 6 }) }),
  fc.record({ bytes: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ tasks: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ files: fc.integer({ min: 1, max: 3 }) }),
);
/** From how many bytes of a part on borders are sought instead of everything read. */
export const seeks = fc.constantFrom(1, Number.POSITIVE_INFINITY);
/** Cases of a property. */
export const RUNS = { numRuns: 60 };

/** The records of all parts, in order. */
export function all(cut: CutInput): unknown[] {
  return cut.records.flat();
}

/** What holds for every plan: parts have records, counted ones as many as they say, and batches follow each other. */
export async function expectSound({ manifest, plan, records }: CutInput): Promise<void> {
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

/** Files by the names file0, file1, … */
export function named<T>(list: readonly T[]): Record<string, T> {
  return Object.fromEntries(list.map((one, at) => [`file${at}`, one]));
}
