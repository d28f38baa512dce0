import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { until } from '../../../test/support/until.ts';
import { bootId, childrenOf, identify, isAlive, parseStat, queuedMs, signalProcess } from './process-identity.ts';

const onLinux = test.skipIf(process.platform !== 'linux');

test('a process sees itself', () => {
  const own = identify(process.pid)!;
  expect(own.pid).toBe(process.pid);
  expect(isAlive(own)).toBe(true);
});

test.each([0, -1, 1.5, Number.NaN, 2 ** 22 + 1])('%d is no process', (pid) => {
  expect(identify(pid)).toBeUndefined();
});

test('one that was killed is not alive, and is not signalled', async () => {
  const child = spawn('sleep', ['100']);
  await once(child, 'spawn');
  const identity = identify(child.pid!)!;
  expect(isAlive(identity)).toBe(true);
  expect(signalProcess(identity, 'SIGKILL')).toBe(true);
  await once(child, 'exit');
  expect(isAlive(identity)).toBe(false);
  expect(signalProcess(identity, 'SIGKILL')).toBe(false);
});

onLinux('how long a process has waited for a processor never gets less; of none it is not known', () => {
  const first = queuedMs(process.pid)!;
  expect(first).toBeGreaterThanOrEqual(0);
  expect(queuedMs(process.pid)).toBeGreaterThanOrEqual(first);
  expect(queuedMs(0)).toBeUndefined();
});

onLinux('the same number with another start, or of another boot, is another process', () => {
  const own = identify(process.pid)!;
  expect(own.startTicks).toBeGreaterThan(0);
  expect(isAlive({ ...own, startTicks: own.startTicks - 1 })).toBe(false);
  expect(isAlive({ ...own, bootId: 'another' })).toBe(false);
  expect(own.bootId).toBe(bootId());
});

onLinux('the remains of a process that nobody waited for do not live', async () => {
  // The shell becomes a program that does not wait for the child it had, before that ends.
  const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 100'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(parent.stdout.setEncoding('utf8'), 'data');
  const pid = Number(line);
  await until('a zombie', () => parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8')).state === 'Z');
  expect(identify(pid)).toBeUndefined();
  parent.kill('SIGKILL');
  await once(parent, 'exit');
});

onLinux('children are those that live', async () => {
  const parent = spawn('sh', ['-c', 'true & sleep 100 & echo $!; exec sleep 100'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(parent.stdout.setEncoding('utf8'), 'data');
  const child = identify(Number(line))!;
  await until('one child', () => childrenOf(parent.pid!).length === 1);
  expect(childrenOf(parent.pid!)).toEqual([child]);
  signalProcess(child, 'SIGKILL');
  await until('no child', () => childrenOf(parent.pid!).length === 0);
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  expect(childrenOf(parent.pid!)).toEqual([]);
});

test('a program name with blanks and parentheses does not shift the fields', () => {
  const fields = `S ${Array.from({ length: 18 }, (_, i) => i).join(' ')} 4711 99`;
  expect(parseStat(`12 (a) b (c) S) ${fields}`)).toEqual({ state: 'S', startTicks: 4711 });
});
