import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../test/support/until.ts';
import { type DataFiles, dataFiles } from '../client/node/data-files.ts';
import { signalProcess } from '../client/node/process-identity.ts';
import { readLiveRecord, readRecord, removeRecord } from '../client/node/process-record.ts';

const program = fileURLToPath(new URL('../../test/support/dummy-server.ts', import.meta.url));
const keeper = fileURLToPath(new URL('./keeper.ts', import.meta.url));

let dataDir: string;
let files: DataFiles;
let started: ChildProcess[];
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'spawn-keeper-'));
  files = dataFiles(dataDir);
  started = [];
});
afterEach(async () => {
  for (const child of started.filter((child) => child.exitCode === null && child.signalCode === null)) {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }
  const server = readLiveRecord(files.server);
  if (server) signalProcess(server, 'SIGKILL');
  rmSync(dataDir, { recursive: true, force: true });
});

function startKeeper(): ChildProcess {
  const args = ['--data-dir', dataDir, '--runtime-dir', dataDir, '--socket', join(dataDir, 's'), '--program', program];
  const child = spawn(process.execPath, [keeper, ...args], { stdio: 'inherit' });
  started.push(child);
  return child;
}

const server = (otherThan?: number) =>
  until('a server', () => {
    const record = readLiveRecord(files.server);
    return record?.pid !== otherThan ? record : undefined;
  });
const log = () => (existsSync(files.serverLog) ? readFileSync(files.serverLog, 'utf8') : '');

test('a server that is killed comes back; one that ends on purpose does not', async () => {
  const kept = startKeeper();
  const first = await server();
  signalProcess(first, 'SIGKILL');
  const second = await server(first.pid);
  expect(log()).toContain('server ended (SIGKILL); starting it again in 0 ms');
  signalProcess(second, 'SIGTERM');
  await once(kept, 'exit');
  expect(kept.exitCode).toBe(0);
  expect(readdirSync(files.runDir)).toEqual([]);
});

test('there is one keeper, and the next takes over a server that runs', async () => {
  const kept = startKeeper();
  const first = await server();
  const second = startKeeper();
  await once(second, 'exit');
  expect(second.exitCode).toBe(0);

  kept.kill('SIGKILL');
  await once(kept, 'exit');
  const third = startKeeper();
  await until('the takeover', () => readRecord(files.keeper)?.pid === third.pid && log().includes('keeping server'));
  expect(readLiveRecord(files.server)).toEqual(first);

  signalProcess(first, 'SIGKILL');
  const again = await server(first.pid);
  third.kill('SIGKILL');
  await once(third, 'exit');

  const fourth = startKeeper();
  await until('the takeover', () => readRecord(files.keeper)?.pid === fourth.pid && log().includes(`${again.pid},`));
  signalProcess(again, 'SIGTERM');
  await once(fourth, 'exit');
  expect(fourth.exitCode).toBe(0);
  expect(log()).not.toContain(`process ${again.pid} is gone`);
});

test('a server that no other start can help is not started again', async () => {
  writeFileSync(join(dataDir, 'exit-code'), '78');
  const kept = startKeeper();
  await once(kept, 'exit');
  expect(kept.exitCode).toBe(78);
  expect(log()).toContain('giving up');
  expect(readdirSync(files.runDir)).toEqual(['failure.json']);
});

test('one that cannot start now is tried again until it can', async () => {
  writeFileSync(join(dataDir, 'exit-code'), '75');
  startKeeper();
  await until('a wait', () => log().includes('exit code 75); starting it again in 100 ms'));
  rmSync(join(dataDir, 'exit-code'));
  await server();
});

test('TERM ends a keeper that waits', async () => {
  writeFileSync(join(dataDir, 'exit-code'), '75');
  const kept = startKeeper();
  await until('a long wait', () => log().includes('starting it again in 800 ms'));
  kept.kill('SIGTERM');
  await once(kept, 'exit');
  expect(kept.exitCode).toBe(0);
});

test('TERM to the keeper ends the server too', async () => {
  const kept = startKeeper();
  await server();
  kept.kill('SIGTERM');
  await once(kept, 'exit');
  expect(kept.exitCode).toBe(0);
  expect(readdirSync(files.runDir)).toEqual([]);
});

test('a record that its server left behind does not keep another from being started', async () => {
  startKeeper();
  const first = await server();
  removeRecord(files.server, first);
  signalProcess(first, 'SIGKILL');
  await server(first.pid);
});
