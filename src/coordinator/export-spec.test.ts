import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import { SpecReply } from '../api/insight.ts';
import { JobSpec, type JobSpecInput } from '../api/job-spec.ts';
import { openBlobs } from '../objects/directory/blobs.ts';

const HOUR = 3_600_000;

let folder: string;
let at: LedgerAtHand;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-blobs-'));
  at = await LedgerAtHand.open({ blobs: await openBlobs(folder) });
});
afterEach(() => rmSync(folder, { recursive: true }));

const exported = async (ref: number | string) => SpecReply.parse(await at.coordinator.spec(CALLER, String(ref)));

/** Exports the job, submits that, and exports it again. */
async function again(id: number): Promise<[first: SpecReply, second: SpecReply]> {
  const first = await exported(id);
  const { job } = await at.coordinator.submit(CALLER, { spec: JobSpec.parse(first.spec) });
  return [first, await exported(job.id)];
}

test('a job that is exported and submitted again is the same but for its number', async () => {
  const waitedFor = await at.submit({ hold: true });
  const env = await at.coordinator.putBlob(CALLER, 'env', Buffer.from('SECRET=1\0'));
  const full: Partial<JobSpecInput> = {
    run: { kind: 'shell', text: 'echo $X' },
    name: 'full',
    array: '0-8:2,40',
    throttle: 3,
    env: { X: '1' },
    envSnapshot: env.hash,
    cpus: 0.5,
    memoryBytes: 2 ** 30,
    gpus: 0.25,
    resources: { licences: 2 },
    timeLimitMs: 5_000,
    retries: 2,
    retryDelayMs: 100,
    retryBackoff: 'exponential',
    retryOn: '1-3',
    maxFailures: 4,
    after: `aftercorr:${waitedFor},singleton`,
    hold: true,
    beginInMs: HOUR,
    deadlineInMs: 2 * HOUR,
    canary: 2,
    priority: -3,
    outputPath: '%x-%a.out',
    inputPath: '%a.in',
    signal: { number: 10, beforeMs: 1_000 },
  };
  const [first, second] = await again(await at.submit(full));
  const { id, ...rest } = second;
  expect(rest).toEqual({ ...rest, ...first, id: undefined });
  expect(id).not.toBe(first.id);
  const { beginInMs: _b, deadlineInMs: _d, ...others } = JobSpec.parse({ cwd: '/', ...full, run: full.run! });
  const { now } = at.clock;
  expect(first.spec).toEqual({ ...others, beginAt: now() + HOUR, deadlineAt: now() + 2 * HOUR });
  expect(JSON.stringify(first)).not.toContain('SECRET');
});

test('names that were derived are told, so that the job keeps its name', async () => {
  const [first, second] = await again(await at.submit({ run: { kind: 'argv', argv: ['/usr/bin/make', 'all'] } }));
  expect(first.spec.name).toBe('make');
  expect(second.spec).toEqual(first.spec);
});

test('what was updated is in it, also when the job has ended and left memory', async () => {
  const other = await at.submit({ hold: true });
  const id = await at.submit({ array: '0-3', after: `afterok:${other}`, maxFailures: 9, memoryBytes: 1_000 });
  await at.coordinator.update(CALLER, String(id), { throttle: 2, maxFailures: null, after: '', deadlineInMs: HOUR });
  await at.coordinator.update(CALLER, String(id), { memoryBytes: 3_000, timeLimitMs: 70_000, priority: 5 });
  await at.coordinator.update(CALLER, `${id}_3`, { memoryBytes: 9_000 });
  const { spec } = await exported(id);
  const deadlineAt = at.clock.now() + HOUR;
  expect(spec).toMatchObject({ throttle: 2, deadlineAt, memoryBytes: 3_000, timeLimitMs: 70_000, priority: 5 });
  expect(spec).not.toHaveProperty('after');
  expect(spec).not.toHaveProperty('maxFailures');
  const worker = await WorkerAtHand.join(at);
  while (worker.held.size > 0) {
    await worker.end(
      id,
      [...worker.held.values()].map(({ position }) => position),
    );
  }
  at.evictAll();
  expect(at.ledger.memory.jobs.has(id)).toBe(false);
  expect((await exported(id)).spec).toEqual(spec);
});

test('times that have passed are left out', async () => {
  const id = await at.submit({ beginInMs: 1_000, deadlineInMs: HOUR, hold: true });
  at.clock.pass(2_000);
  expect((await exported(id)).spec).not.toHaveProperty('beginAt');
  expect((await exported(id)).spec).toHaveProperty('deadlineAt');
});

test.each([
  [20_000, 20_000],
  [0, undefined],
])('a warning fits a time limit that was changed to %i', async (timeLimitMs, beforeMs) => {
  const id = await at.submit({ timeLimitMs: 60_000, signal: { number: 10, beforeMs: 30_000 }, hold: true });
  await at.coordinator.update(CALLER, String(id), { timeLimitMs });
  const [first, second] = await again(id);
  expect(first.spec.signal?.beforeMs).toBe(beforeMs);
  expect({ ...second, id }).toEqual(first);
});

test.each([
  ['text', '#!/bin/sh\necho ü\n', 'utf8', '#!/bin/sh\necho ü\n'],
  ['bytes that are no text', new Uint8Array([0xff, 0xfe, 0]), 'base64', '//4A'],
] as const)('a script comes as %s', async (_name, bytes, encoding, content) => {
  const { hash } = await at.coordinator.putBlob(CALLER, 'script', Buffer.from(bytes as string));
  const id = await at.submit({ run: { kind: 'script', hash, name: 'run.sh', args: ['1'] } });
  const [first, second] = await again(id);
  expect(first.script).toEqual({ encoding, content });
  expect({ ...second, id: first.id }).toEqual(first);
});
