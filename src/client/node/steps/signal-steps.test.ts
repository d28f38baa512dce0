import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { identify, type ProcessIdentity } from '../process-identity.ts';
import { type RankEnd, RankProcesses } from './rank-processes.ts';
import { signalSteps } from './signal-steps.ts';
import { makeStepFolder, writeRecord } from './step-folder.ts';

const { SIGUSR1, SIGKILL } = constants.signals;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signals-'));
  makeStepFolder(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A shell that says how it went on, of an attempt. */
function rankOf(fence: number) {
  const heard = Promise.withResolvers<string>();
  const ready = Promise.withResolvers<void>();
  const end = Promise.withResolvers<RankEnd>();
  let text = '';
  const processes = new RankProcesses({
    onOutput: (_, __, bytes) => {
      text += Buffer.from(bytes).toString();
      if (text.includes('ready')) ready.resolve();
      if (text.includes('heard')) heard.resolve(text);
      return true;
    },
    onEnd: (_, how) => end.resolve(how),
    onFailed: () => {},
  });
  const argv = ['/bin/sh', '-c', 'trap "echo heard; exit 5" USR1; echo ready; sleep 60 & wait'];
  const env = { PATH: process.env.PATH!, SPAWN_FENCE: String(fence) };
  const streams = { stdin: 'ignore', stdout: 'pipe', stderr: 'ignore' } as const;
  const ranks = processes.start([{ rank: 0, argv, env, cwd: '/', alone: true, ...streams }]);
  return { processes, ranks, ready: ready.promise, heard: heard.promise, end: end.promise };
}

const record = (ranks: readonly ProcessIdentity[]) =>
  writeRecord(folder, 0, { owner: identify(process.pid)!, cpus: {}, ranks });

test('what runs of the steps of an attempt gets the signal, with all it has started', async () => {
  const rank = rankOf(7);
  await rank.ready;
  record(rank.ranks);
  expect(signalSteps(folder, 7, SIGUSR1)).toBe(1);
  expect(await rank.heard).toContain('heard');
  expect(await rank.end).toEqual({ code: 5 });
  await rank.processes.over;
  expect(signalSteps(folder, 7, SIGUSR1)).toBe(0);
});

test('a process of another attempt does not, whatever the file says', async () => {
  const rank = rankOf(8);
  await rank.ready;
  record([...rank.ranks, { pid: process.pid, startTicks: 1, bootId: '' }]);
  expect(signalSteps(folder, 7, SIGKILL)).toBe(0);
  expect(signalSteps(folder, 8, SIGKILL)).toBe(1);
  expect(await rank.end).toEqual({ signal: SIGKILL });
  await rank.processes.over;
});
