import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../../test/support/until.ts';
import { sweepRemains } from './sandbox-sweep.ts';
import { discard } from './sandbox-trash.ts';

let instances: string;
beforeEach(() => {
  instances = mkdtempSync(join(tmpdir(), 'spawn-sweep-'));
});
afterEach(() => rmSync(instances, { recursive: true, force: true }));

function make(path: string): string {
  const at = join(instances, path);
  mkdirSync(join(at, '..'), { recursive: true });
  writeFileSync(at, '');
  return at;
}

test('members without a directory go, and an array without members', () => {
  make('i-1/order.json');
  for (const name of ['i-1.member', 'i-1.exec', 'i-2.member', 'i-2.exec', '.files/hosts']) make(`.arrays/one/${name}`);
  for (const name of ['i-3.member', '.files/hosts', '.queue/1']) make(`.arrays/two/${name}`);
  sweepRemains(instances);
  expect(readdirSync(join(instances, '.arrays'))).toEqual(['one']);
  expect(readdirSync(join(instances, '.arrays/one')).sort()).toEqual(['.files', 'i-1.exec', 'i-1.member']);
});

test('half a copy of the programs goes when nobody can be at it any more', () => {
  for (const name of ['.new-a', '.new-b', 'whole']) make(`.bin/${name}/spored`);
  utimesSync(join(instances, '.bin/.new-a'), 1, 1);
  sweepRemains(instances);
  expect(readdirSync(join(instances, '.bin')).sort()).toEqual(['.new-b', 'whole']);
});

test('what was terminated is gone at once, and off the disk soon, also what may not be read', async () => {
  for (const id of ['i-1', 'i-2']) {
    make(`${id}/etc/deep/er/file`);
    mkdirSync(join(instances, id, 'work'), { mode: 0o000 });
    discard(join(instances, id));
    expect(existsSync(join(instances, id))).toBe(false);
  }
  discard(join(instances, 'i-2'));
  await until('an empty directory', () => readdirSync(join(instances, '.gone')).length === 0);
});

test('what a process that was killed had not yet removed goes with the next start', async () => {
  make('.gone/i-1-77-1/tmp/file');
  make('.gone/i-2-77-2/run/cgroup');
  sweepRemains(instances);
  await until('an empty directory', () => readdirSync(join(instances, '.gone')).length === 0);
});
