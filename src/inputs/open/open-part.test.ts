import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cutInput, encode } from '../../../test/support/cut-input.ts';
import { MemoryBlobs, MemorySources, planContext } from '../../../test/support/memory-sources.ts';
import { InputSpec } from '../../api/data.ts';
import { readPlan } from '../plan/reader.ts';
import { planInput } from '../plan-input.ts';
import { openPart } from './open-part.ts';

const signal = new AbortController().signal;

async function planned(spec: Readonly<Record<string, unknown>>, sources: MemorySources, cwd?: string) {
  const blobs = new MemoryBlobs();
  const more = cwd === undefined ? {} : { cwd };
  const { hash, manifest } = await planInput(InputSpec.parse(spec), planContext(sources, blobs, more));
  const plan = await readPlan(hash, blobs.get);
  return { manifest, open: (at: number) => openPart(plan, at, { reader: sources, signal, ...more }) };
}

describe('a part', () => {
  it('is refused when its source has changed since the plan', async () => {
    const sources = new MemorySources({ f: 'a\nb\n' });
    const { open } = await planned({ type: 'text', from: ['f'], cut: { rows: 1 } }, sources);
    sources.change('f', 'x\ny\n');
    const part = await open(1);
    await expect(Array.fromAsync(part.records())).rejects.toMatchObject({ code: 'INPUT_CHANGED' });
    await expect(Array.fromAsync(part.bytes())).rejects.toMatchObject({ code: 'INPUT_CHANGED' });
    expect(sources.opened).toBe(0);
  });

  it('is refused when its source changes while it is read', async () => {
    const sources = new MemorySources({ f: 'a\nb\nc\n' }, 2);
    const { open } = await planned({ type: 'text', from: ['f'] }, sources);
    const seen: unknown[] = [];
    const reading = async () => {
      for await (const record of (await open(0)).records()) {
        seen.push(record);
        if (seen.length === 1) sources.change('f', 'x\ny\nz\n');
      }
    };
    await expect(reading()).rejects.toMatchObject({ code: 'INPUT_CHANGED' });
    expect(sources.opened).toBe(0);
  });

  it('stops the plan when a source changes meanwhile', async () => {
    const sources = new MemorySources({ f: 'a\nb\nc\n' });
    const open = sources.open.bind(sources);
    sources.open = async (source) => {
      const opened = await open(source);
      sources.change('f', 'other');
      return opened;
    };
    await expect(planned({ type: 'text', from: ['f'] }, sources)).rejects.toMatchObject({ code: 'INPUT_CHANGED' });
  });

  it('gives back its sources when its reader has had enough', async () => {
    const sources = new MemorySources({ f: 'a\nb\nc\n' }, 1);
    const { open } = await planned({ type: 'text', from: ['f'] }, sources);
    for await (const record of (await open(0)).records()) {
      expect(record).toBe('a');
      break;
    }
    expect(sources.opened).toBe(0);
  });

  it('has no byte order mark, its own encoding, and its header', async () => {
    const { bytes, manifest } = await cutInput(
      { type: 'csv', cut: { rows: 1 } },
      { f: encode('a,b\n1,ä\n2,b', 'utf-16be', true) },
    );
    expect(bytes.map((part) => Buffer.from(part).swap16().toString('utf16le'))).toEqual(['a,b\n1,ä\n', 'a,b\n2,b']);
    expect(manifest.sources?.[0]).toMatchObject({ encoding: 'utf-16be', bom: 2, header: [2, 10] });
  });

  it('ends lines between sources that do not', async () => {
    const { bytes, records } = await cutInput({ type: 'csv', cut: { files: 2 } }, { f: 'a,b\n1,2', g: 'a,b\r\n3,4' });
    expect(bytes.map(String)).toEqual(['a,b\n1,2\n3,4']);
    expect(records).toEqual([
      [
        { a: '1', b: '2' },
        { a: '3', b: '4' },
      ],
    ]);
  });

  it('of a value has rows that lie near each other and far from each other', async () => {
    const filler = (at: number) => `b,${'x'.repeat(at % 3 === 0 ? 70_000 : 20)}\n`;
    const rows = Array.from({ length: 60 }, (_, at) => `a,${at}\n${filler(at)}`).join('');
    const { records, bytes } = await cutInput({ type: 'csv', cut: { group: 'k' } }, { f: `k,n\n${rows}` }, 10_000);
    expect(records[0]).toEqual(Array.from({ length: 60 }, (_, at) => ({ k: 'a', n: `${at}` })));
    expect(records[1]).toHaveLength(60);
    expect(String(bytes[0])).toBe(`k,n\n${Array.from({ length: 60 }, (_, at) => `a,${at}\n`).join('')}`);
  });

  it('has JSON lines of an array as its numbers were written', async () => {
    const { bytes } = await cutInput({ type: 'json' }, { f: '[1.0, 12345678901234567890, {"a":\r\n 1e400}]' });
    expect(bytes.map(String)).toEqual(['1.0\n12345678901234567890\n{"a":   1e400}\n']);
  });

  it('has a column named __proto__ as a column', async () => {
    const { records } = await cutInput({ type: 'csv' }, { f: '__proto__,a\nx,1\n' });
    expect(Object.entries(records[0]![0] as object)).toEqual([
      ['__proto__', 'x'],
      ['a', '1'],
    ]);
  });

  it('tells files by their places, and where records of a list and range stand', async () => {
    const files = await cutInput({ type: 'files', cut: { files: 2 } }, { f: 'abc', g: '', h: 'de' });
    expect(files.records).toEqual([
      [
        { uri: 'f', size: 3, etag: '1' },
        { uri: 'g', size: 0, etag: '1' },
      ],
      [{ uri: 'h', size: 2, etag: '1' }],
    ]);
    expect(files.bytes.map(String)).toEqual(['abc', 'de']);
    const range = await cutInput({ type: 'range', first: 0, last: 1, step: 0.1, cut: { rows: 4 } }, {});
    expect(range.records.flat()).toHaveLength(11);
    expect(String(range.bytes[1])).toBe('0.4\n0.5\n0.6000000000000001\n0.7000000000000001\n');
  });
});

describe('an input of the user', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'spawn-inputs-'));
    writeFileSync(
      join(folder, 'mine.ts'),
      'export function* plan(o: {n: number}) { for (let at = 0; at < o.n; at++) yield { at }; }\nexport async function* open(part: {at: number}, { cwd }: { cwd: string }) { yield part.at * 2; yield typeof cwd; }\n',
    );
    writeFileSync(join(folder, 'none.mjs'), 'export const plan = () => [];\nexport const open = () => [];\n');
    writeFileSync(join(folder, 'half.mjs'), 'export const plan = () => [1];\n');
    writeFileSync(
      join(folder, 'cycle.mjs'),
      'const a = {}; a.a = a; export const plan = () => [1, a];\nexport const open = () => [];\n',
    );
    writeFileSync(join(folder, 'nothing.mjs'), 'export const plan = () => 7;\nexport const open = () => [];\n');
    writeFileSync(join(folder, 'broken.mjs'), 'throw new TypeError("no");\n');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('plans values, and opens each of them', async () => {
    const { manifest, open } = await planned(
      { type: 'module', module: './mine.ts', options: { n: 3 } },
      new MemorySources({}),
      folder,
    );
    expect([manifest.parts, manifest.holds]).toEqual([3, 'values']);
    const part = await open(2);
    expect(part.part.value).toEqual({ at: 2 });
    expect(await Array.fromAsync(part.records())).toEqual([4, 'string']);
    expect(Buffer.concat(await Array.fromAsync(part.bytes())).toString()).toBe('4\n"string"\n');
  });

  it.each([
    ['./none.mjs', './none.mjs: expected at least one part of plan(), found none'],
    ['./half.mjs', 'half.mjs: expected a function open among its exports, found undefined'],
    ['./cycle.mjs', './cycle.mjs: part 1: expected a JSON value, found Converting circular structure to JSON'],
    ['./nothing.mjs', 'nothing.mjs: expected plan() to give an iterable, found number'],
    ['./broken.mjs', 'broken.mjs: expected a module that loads, found TypeError: no'],
    ['./missing.mjs', 'missing.mjs" cannot be read: ENOENT'],
    ['./notes.txt', 'input.module: expected a path that ends in .ts, .mts, .js or .mjs, found "./notes.txt"'],
  ])('%s is refused', async (module, message) => {
    await expect(planned({ type: 'module', module }, new MemorySources({}), folder)).rejects.toThrow(message);
  });
});
