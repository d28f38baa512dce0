import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../../test/support/until.ts';
import { bootId, childrenOf, identify, isAlive, signalProcess } from '../../client/node/process-identity.ts';
import { createAgentProcess } from './agent-process.ts';

const processes = { identify, isAlive, signal: signalProcess, childrenOf, bootId };
let folder: string;
let notes: string[];
let queuedMs: number;
let serving: (ReturnType<typeof identify> & { readonly version: string }) | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-agent-'));
  notes = [];
  queuedMs = 0;
  serving = undefined;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function agent(script: string, version = '1.0.0') {
  return createAgentProcess({
    processes,
    version,
    recordsDir: join(folder, 'agent'),
    command: ['/bin/sh', '-c', script],
    env: { FOLDER: folder },
    logFile: join(folder, 'agent.log'),
    note: (text) => notes.push(text),
    serving: () => serving,
    beatFile: join(folder, 'beat'),
    queuedMs: () => queuedMs,
  });
}

const starts = () => {
  try {
    return readFileSync(join(folder, 'agent.log'), 'utf8').split('\n').length - 1;
  } catch {
    return 0;
  }
};

test('it is started once, and found again by whoever comes later', async () => {
  const first = agent('echo up; exec sleep 100');
  first.ensure(1);
  await until('the start', () => starts() === 1);
  first.ensure(2);
  const second = agent('echo up; exec sleep 100');
  expect(second.alive).toBe(true);
  second.ensure(3);
  expect(starts()).toBe(1);
  second.stop();
  await until('its end', () => !second.alive && !first.alive);
});

test('one that died is started again, at once and then after growing pauses', async () => {
  const short = agent('echo up');
  let now = 1;
  const startsAt: number[] = [];
  for (; startsAt.length < 5 && now < 10_000; now += 50) {
    const before = starts();
    short.ensure(now);
    const started = await until('the end of it', () => (!short.alive ? { count: starts() } : undefined));
    if (started.count > before) startsAt.push(now);
  }
  expect(startsAt).toEqual([1, 51, 251, 651, 1_451]);
  expect(notes).toHaveLength(4);
});

test('one that is killed again and again is soon followed by another', async () => {
  const killed = agent('echo up; kill -KILL $$');
  let longestMs = 0;
  for (let now = 1, last = 1; starts() < 8; now += 50) {
    const before = starts();
    killed.ensure(now);
    await until('its end', () => !killed.alive);
    // What the system says of it comes a moment later.
    await new Promise((resolve) => setImmediate(resolve));
    if (starts() === before) continue;
    longestMs = Math.max(longestMs, now - last);
    last = now;
  }
  expect(longestMs).toBeLessThanOrEqual(800);
});

test('a program that is not there is told', async () => {
  const missing = createAgentProcess({
    processes,
    version: '1.0.0',
    recordsDir: join(folder, 'agent'),
    command: [join(folder, 'no-such-program')],
    env: {},
    logFile: join(folder, 'agent.log'),
    note: (text) => notes.push(text),
    serving: () => serving,
    beatFile: join(folder, 'beat'),
    queuedMs: () => queuedMs,
  });
  missing.ensure(1);
  await until('the note', () => notes.some((text) => text.includes('cannot be started')));
  expect(missing.alive).toBe(false);
});

test('one of another version is followed by one of this, once it has let go', async () => {
  const old = agent('trap "exit 0" TERM; echo up; while :; do sleep 0.05; done', '0.9.0');
  old.ensure(1);
  await until('the start', () => starts() === 1);
  const next = agent('echo up; exec sleep 100');
  next.ensure(2);
  expect(next.alive).toBe(false);
  await until('the end of the old one', () => !old.alive);
  next.ensure(3);
  await until('the next', () => starts() === 2);
  expect(next.alive).toBe(true);
  next.stop();
  await until('its end', () => !next.alive);
});

test('one that a killed server had started and not written down is found by its own word', async () => {
  const child = spawn('sleep', ['100'], { stdio: 'ignore' });
  const found = identify(child.pid!)!;
  serving = { ...found, version: '1.0.0' };
  const same = agent('echo up; exec sleep 100');
  same.ensure(1);
  expect(same.alive).toBe(true);
  // One of another version has to go first.
  const next = agent('echo up; exec sleep 100', '1.0.1');
  expect(next.alive).toBe(false);
  next.ensure(1);
  expect(starts()).toBe(0);
  await until('its end', () => !isAlive(found));
  serving = undefined;
  next.ensure(2);
  await until('the start', () => starts() === 1);
  next.stop();
  await until('the end', () => !next.alive);
});

test('one of another version that stands still is killed after its time', async () => {
  const old = agent('echo up; kill -STOP $$; exec sleep 100', '0.9.0');
  old.ensure(1);
  await until('the start', () => starts() === 1);
  const next = agent('echo up; exec sleep 100');
  let now = 1_000;
  for (; now < 30_000; now += 1_000) next.ensure(now);
  expect(old.alive).toBe(true);
  for (; now < 33_000; now += 1_000) next.ensure(now);
  await until('the end of the old one', () => !old.alive);
  expect(notes).toEqual([expect.stringContaining('did not let go of its instances; it was killed')]);
  next.ensure(now);
  await until('the next', () => starts() === 2);
  next.stop();
  await until('its end', () => !next.alive);
});

test('one that gives no sign of life is killed and followed by another; time in which nobody looked does not count', async () => {
  const silent = agent('echo up; exec sleep 100');
  silent.ensure(0);
  await until('the start', () => starts() === 1);
  let now = 0;
  const look = (times: number, stepMs: number) => {
    for (let time = 0; time < times; time++) {
      now += stepMs;
      silent.ensure(now);
    }
  };
  look(59, 1_000);
  // It was well once more.
  utimesSync(join(folder, 'beat'), 7, 7);
  look(58, 1_000);
  // The machine slept: for hours, and each time for a moment only.
  look(1, 3_600_000);
  expect(silent.alive).toBe(true);
  // One look more would start the next as soon as this one is dead.
  look(1, 1_000);
  await until('its end', () => !silent.alive);
  expect(notes).toEqual([expect.stringContaining('no sign of life for 60 s')]);
  look(1, 1_000);
  await until('the next', () => starts() === 2);
  look(59, 1_000);
  expect(silent.alive).toBe(true);
  silent.stop();
  await until('the last end', () => !silent.alive);
});

test('one that waits for a processor is not taken for one that stands still', async () => {
  const starved = agent('echo up; exec sleep 100');
  starved.ensure(0);
  await until('the start', () => starts() === 1);
  let now = 0;
  const look = (times: number, waitsMs: number) => {
    for (let time = 0; time < times; time++) {
      now += 1_000;
      queuedMs += waitsMs;
      starved.ensure(now);
    }
  };
  look(300, 1_000);
  look(60, 500);
  expect(starved.alive).toBe(true);
  look(30, 0);
  await until('its end', () => !starved.alive);
});
