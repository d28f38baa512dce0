import { appendFileSync, mkdtempSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryBlobs } from '../../test/support/memory-sources.ts';
import { InputSpec } from '../api/data.ts';
import { openPart } from './open/open-part.ts';
import { readPlan } from './plan/reader.ts';
import { planInput } from './plan-input.ts';
import { openSources } from './sources/open.ts';
import { resolveSources } from './sources/resolve.ts';

const { signal } = new AbortController();
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-inputs-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function planned(spec: Readonly<Record<string, unknown>>, stop = signal, onPut = () => {}) {
  const blobs = new MemoryBlobs();
  const reader = openSources();
  const input = InputSpec.parse({ ...spec, from: ['*'] });
  const sources = resolveSources(['*'], [], { cwd: folder, signal: stop });
  const { hash, manifest } = await planInput(input, {
    sources,
    reader,
    sink: {
      put: (bytes) => {
        onPut();
        return blobs.put(bytes);
      },
    },
    signal: stop,
  });
  const plan = await readPlan(hash, blobs.get);
  const open = (at: number) => openPart(plan, at, { reader, signal });
  return { manifest, records: async (at: number) => Array.fromAsync((await open(at)).records()) };
}

describe('parts of files of this machine', () => {
  it('are cut and read', async () => {
    writeFileSync(join(folder, 'b.csv'), 'n,v\n3,"x\ny"\n');
    writeFileSync(join(folder, 'a.csv'), 'n,v\n1,a\n2,b\n');
    const { manifest, records } = await planned({ type: 'csv', cut: { rows: 1 } });
    expect(manifest.batches).toEqual([
      { name: join(folder, 'a.csv'), first: 0, parts: 2 },
      { name: join(folder, 'b.csv'), first: 2, parts: 1 },
    ]);
    expect(await records(2)).toEqual([{ n: '3', v: 'x\ny' }]);
  });

  it.each<[string, (path: string) => void]>([
    ['longer', (path) => appendFileSync(path, 'more\n')],
    ['of another time', (path) => utimesSync(path, new Date(), new Date(statSync(path).mtimeMs + 2_000))],
    [
      'another file',
      (path) => {
        writeFileSync(`${path}.new`, 'x\ny\n');
        renameSync(`${path}.new`, path);
        utimesSync(path, 1, 1);
      },
    ],
    ['gone', (path) => rmSync(path)],
  ])('are refused when their file is %s', async (_, change) => {
    const path = join(folder, 'lines');
    writeFileSync(path, 'a\nb\n');
    const { records } = await planned({ type: 'text', cut: { rows: 1 } });
    change(path);
    await expect(records(0)).rejects.toMatchObject({ code: 'INPUT_CHANGED' });
  });

  it('are found without reading what is between their borders', async () => {
    const line = `${'x'.repeat(99)}\n`;
    writeFileSync(join(folder, 'lines'), line.repeat(100_000));
    const { manifest, records } = await planned({ type: 'text', cut: { tasks: 7 } });
    expect([manifest.parts, manifest.records]).toEqual([7, undefined]);
    const counts = [];
    for (let at = 0; at < 7; at++) counts.push((await records(at)).length);
    expect(counts.reduce((sum, count) => sum + count)).toBe(100_000);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  });

  it('are planned until somebody ends that', async () => {
    writeFileSync(join(folder, 'lines'), 'x\n'.repeat(100_000));
    const control = new AbortController();
    const ended = planned({ type: 'text', cut: { rows: 1 } }, control.signal, () => control.abort(new Error('enough')));
    await expect(ended).rejects.toThrow('enough');
  });
});
