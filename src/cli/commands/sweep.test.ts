import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aJob, runCli } from '../../../test/support/cli-world.ts';
import type { SubmitRequestInput } from '../../api/job.ts';
import { readParamTable } from '../../api/param-table.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-sweep-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function sweep(name: string, text: string, words: readonly string[] = ['--command', 'true']) {
  writeFileSync(join(folder, name), text);
  const blobs: string[] = [];
  const ran = await runCli(['sweep', '--param-file', name, ...words], {
    client: {
      putBlob: async (kind: string, bytes: Uint8Array) => {
        if (kind !== 'params') return { hash: 'e'.repeat(64) };
        blobs.push(new TextDecoder().decode(bytes));
        return { hash: String(blobs.length - 1).padStart(64, '0') };
      },
      submit: async () => ({ job: aJob(), replayed: false, dryRun: false }),
    },
    world: { cwd: folder },
  });
  const spec = (ran.calls.find(([method]) => method === 'submit')?.[1] as SubmitRequestInput | undefined)?.spec;
  const table = readParamTable(new TextEncoder().encode(blobs.at(-1) ?? ''));
  const rows = table?.pieces.flatMap(([hash]) => blobs[Number(hash)]!.split('\n').map((line) => JSON.parse(line)));
  return { ...ran, spec, table, rows };
}

const YAML = 'defaults: {epochs: 5}\ngrid:\n  seed: [1, 2]\n  lr: [1e-3]\nparams:\n  - {lr: 0.50, epochs: 7}\n';

describe('spawn sweep', () => {
  test.each([
    ['sweep.yaml', YAML],
    ['sweep.json', '{"defaults":{"epochs":5},"grid":{"seed":[1,2],"lr":[1e-3]},"params":[{"lr":0.50,"epochs":7}]}'],
  ])('%s: a task for each set, as it was written', async (name, text) => {
    const { spec, rows, out, code } = await sweep(name, text, [
      '--max-concurrent',
      '2',
      '--cpus',
      '2',
      '--',
      'fit',
      '-v',
    ]);
    expect(rows).toEqual([
      { epochs: '7', lr: '0.50' },
      { epochs: '5', lr: '1e-3', seed: '1' },
      { epochs: '5', lr: '1e-3', seed: '2' },
    ]);
    expect(spec).toMatchObject({ array: '0-2', throttle: 2, cpus: 2, run: { kind: 'argv', argv: ['fit', '-v'] } });
    expect(spec!.paramTable).toMatch(/^0+1$/);
    expect([code, out]).toEqual([0, expect.stringContaining('Submitted job 12')]);
  });

  test('a table in CSV of any length goes in pieces', async () => {
    const lines = Array.from({ length: 30_000 }, (_, n) => `${n},${n % 2 === 0 ? '' : 'odd'}`);
    const { rows, table, spec } = await sweep('long.csv', `n,kind\n${lines.join('\n')}\n`);
    expect(spec!.array).toBe('0-29999');
    expect(table!.pieces.length).toBeGreaterThan(1);
    expect(rows).toHaveLength(30_000);
    expect([rows![0], rows![29_999]]).toEqual([{ n: '0' }, { n: '29999', kind: 'odd' }]);
  });

  test('the file may say options of the job, over which the command line goes', async () => {
    const text = 'defaults: {name: fit, command: ./train, time_limit: 2m, retries: 3}\nparams: [{a: 1}]\n';
    const first = await sweep('options.yaml', text, []);
    expect(first.spec).toMatchObject({
      name: 'fit',
      timeLimitMs: 120_000,
      retries: 3,
      run: { kind: 'shell', text: './train' },
    });
    const second = await sweep('options.yaml', text, ['--name', 'other', '--command', 'true']);
    expect(second.spec).toMatchObject({ name: 'other', retries: 3, run: { kind: 'shell', text: 'true' } });
  });

  test.each<[string, string, readonly string[], string]>([
    [
      'a.yaml',
      'defaults: {ttl: 2h}\nparams: [{a: 1}]\n',
      [],
      'a.yaml:1:17 defaults.ttl: expected one of name, command',
    ],
    ['a.yaml', 'params: [{name: x}]\n', [], 'found the option --name; under "defaults" it holds for all tasks'],
    ['a.csv', 'a,name\n1,x\n', [], 'a.csv:2 params.name: expected a parameter, found the option --name'],
    ['a.csv', 'a,b\n1\n', [], 'a.csv:2: expected 2 columns as in line 1, found 1'],
    ['a.csv', 'a\n', [], 'a.csv: expected at least one set of parameters, found none'],
    ['a.csv', '', [], 'a.csv: expected a line of names, found nothing'],
    ['a.csv', 'a\n"1', [], 'a.csv:2: expected CSV, found a fault'],
    ['a.yaml', 'grid: {}\n', [], 'expected at least one set of parameters'],
    [
      'a.yaml',
      `grid: {${'abcdefg'.split('').map((name) => `${name}: [0,1,2,3,4,5,6,7,8,9]`)}}`,
      [],
      'at most 1000000 combinations',
    ],
    ['a.yaml', 'params: [{a: 1}]\n', ['--param-file', 'nowhere.csv', '--command', 'x'], 'once, found twice'],
  ])('%s %j is refused', async (name, text, words, message) => {
    const { code, err, spec } = await sweep(name, text, words.length > 0 ? words : ['--command', 'true']);
    expect([code, spec]).toEqual([2, undefined]);
    expect(err).toContain(message);
  });

  test('needs a file, and something to run', async () => {
    expect(await runCli(['sweep', '--command', 'x'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('--param-file'),
    });
    const { code, err } = await sweep('a.yaml', 'params: [{a: 1}]\n', []);
    expect([code, err]).toEqual([2, expect.stringContaining('expected what to run')]);
    const away = await runCli(['sweep', '--param-file', 'away.csv', '--command', 'x'], { world: { cwd: folder } });
    expect(away).toMatchObject({ code: 2, err: expect.stringContaining('file "away.csv" not found') });
  });
});
