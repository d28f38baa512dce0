import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { identify } from './process-identity.ts';
import {
  type ProcessRecord,
  readLiveRecord,
  readRecord,
  removeRecord,
  takePlace,
  writeRecord,
} from './process-record.ts';

let folder: string;
let place: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-record-'));
  place = join(folder, 'run/keeper.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const own: ProcessRecord = { ...identify(process.pid)!, version: '1', socketPath: '/s' };
const dead: ProcessRecord = { ...own, startTicks: own.startTicks - 1 };

test('a free place is taken, and given back', () => {
  expect(takePlace(place, own)).toBeUndefined();
  expect(readLiveRecord(place)).toEqual(own);
  removeRecord(place, dead);
  expect(readRecord(place)).toEqual(own);
  removeRecord(place, own);
  expect(readRecord(place)).toBeUndefined();
  expect(readdirSync(join(folder, 'run'))).toEqual([]);
});

test('the place of a living process is not taken', async () => {
  const child = spawn('sleep', ['100']);
  await once(child, 'spawn');
  const holder = { ...own, ...identify(child.pid!)! };
  writeRecord(place, holder);
  expect(takePlace(place, own)).toEqual(holder);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(takePlace(place, own)).toBeUndefined();
  expect(readRecord(place)).toEqual(own);
  expect(readdirSync(join(folder, 'run'))).toEqual(['keeper.json']);
});

test.each([
  ['empty', ''],
  ['cut', '{"pid":'],
  ['of another kind', '[]'],
])('a record that is %s holds nothing', (_, text) => {
  writeRecord(place, dead);
  writeFileSync(place, text);
  expect(readRecord(place)).toBeUndefined();
  expect(takePlace(place, own)).toBeUndefined();
  expect(readRecord(place)).toEqual(own);
});

test('of many that find a dead holder, one takes the place', async () => {
  writeRecord(place, dead);
  const module = (name: string) => JSON.stringify(fileURLToPath(new URL(name, import.meta.url)));
  const program = `
    import { takePlace } from ${module('./process-record.ts')};
    import { identify } from ${module('./process-identity.ts')};
    const own = { ...identify(process.pid), version: '1', socketPath: '' };
    console.log('ready');
    process.stdin.once('data', () => console.log(takePlace(process.argv[1], own) ? 'held' : 'taken'));
    process.stdin.resume();`;
  const children = Array.from({ length: 6 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', program, place], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  const say = async (child: ChildProcess): Promise<string> => {
    const [text] = await once(child.stdout!, 'data');
    return String(text).trim();
  };
  expect(new Set(await Promise.all(children.map(say)))).toEqual(new Set(['ready']));
  const said = Promise.all(children.map(say));
  for (const child of children) child.stdin.write('go\n');
  expect((await said).toSorted()).toEqual(['held', 'held', 'held', 'held', 'held', 'taken']);
  const ended = Promise.all(children.map((child) => once(child, 'exit')));
  for (const child of children) child.stdin.end();
  await ended;
});
