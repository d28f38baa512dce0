import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli, someCounts } from '../../../test/support/cli-world.ts';
import type { BatchView, TaskResult } from '../../api/results.ts';

const ALL: TaskResult[] = [
  { index: 0, state: 'completed', attempt: 1, value: { rows: 3, name: 'a,"b"' } },
  { index: 1, state: 'completed', attempt: 1, value: { rows: 4, more: [1] } },
  { index: 2, state: 'completed', attempt: 2, value: 'text' },
];
const FAILED: TaskResult = { index: 3, state: 'failed', attempt: 1, missing: 'exit 3', message: 'bad row' };
const WAITING: TaskResult = { index: 4, state: 'ready', attempt: 0, missing: 'not ended' };

const giving = (...results: TaskResult[]) => ({
  client: {
    results: async function* () {
      yield* results;
    },
  },
});

test('results are a line of JSON each, or one array', async () => {
  const lines = await runCli(['results', '12'], giving(...ALL));
  expect([lines.code, lines.out]).toEqual([0, ALL.map((one) => `${JSON.stringify(one)}\n`).join('')]);
  const array = await runCli(['results', '12', '--format', 'json'], giving(...ALL));
  expect(JSON.parse(array.out)).toEqual(ALL);
  expect((await runCli(['results', '12', '--format', 'json'], giving())).out).toBe('[\n]\n');
});

test('as a table they have a column for each key of any of them', async () => {
  const { out, code } = await runCli(['results', '12', '--format', 'csv'], giving(...ALL, FAILED));
  expect(out).toBe(
    'index,state,attempt,missing,rows,name,more,value\n' +
      '0,completed,1,,3,"a,""b""",,\n' +
      '1,completed,1,,4,,[1],\n' +
      '2,completed,2,,,,,text\n' +
      '3,failed,1,exit 3,,,,\n',
  );
  expect(code).toBe(1);
});

test('partial ones are marked', async () => {
  const failed = await runCli(['results', '12'], giving(...ALL, FAILED));
  expect([failed.code, failed.err]).toEqual([
    1,
    'spawn: partial: 1 of 4 tasks gave no result (1 for another reason)\n',
  ]);
  const waiting = await runCli(['results', '12'], giving(FAILED, WAITING));
  expect([waiting.code, waiting.err]).toEqual([
    75,
    'spawn: partial: 2 of 2 tasks gave no result (1 not ended, 1 for another reason)\n',
  ]);
  expect((await runCli(['results', '12_3'], giving())).code).toBe(2);
});

test('they are written into a file whole or not at all', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'results-'));
  const to = join(folder, 'out');
  await runCli(['results', '12', '-o', to], giving(...ALL));
  expect((await readFile(join(to, 'results.jsonl'), 'utf8')).split('\n')).toHaveLength(4);
  const broken = {
    client: {
      results: async function* () {
        yield ALL[0]!;
        throw new Error('cut');
      },
    },
  };
  await runCli(['results', '12', '-o', to, '--format', 'json'], broken).catch(() => {});
  expect(await readdir(to)).toEqual(['results.jsonl']);
  const wrong = await runCli(['results', '12', '-o', join(to, 'results.jsonl')], giving(...ALL));
  expect(wrong.code).toBe(2);
  await rm(folder, { recursive: true });
});

test('batches come in pages', async () => {
  const one = (name: string, first: number): BatchView => ({
    name,
    first,
    parts: 4,
    counts: someCounts({ completed: 2, running: 1, failed: 1 }),
  });
  const batches = async (_: string, { after }: { after?: unknown }) =>
    after === -1 ? { batches: [one('a.csv', 0)], total: 2, next: 0 } : { batches: [one('b.csv', 4)], total: 2 };
  const { out } = await runCli(['batches', '12'], { client: { batches } });
  expect(out).toBe('a.csv\t0\t4\t2\t1\t1\t0\nb.csv\t4\t4\t2\t1\t1\t0\n');
  const json = await runCli(['batches', '12', '-o', 'json'], { client: { batches } });
  expect(JSON.parse(json.out)).toHaveLength(2);
  const lines = await runCli(['batches', '12', '-o', 'jsonl'], { client: { batches } });
  expect(JSON.parse(lines.out.split('\n')[1]!)).toMatchObject({ name: 'b.csv', completed: 2 });
});
