import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutInput } from '../../../test/support/cut-input.ts';
import { MemoryBlobs } from '../../../test/support/memory-sources.ts';
import { InputSpec } from '../../api/data.ts';
import { ROWS_PER_PIECE } from './manifest.ts';
import { readPlan } from './reader.ts';
import { PlanWriter } from './writer.ts';

const INPUT = InputSpec.parse({ type: 'text', from: ['x'] });

function writer(blobs: MemoryBlobs, maxParts = 2_000_000): PlanWriter {
  return new PlanWriter(blobs, INPUT, 'extents', maxParts);
}

describe('a plan', () => {
  it('gives back the extents, records, batches and sources that were said', async () => {
    const extent = fc.tuple(fc.nat({ max: 30 }), fc.nat({ max: 2 ** 45 }), fc.nat({ max: 2 ** 40 }));
    const part = fc.record({
      extents: fc.array(extent, { maxLength: 5 }),
      records: fc.option(fc.integer({ min: 1, max: 2 ** 40 }), { nil: undefined }),
      begins: fc.option(fc.string(), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 30 }), async (parts) => {
        const blobs = new MemoryBlobs();
        const plan = writer(blobs);
        for (let at = 0; at <= 30; at++) plan.source({ uri: `/s${at}`, size: at, mtimeMs: at + 0.5 });
        const names: string[] = [];
        for (const { extents, records, begins } of parts) {
          if (begins !== undefined) plan.batch(begins);
          names.push(begins ?? names.at(-1) ?? '');
          for (const [source, from, length] of extents) plan.extent(source, from, from + length);
          plan.endPart(records);
        }
        const { hash } = await plan.finish(undefined);
        const read = await readPlan(hash, blobs.get);
        let before: number | undefined = 0;
        for (const [at, { extents, records }] of parts.entries()) {
          const found = await read.part(at);
          const said = extents.map(([source, from, length]) => ({ source, from, to: from + length }));
          expect(await Array.fromAsync(found.extents())).toEqual(said);
          expect([found.records, found.batch.name]).toEqual([records, names[at]]);
          if (parts.every((one) => one.records !== undefined)) expect(found.firstRecord).toBe(before);
          before = before === undefined || records === undefined ? undefined : before + records;
        }
        expect(await read.source(30)).toEqual({ uri: '/s30', size: 30, mtimeMs: 30.5 });
      }),
      { numRuns: 60 },
    );
  });

  it('of a million parts takes at most 8 bytes for each, and finds any of them', async () => {
    const blobs = new MemoryBlobs();
    const plan = writer(blobs);
    plan.source({ uri: '/data', size: 1e12 });
    plan.batch('/data');
    let at = 0;
    const borders = [0];
    for (let part = 0; part < 1_000_000; part++) {
      const to = at + 1_000_000 + ((part * 7_919) % 65_536);
      plan.extent(0, at, to);
      plan.endPart(9_000 + (part % 1_000));
      at = to;
      if (part === 777_776) borders[0] = to;
      if (plan.waiting) await plan.flush();
    }
    const { hash, manifest } = await plan.finish(undefined);
    expect(manifest.parts).toBe(1_000_000);
    const bytes = [...blobs.blobs.values()].reduce((sum, blob) => sum + blob.length, 0);
    expect(bytes / 1_000_000).toBeLessThanOrEqual(8.1);
    const found = await (await readPlan(hash, blobs.get)).part(777_777);
    const [extent] = await Array.fromAsync(found.extents());
    expect(extent?.from).toBe(borders[0]);
    expect(found.records).toBe(9_777);
  });

  it('keeps very many sources, batches and extents in pieces of their own', async () => {
    const blobs = new MemoryBlobs();
    const plan = writer(blobs);
    const many = ROWS_PER_PIECE * 2 + 1;
    for (let at = 0; at < many; at++) {
      plan.batch(`b${at}`);
      plan.extent(plan.source({ uri: `/s${at}`, size: 1 }), 0, 1);
      plan.endPart(1);
    }
    plan.batch('all');
    for (let at = 0; at < 200_000; at++) plan.extent(at % many, at * 2, at * 2 + 1);
    plan.endPart(200_000);
    const { hash, manifest } = await plan.finish(undefined);
    expect([manifest.sourcePieces?.length, manifest.batchPieces?.length, manifest.sources]).toEqual([3, 3, undefined]);
    const read = await readPlan(hash, blobs.get);
    expect((await read.source(many - 1)).uri).toBe(`/s${many - 1}`);
    const middle = await read.part(ROWS_PER_PIECE);
    expect([middle.batch.name, await Array.fromAsync(middle.extents())]).toEqual([
      `b${ROWS_PER_PIECE}`,
      [{ source: ROWS_PER_PIECE, from: 0, to: 1 }],
    ]);
    let count = 0;
    for await (const { source, from, to } of (await read.part(many)).extents()) {
      if (source !== count % many || from !== count * 2 || to !== from + 1) break;
      count++;
    }
    expect(count).toBe(200_000);
  });
});

describe('a damaged plan', () => {
  it('is refused, whatever byte of it is wrong', async () => {
    const { manifest, blobs } = await cutInput({ type: 'text', cut: { rows: 1 } }, { f: 'a\nb\nc\n' });
    const hash = [...blobs.blobs.keys()].at(-1)!;
    for (const wrong of [hash, manifest.pieces[0]!]) {
      const bytes = blobs.blobs.get(wrong)!;
      for (let at = 0; at < bytes.length; at++) {
        const get = async (asked: string) =>
          asked === wrong ? Buffer.from(bytes).fill(bytes[at]! ^ 1, at, at + 1) : blobs.get(asked);
        const read = readPlan(hash, get).then((plan) => plan.part(0));
        await expect(read).rejects.toThrow(`plan ${wrong} is damaged: its bytes have the hash`);
      }
    }
  });

  it('is refused when its pieces do not fit it', async () => {
    const blobs = new MemoryBlobs();
    const made = await cutInput({ type: 'text', cut: { rows: 1 } }, { f: 'a\nb\nc\n' });
    const piece = async (bytes: readonly number[]) => {
      const hash = await blobs.put(
        Buffer.from(JSON.stringify({ ...made.manifest, pieces: [await blobs.put(Buffer.from(bytes))] })),
      );
      const error = await readPlan(hash, blobs.get)
        .then((plan) => plan.part(0))
        .then(
          () => 'read',
          (refused: Error) => refused.message,
        );
      return error.replace(/^plan [0-9a-f]{64} is damaged: /, '');
    };
    expect(await piece([2, 3, 1])).toBe('it is of version 2, expected 1; plan again');
    expect(await piece([1, 2, 1])).toBe('it has 2 parts, expected 3; plan again');
    expect(await piece([1, 3, 1, 2, 0])).toBe('packed bytes end in the middle of a number; plan again');
    expect(await piece([1, 3, 1, 2, 2, 1, 1])).toBe('an extent is out of bounds; plan again');
    expect(await piece([1, 3, 1, 2, 0, 1, 1, 2, 0, 1, 1, 2, 0, 1, 1, 9])).toBe(
      'it goes on behind its last part; plan again',
    );
    expect(await piece([1, 3, 1, 2, 0, 1, 1, 2, 0, 1, 1, 2, 0, 1, 1])).toBe('read');
  });

  it('is refused by its version', async () => {
    const blobs = new MemoryBlobs();
    const hash = await blobs.put(Buffer.from('{"version":2}'));
    await expect(readPlan(hash, blobs.get)).rejects.toThrow('expected a plan of version 1, found 2');
  });
});
