import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../../test/support/until.ts';
import { identify } from '../client/node/process-identity.ts';
import { isSpawnError } from '../core/errors.ts';
import { findGpus } from './gpus.ts';

/** A machine where the tool is a script; without one there is none. */
function machine(script?: string, more: Record<string, string> = {}): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'spawn-gpus-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  if (script !== undefined) {
    writeFileSync(join(folder, 'nvidia-smi'), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, 'nvidia-smi'), 0o755);
  }
  return { PATH: `${folder}:/usr/bin:/bin`, ...more };
}

const LISTS_TWO = `[ "$1" = --query-gpu=index,uuid,name,memory.total ] && [ "$2" = --format=csv,noheader,nounits ] || exit 9
echo "0, GPU-aaaa-1, Test A, 100"; echo "1, GPU-bbbb-2, Test B, 200"`;

const ids = async (...args: Parameters<typeof findGpus>) => (await findGpus(...args)).gpus.map(({ id }) => id);

test('the tool of the vendor lists them', async () => {
  const found = await findGpus(machine(LISTS_TWO));
  expect(found).toMatchObject({ source: 'nvidia-smi', problems: [] });
  expect(found.gpus.map(({ id, name, memoryBytes }) => [id, name, memoryBytes / 1024 ** 2])).toEqual([
    ['0', 'Test A', 100],
    ['1', 'Test B', 200],
  ]);
});

test('of these only those that were inherited', async () => {
  expect(await ids(machine(LISTS_TWO, { CUDA_VISIBLE_DEVICES: '1' }))).toEqual(['1']);
  expect(await ids(machine(LISTS_TWO, { CUDA_VISIBLE_DEVICES: 'GPU-bbbb,0' }))).toEqual(['GPU-bbbb', '0']);
  expect(await ids(machine(LISTS_TWO, { CUDA_VISIBLE_DEVICES: '-1' }))).toEqual([]);
});

test('nobody is asked when none was inherited', async () => {
  expect(await findGpus(machine('exit 7', { CUDA_VISIBLE_DEVICES: '' }))).toMatchObject({ gpus: [], problems: [] });
});

test('a tool that is not there lists none', async () => {
  expect(await findGpus(machine())).toEqual({ gpus: [], source: 'none', problems: [] });
});

test.each([
  ['echo "driver mismatch"; exit 1', ['nvidia-smi: exit 1: driver mismatch']],
  ['echo "no driver" >&2; exit 9', ['nvidia-smi: exit 9: no driver']],
  ['kill -SEGV $$', ['nvidia-smi: SIGSEGV']],
  ['head -c 300000 /dev/urandom', []],
  ['head -c 3000000 /dev/zero', ['nvidia-smi: more than 1048576 characters']],
  ['echo "No devices were found"', []],
])('%s: none, and what is wrong is said', async (script, problems) => {
  const found = await findGpus(machine(script));
  expect(found.gpus).toEqual([]);
  expect(found.problems).toEqual(problems);
});

test('one that hangs, with a child that holds its output, is not waited for; both are ended', async () => {
  const env = machine('sleep 100 & echo $! $$ >"$(dirname "$0")/pids"; sleep 100');
  const found = await findGpus(env, undefined, 500);
  expect(found).toEqual({ gpus: [], source: 'none', problems: ['nvidia-smi: no answer within 0.5 s'] });
  const pids = readFileSync(join(env.PATH!.split(':')[0]!, 'pids'), 'utf8')
    .trim()
    .split(' ')
    .map(Number);
  await until('their end', () => pids.every((pid) => identify(pid) === undefined));
});

test('what is declared counts, and nobody is asked', async () => {
  const env = machine('exit 7');
  expect(await ids(env, { count: 3 })).toEqual(['0', '1', '2']);
  expect(await ids(env, { ids: ['0', 'GPU-x'] })).toEqual(['0', 'GPU-x']);
  expect(await findGpus(env, { count: 0 })).toEqual({ gpus: [], source: 'declared', problems: [] });
});

test('so many are the first of those that were inherited', async () => {
  expect(await ids(machine('', { CUDA_VISIBLE_DEVICES: '4, 7,8' }), { count: 2 })).toEqual(['4', '7']);
});

test.each(['', '-1', '4'])('more than were inherited (%j) cannot be declared', async (visible) => {
  const error = await findGpus(machine('', { CUDA_VISIBLE_DEVICES: visible }), { count: 2 }).catch((e: unknown) => e);
  if (!isSpawnError(error)) throw error;
  expect(error.message).toMatch(/^--gpus: expected at most [01], which were inherited .*, found 2$/);
});
