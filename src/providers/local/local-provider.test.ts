import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../../test/support/until.ts';
import { bootId, childrenOf, identify, isAlive, signalProcess } from '../../client/node/process-identity.ts';
import type { Provider } from '../provider.ts';
import { createLocalProvider } from './local-provider.ts';

let folder: string;
let instancesDir: string;
let provider: Provider;
let exits: string[];

/** An agent with a forker of its own session, which lives on for a moment: as long as the file `hold` is there. */
const AGENT = `
  cd "$1"
  AGENT=$$ setsid sh -c 'echo $$ >forker.$2; while kill -0 $AGENT 2>/dev/null || [ -e hold ]; do sleep 0.01; done' &
  trap 'echo term >>signals.$2' TERM
  echo $$ >agent.$2
  while :; do sleep 0.01; done`;

const open = () =>
  createLocalProvider({
    processes: { identify, isAlive, signal: signalProcess, childrenOf, bootId },
    instancesDir,
    command: (id) => ['/bin/bash', '-c', AGENT.replaceAll('$2', id), 'agent', folder],
    env: { PATH: process.env.PATH },
    logFile: join(folder, 'worker.log'),
    onExit: (id) => exits.push(id),
  });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-local-'));
  instancesDir = join(folder, 'run/instances');
  exits = [];
  provider = open();
});
afterEach(async () => {
  for (const id of await provider.list()) await provider.stop(id, 'kill');
  rmSync(join(folder, 'hold'), { force: true });
  await until('the end of all', () => pids().every((pid) => identify(pid) === undefined));
  rmSync(folder, { recursive: true, force: true });
});

const pids = (): number[] =>
  readdirSync(folder).flatMap((name) =>
    /^(agent|forker)\./.test(name) ? Number(readFileSync(join(folder, name), 'utf8')) : [],
  );

async function startOne(id: string) {
  await provider.start(id);
  const pidOf = (name: string) =>
    until(`${name} of ${id}`, () => {
      const path = join(folder, `${name}.${id}`);
      return existsSync(path) && Number(readFileSync(path, 'utf8'));
    });
  const pid = await pidOf('agent');
  const forkerPid = await pidOf('forker');
  return { instance: id, pid, forkerPid, host: 'here', bootId: bootId() };
}

test('an agent is started in a session of its own and found again by another provider', async () => {
  const place = await startOne('local-1');
  expect(await provider.list()).toEqual(['local-1']);
  expect(await open().list()).toEqual(['local-1']);
  const [, session] = execFileSync('ps', ['-o', 'pid=,sid=', '-p', String(place.pid)], { encoding: 'utf8' })
    .trim()
    .split(/ +/);
  expect(Number(session)).toBe(place.pid);
  expect(statSync(instancesDir).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder, 'worker.log')).mode & 0o777).toBe(0o600);
  expect(await provider.isGone(place)).toBe(false);
});

test('a session is gone only when its agent and its forker are', async () => {
  execFileSync('touch', [join(folder, 'hold')]);
  const place = await startOne('local-1');
  expect(await provider.isGone(place)).toBe(false);
  await provider.stop('local-1', 'kill');
  await until('the end of the agent', () => exits.includes('local-1'));
  expect(identify(place.forkerPid)).toBeDefined();
  expect(await provider.isGone(place)).toBe(false);
  expect(await provider.list()).toEqual([]);
  expect(await open().isGone(place)).toBe(false);
  rmSync(join(folder, 'hold'));
  await until('the end of the forker', () => identify(place.forkerPid) === undefined);
  expect(await provider.isGone(place)).toBe(true);
  expect(await open().isGone(place)).toBe(true);
  expect(await provider.list()).toEqual([]);
  expect(readdirSync(instancesDir)).toEqual([]);
});

test('numbers that now belong to other processes do not keep a session alive', async () => {
  const place = await startOne('local-1');
  expect(await provider.isGone(place)).toBe(false);
  const alien = (pid: number) => ({ pid, startTicks: 1, bootId: bootId() });
  const later = createLocalProvider({
    processes: {
      identify: alien,
      isAlive: ({ startTicks }) => startTicks === 1,
      signal: () => true,
      childrenOf: () => [],
      bootId,
    },
    instancesDir,
    command: () => ['true'],
    env: {},
    logFile: join(folder, 'worker.log'),
  });
  expect(await later.isGone(place)).toBe(true);
});

test('a session of another boot is gone; one that this provider did not start is left to its lease', async () => {
  const dead = { pid: 2 ** 22 + 1, host: 'here', bootId: bootId() };
  expect(await provider.isGone(dead)).toBe(false);
  expect(await provider.isGone({ ...dead, instance: 'ec2-1' })).toBe(false);
  expect(await provider.isGone({ ...dead, instance: 'local-9', pid: process.pid })).toBe(false);
  expect(await provider.isGone({ ...dead, instance: 'local-9', pid: process.pid, bootId: 'before' })).toBe(true);
  expect(await provider.isGone({ ...dead, instance: 'local-9' })).toBe(true);
});

test('drain is one TERM, end is two', async () => {
  await startOne('local-1');
  await provider.stop('local-1', 'drain');
  const signals = () =>
    existsSync(join(folder, 'signals.local-1')) && readFileSync(join(folder, 'signals.local-1'), 'utf8');
  await until('one', () => signals() === 'term\n');
  await provider.stop('local-1', 'end');
  await until('two more', () => signals() === 'term\nterm\nterm\n');
});

test('an agent that cannot be started is an error', async () => {
  const broken = createLocalProvider({
    processes: { identify, isAlive, signal: signalProcess, childrenOf, bootId },
    instancesDir,
    command: () => [join(folder, 'missing')],
    env: {},
    logFile: join(folder, 'worker.log'),
  });
  await expect(broken.start('local-1')).rejects.toMatchObject({ code: 'INTERNAL' });
  expect(await broken.list()).toEqual([]);
});
