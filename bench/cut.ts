// How fast inputs are cut into parts, and in how much memory: beside `wc -l`, `split` and csv-parse over the same files, which are
// in the page cache.
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, createReadStream, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'csv-parse';
import { median, report } from './support/report.ts';

const { values } = parseArgs({
  options: { mb: { type: 'string', default: '1024' }, rounds: { type: 'string', default: '3' } },
});
const mb = Number(values.mb);
const rounds = Number(values.rounds);
/** A file is this, again and again. */
const BLOCK_BYTES = 8 * 1024 * 1024;

interface Once {
  readonly ms: number;
  readonly cpuMs: number;
  readonly parts: number;
  readonly records?: number;
  readonly kept: number;
  readonly peakMb: number;
  readonly rssBeforeMb: number;
}

const folder = mkdtempSync(join(tmpdir(), 'spawn-bench-cut-'));
let seed = 20_261_122;
function chance(): number {
  seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
  return seed / 0x7fffffff;
}
const WORDS = 'alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu größe zwölf naïve'.split(' ');
const word = (): string => WORDS[Math.floor(chance() * WORDS.length)]!;
let rowNumber = 0;
const ROWS: Readonly<Record<string, { readonly head: string; readonly tail: string; row(): string }>> = {
  'lines.txt': {
    head: '',
    tail: '',
    row: () => `${Array.from({ length: 3 + Math.floor(chance() * 20) }, word).join(' ')}\n`,
  },
  'table.csv': {
    head: 'id,name,value,text,kind,count,day\n',
    tail: '',
    row: () => {
      const text = `${word()}, ${word()}${chance() < 0.1 ? '\n' : ' '}say ""${word()}""`;
      return `${[rowNumber++, word(), (chance() * 1000).toFixed(3), `"${text}"`, word(), Math.floor(chance() * 1e6), '2026-01-02'].join(',')}\n`;
    },
  },
  'items.jsonl': {
    head: '',
    tail: '',
    row: () =>
      `${JSON.stringify({ id: rowNumber++, name: word(), value: chance(), tags: [word(), word()], ok: true })}\n`,
  },
  'items.json': {
    head: '{"data": {"items": [\n0',
    tail: ']}}\n',
    row: () =>
      `,\n{"id": ${rowNumber++}, "name": "${word()}", "value": ${chance()}, "tags": ["${word()}"], "ok": true}`,
  },
};

function write(name: string, megabytes: number): string {
  const { head, tail, row } = ROWS[name]!;
  const rows: string[] = [];
  for (let bytes = 0; bytes < BLOCK_BYTES; ) {
    const text = row();
    rows.push(text);
    bytes += Buffer.byteLength(text);
  }
  const block = Buffer.from(rows.join(''));
  const path = join(folder, `${megabytes}-${name}`);
  const file = openSync(path, 'w');
  writeSync(file, head);
  for (let at = 0; at < (megabytes * 1024 * 1024) / BLOCK_BYTES; at++) writeSync(file, block);
  writeSync(file, tail);
  closeSync(file);
  return path;
}

const CUTS: Readonly<Record<string, { readonly file: string; readonly input: Readonly<Record<string, unknown>> }>> = {
  'text by bytes': { file: 'lines.txt', input: { type: 'text', cut: { bytes: 1_000_000 } } },
  'text by small bytes': { file: 'lines.txt', input: { type: 'text', cut: { bytes: 20_000 } } },
  'text by rows': { file: 'lines.txt', input: { type: 'text', cut: { rows: 1000 } } },
  'csv by rows': { file: 'table.csv', input: { type: 'csv', cut: { rows: 1000 } } },
  'csv by bytes': { file: 'table.csv', input: { type: 'csv', cut: { bytes: 1_000_000 } } },
  'csv by a column': { file: 'table.csv', input: { type: 'csv', cut: { group: 'kind' } } },
  'json lines by rows': { file: 'items.jsonl', input: { type: 'jsonl', cut: { rows: 1000 } } },
  'json array by rows': { file: 'items.json', input: { type: 'json', at: 'data.items', cut: { rows: 1000 } } },
};

function plan(input: Readonly<Record<string, unknown>>, path: string): Once {
  const spec = JSON.stringify({ ...input, from: [path] });
  return JSON.parse(
    execFileSync(process.execPath, [join(import.meta.dirname, 'support/cut-once.ts'), spec]).toString(),
  );
}

function timed(program: string, args: readonly string[]): number {
  const started = performance.now();
  const { status } = spawnSync(program, args, { cwd: join(folder, 'split'), env: { ...process.env, LC_ALL: 'C' } });
  if (status !== 0) throw new Error(`${program} ended with ${status}`);
  return performance.now() - started;
}

async function parseTable(path: string): Promise<number> {
  const started = performance.now();
  let rows = 0;
  for await (const _ of createReadStream(path, { highWaterMark: 1024 * 1024 }).pipe(parse())) rows++;
  if (rows === 0) throw new Error('csv-parse found no rows');
  return performance.now() - started;
}

/** Copies are removed as soon as they are made, and not on the clock. */
function split(args: readonly string[], path: string): number {
  const ms = timed('split', [...args, path]);
  rmSync(join(folder, 'split'), { recursive: true });
  mkdirSync(join(folder, 'split'));
  return ms;
}

try {
  mkdirSync(join(folder, 'split'));
  const figures: Record<string, unknown> = { 'MB a file': mb, rounds };
  const files = Object.fromEntries(Object.keys(ROWS).map((name) => [name, write(name, mb)]));
  const small = Object.fromEntries(Object.keys(ROWS).map((name) => [name, write(name, 64)]));
  const megabytes = (mb * 1024 * 1024) / 1e6;
  const rate = (ms: number) => Math.round((megabytes / ms) * 1000);
  const own: Record<string, Once[]> = Object.fromEntries(Object.keys(CUTS).map((name) => [name, []]));
  const peers: Record<string, number[]> = { 'wc -l': [], 'split -l 1000': [], 'split -C 1M': [], 'csv-parse': [] };
  const lines = files['lines.txt']!;
  timed('wc', ['-l', lines]);
  for (let round = 0; round < rounds; round++) {
    for (const [name, { file, input }] of Object.entries(CUTS)) own[name]!.push(plan(input, files[file]!));
    peers['wc -l']!.push(timed('wc', ['-l', lines]));
    peers['split -l 1000']!.push(split(['-a', '6', '-l', '1000'], lines));
    peers['split -C 1M']!.push(split(['-a', '6', '-C', '1000000'], lines));
    // 64 MB are enough to know its rate.
    peers['csv-parse']!.push(((await parseTable(small['table.csv']!)) * mb) / 64);
  }
  for (const [name, { file, input }] of Object.entries(CUTS)) {
    const runs = own[name]!;
    const little = plan(input, small[file]!);
    figures[name] = {
      'MB per second': rate(median(runs.map(({ ms }) => ms))),
      'MB per second of processor time': rate(median(runs.map(({ cpuMs }) => cpuMs))),
      parts: runs[0]!.parts,
      records: runs[0]!.records,
      'bytes a part in the plan': Math.round((runs[0]!.kept / runs[0]!.parts) * 10) / 10,
      'memory grown by MB, at most': Math.round(Math.max(...runs.map((run) => run.peakMb - run.rssBeforeMb))),
      'the same for a file of 64 MB': Math.round(little.peakMb - little.rssBeforeMb),
    };
  }
  for (const [name, runs] of Object.entries(peers)) figures[name] = { 'MB per second': rate(median(runs)) };
  const ratio = (ours: string, theirs: string) =>
    Math.round(median(own[ours]!.map(({ ms }, at) => peers[theirs]![at]! / ms)) * 100) / 100;
  figures['spawn / split -l, median of pairs'] = ratio('text by rows', 'split -l 1000');
  figures['spawn / split -C, median of pairs'] = ratio('text by bytes', 'split -C 1M');
  figures['spawn / wc -l, median of pairs'] = ratio('text by rows', 'wc -l');
  figures['spawn / csv-parse, median of pairs'] = ratio('csv by rows', 'csv-parse');
  report('cut', figures);
} finally {
  rmSync(folder, { recursive: true });
}
