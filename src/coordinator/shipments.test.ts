import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import { logBytes } from '../../test/support/log-bytes.ts';
import { showRecords } from '../../test/support/segment-files.ts';
import type { LogQuery } from '../api/job.ts';
import { parseLogRecords } from '../core/log-record.ts';
import { openSegmentCopies } from '../objects/directory/segment-copies.ts';
import { openSegments } from '../objects/directory/segments.ts';

const SEGMENT = 65_536 + 1;
const ELSEWHERE = { ...CALLER, sameHost: false };

let logs: string;
let at: LedgerAtHand;
let worker: WorkerAtHand;

beforeEach(async () => {
  logs = mkdtempSync(join(tmpdir(), 'spawn-shipments-'));
  at = await LedgerAtHand.open({
    logs: openSegments(logs, { pollMs: { first: 1, most: 4 } }),
    copies: openSegmentCopies(logs),
  });
  worker = await WorkerAtHand.join(at, {}, ELSEWHERE);
});
afterEach(() => rmSync(logs, { recursive: true }));

/** A job whose only task has ended; what it wrote is given, and not yet shipped. */
async function ended(): Promise<{ job: number; bytes: Uint8Array }> {
  const job = await at.submit();
  await at.ledger.idle();
  const fence = worker.fenceOf(job, 0);
  const bytes = logBytes({ position: 0, data: 'late', fence });
  worker.held.delete(fence);
  await worker.say({
    ends: {
      runs: [[fence, 1]],
      logSegment: [SEGMENT],
      logEndSegment: [SEGMENT],
      logEndOffset: [bytes.length],
      outBytes: [4],
    },
  });
  await at.ledger.idle();
  return { job, bytes };
}

async function read(job: number, query: Partial<LogQuery> = {}): Promise<string[]> {
  const chunks: Uint8Array[] = [];
  const signal = new AbortController().signal;
  for await (const chunk of await at.coordinator.logs(
    CALLER,
    `${job}`,
    { stream: 'both', follow: false, ...query },
    signal,
  ))
    chunks.push(chunk);
  return showRecords(parseLogRecords(Buffer.concat(chunks)).records);
}

test.each([{}, { follow: true }, { tail: 1 }])('the reader of %j waits for what is on its way', async (query) => {
  const { job, bytes } = await ended();
  const reading = read(job, query);
  await at.coordinator.putLog(ELSEWHERE, worker.sessionId, job, SEGMENT, 0, bytes.subarray(0, 9));
  await at.coordinator.putLog(ELSEWHERE, worker.sessionId, job, SEGMENT, 9, bytes.subarray(9));
  expect(await reading).toEqual(await read(job));
  expect((await reading).join()).toContain('late');
});

test('who followed a task gets its last words when they come', async () => {
  const job = await at.submit();
  await at.ledger.idle();
  const fence = worker.fenceOf(job, 0);
  const bytes = logBytes({ position: 0, data: 'late', fence });
  await worker.say({ starts: { fences: [fence], logSegment: [SEGMENT], logOffset: [0] } });
  const reading = read(job, { follow: true });
  worker.held.delete(fence);
  await worker.say({
    ends: {
      runs: [[fence, 1]],
      logSegment: [SEGMENT],
      logEndSegment: [SEGMENT],
      logEndOffset: [bytes.length],
      outBytes: [4],
    },
  });
  await at.ledger.idle();
  await at.coordinator.putLog(ELSEWHERE, worker.sessionId, job, SEGMENT, 0, bytes);
  const lines = await reading;
  expect(lines.join()).toContain('late');
  expect(lines.join()).not.toContain('incomplete');
});

test('what a living worker has not shipped in time is called so; what a dead one has not is missing', async () => {
  const { job } = await ended();
  expect((await read(job)).join()).toContain('log incomplete: 4 bytes are still being shipped by the worker');
  await at.coordinator.bye(CALLER, worker.sessionId);
  expect((await read(job)).join()).toContain('log incomplete: 4 bytes are missing');
}, 20_000);

test('a piece of a job that is brought back just then is taken, and one of a job that never was is not', async () => {
  const { job, bytes } = await ended();
  at.evictAll();
  const { store } = at.ledger.ports;
  const find = store.findJobs;
  store.findJobs = async (query) => {
    store.findJobs = find;
    await at.coordinator.requeue(CALLER, `${job}`, {});
    return await find.call(store, query);
  };
  const put = (id: number) => at.coordinator.putLog(ELSEWHERE, worker.sessionId, id, SEGMENT, 0, bytes);
  expect(await put(job)).toEqual({ size: bytes.length });
  await expect(put(job + 1)).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
});
