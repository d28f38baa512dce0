import { beforeAll, expect, test } from 'vitest';
import { LedgerAtHand } from '../../test/support/ledger-at-hand.ts';
import type { JobSpecInput } from '../api/job-spec.ts';

let at: LedgerAtHand;

beforeAll(async () => {
  at = await LedgerAtHand.open();
});

const FILES = { type: 'files' as const, from: ['/data'] };
const KILL = { number: 9, beforeMs: 1_000 };

test.each<[Partial<JobSpecInput>, string]>([
  [{ retryBackoff: 'exponential' }, 'spec.retryDelayMs: expected more than 0 with exponential backoff, found 0'],
  [{ retryJitter: 0.1 }, 'spec.retryDelayMs: expected more than 0 with retryJitter, found 0'],
  [
    { retryBackoff: 'exponential', retryDelayMs: 7_200_000 },
    'spec.retryMaxDelayMs: expected at least retryDelayMs (7200000), found 3600000',
  ],
  [{ retryOn: '3' }, 'spec.retries: expected at least 1 with retryOn, found 0'],
  [{ noRetryOn: '3' }, 'spec.retries: expected at least 1 with noRetryOn, found 0'],
  [
    { retries: 1, retryOn: '3,lost' },
    'spec.retryOn: filter, column 3: expected an exit code (1 to 255), a signal as SIGKILL, exit=, signal=, cause=, or one of exit, signal, oom, time-limit or stalled (lost, preempted and cancelled are no failures), found "lost"\n  3,lost\n    ^',
  ],
  [
    { retries: 1, noRetryOn: '300' },
    'spec.noRetryOn: filter, column 1: expected an exit code (1 to 255), found "300"\n  300\n  ^',
  ],
  [{ signal: KILL }, 'spec.signal: expected a time limit, before which it is sent, found "none"'],
  [{ signal: KILL, timeLimitMs: 999 }, 'spec.signal.beforeMs: expected at most the time limit (999), found 1000'],
  [{ beginAt: 5, beginInMs: 5 }, 'spec.beginAt, spec.beginInMs: expected one of the two, found "both"'],
  [{ deadlineAt: 5, deadlineInMs: 5 }, 'spec.deadlineAt, spec.deadlineInMs: expected one of the two, found "both"'],
  [
    { outputPath: '%A_%i' },
    'spec.outputPath: expected %A %a %j %J %x %u %N %b %n %t %s or %%, with a width of 1 to 10 before the letter (%4a), found "%i"',
  ],
  [
    { stage: 'a'.repeat(64), outputPath: '/x/%a', errorPath: 'logs/%a' },
    'spec.errorPath: expected an absolute path with stage (tasks run in a copy of the directory, which goes with the job), found "logs/%a"',
  ],
  [{ input: FILES, array: '0-3' }, 'spec.array: expected none with input: the parts are the array, found "0-3"'],
  [{ input: FILES, inputPath: '/x' }, 'spec.inputPath: expected none with input: tasks read their part, found "/x"'],
  [
    { output: {}, gang: { tasks: 2, cpusPerTask: 1 }, cpus: 2 },
    'spec.output: expected none of it with a gang, found "output"',
  ],
  [{ pack: 3 }, 'spec.pack: expected 0, found 3'],
  [{ errorPath: '%' }, expect.stringMatching(/^spec.errorPath: .*, found "%"$/)],
])('refuses %j', async (spec, message) => {
  await expect(at.submit(spec)).rejects.toThrow(expect.objectContaining({ message }));
  expect(at.ledger.memory.jobs.size).toBe(0);
});

test.each<Partial<JobSpecInput>>([
  { retryBackoff: 'exponential', retryDelayMs: 1_000 },
  { retryDelayMs: 7_200_000 },
  { retries: 1, retryOn: 'exit!=3,SIGKILL', noRetryOn: '4-9' },
  { signal: KILL, timeLimitMs: 1_000 },
  { canary: 10_000 },
  { outputPath: '%x-%A_%4a', errorPath: '\\%i', inputPath: 'in/%a' },
])('accepts %j', async (spec) => {
  const other = await LedgerAtHand.open();
  expect(await other.submit(spec)).toBe(1);
});
