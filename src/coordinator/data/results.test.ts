import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../../test/support/ledger-at-hand.ts';
import { TaskResult } from '../../api/results.ts';
import { encodeLogHeader, LOG_HEADER_BYTES, LogStream } from '../../core/log-record.ts';
import { openResults } from '../../objects/directory/results.ts';

const SEGMENT = 65_535 * 65_536 + 1;
const PLAN = 'b'.repeat(64);
const PIECE = 'c'.repeat(64);

let logs: string;
let at: LedgerAtHand;
let worker: WorkerAtHand;
/** What was written into the segment of job 1. */
let written: Buffer[] = [];
const blobs = new Map<string, unknown>();

beforeEach(async () => {
  logs = await mkdtemp(join(tmpdir(), 'results-'));
  written = [];
  blobs.clear();
  at = await LedgerAtHand.open({
    results: openResults(logs),
    blobs: {
      put: () => Promise.reject(new Error('none')),
      get: async (hash) =>
        blobs.has(hash) ? { kind: 'plan', bytes: Buffer.from(JSON.stringify(blobs.get(hash))) } : undefined,
      has: async (_, hash) => blobs.has(hash),
      list: async () => [],
      remove: async () => false,
    },
  });
  worker = await WorkerAtHand.join(at, { resources: { cpus: 64, memoryBytes: 2 ** 40 } });
});

afterEach(() => rm(logs, { recursive: true }));

/** As a worker writes it; gives the columns of its end. */
function write(fence: number, json: object) {
  const data = Buffer.from(JSON.stringify(json));
  const record = Buffer.alloc(LOG_HEADER_BYTES + data.length);
  const header = { stream: LogStream.RESULT, flags: 0, length: data.length, fence, position: 0, attempt: 1, timeMs: 0 };
  encodeLogHeader(header, record);
  data.copy(record, LOG_HEADER_BYTES);
  const resultOffset = written.reduce((sum, { length }) => sum + length, 0);
  written.push(record);
  return { resultSegment: SEGMENT, resultOffset, resultBytes: record.length };
}

async function end(id: number, position: number, json: object | undefined, outcome = 0): Promise<void> {
  const fence = worker.fenceOf(id, position);
  worker.held.delete(fence);
  const none = { resultSegment: 0, resultOffset: 0, resultBytes: 0 };
  const { resultSegment, resultOffset, resultBytes } = json === undefined ? none : write(fence, json);
  await mkdir(join(logs, String(id)), { recursive: true });
  await writeFile(join(logs, String(id), `${worker.sessionId}-65535-1.seg`), Buffer.concat(written));
  await worker.say({
    ends: {
      runs: [[fence, 1]],
      outcome: [outcome],
      resultSegment: [resultSegment],
      resultOffset: [resultOffset],
      resultBytes: [resultBytes],
    },
  });
  await at.ledger.idle();
}

async function results(id: number, query: { from?: number; limit?: number } = {}): Promise<unknown[]> {
  const chunks: Uint8Array[] = [];
  const lines = await at.coordinator.results(CALLER, String(id), { from: 0, ...query }, AbortSignal.timeout(60_000));
  for await (const chunk of lines) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString().trimEnd();
  return text === '' ? [] : text.split('\n').map((line) => TaskResult.parse(JSON.parse(line)));
}

test('every task tells what its last attempt gave, or why it gave nothing, in the order of the array', async () => {
  const id = await at.submit({ array: '3,7-9,20-21', retries: 1 });
  await at.ledger.idle();
  await end(id, 3, { value: 'late' });
  await end(id, 0, { value: 'of an attempt that failed' }, 3);
  await end(id, 0, { value: [1, 'ü'], files: [{ name: 'a', size: 1, sha256: 'x' }] });
  await end(id, 1, undefined);
  await end(id, 2, undefined, 3);
  await end(id, 2, { message: 'bad row' }, 3);
  const all = [
    { index: 3, state: 'completed', attempt: 2, value: [1, 'ü'], files: [{ name: 'a', size: 1, sha256: 'x' }] },
    { index: 7, state: 'completed', attempt: 1 },
    { index: 8, state: 'failed', attempt: 2, missing: 'exit 3', message: 'bad row' },
    { index: 9, state: 'completed', attempt: 1, value: 'late' },
    { index: 20, state: 'leased', attempt: 0, missing: 'not ended' },
    { index: 21, state: 'leased', attempt: 0, missing: 'not ended' },
  ];
  expect(await results(id)).toEqual(all);
  expect(await results(id, { from: 1, limit: 2 })).toEqual(all.slice(1, 3));
  expect(await results(id, { from: 9 })).toEqual([]);
  await at.coordinator.cancel(CALLER, String(id), {});
  await worker.say({ returned: [...worker.held.keys()].map((fence) => [fence, 1]) });
  worker.held.clear();
  await rm(join(logs, String(id)), { recursive: true });
  await at.restart();
  // The cache of the reader has what was read before; another one has not.
  at = await reopened();
  expect((await results(id)).map((line) => (line as TaskResult).missing)).toEqual([
    'its result is not here, or not yet',
    undefined,
    'exit 3',
    'its result is not here, or not yet',
    'cancelled',
    'cancelled',
  ]);
});

async function reopened(): Promise<LedgerAtHand> {
  const other = await LedgerAtHand.open({ results: openResults(logs) });
  other.disk.content = at.disk.content;
  await other.restart();
  return other;
}

test('many of them come in pieces', async () => {
  const id = await at.submit({ array: '0-199999' });
  await at.ledger.idle();
  await end(id, 0, { value: 'x'.repeat(60_000) });
  const found = await results(id, { from: 0, limit: 140_000 });
  expect(found).toHaveLength(140_000);
  expect((found[0] as { value: string }).value).toHaveLength(60_000);
});

test('batches are the tasks of one file each', async () => {
  const id = await at.submit({ input: { type: 'files', from: ['/data'] } });
  await at.ledger.idle();
  await expect(at.coordinator.batches(CALLER, String(id), { after: -1, limit: 10 })).rejects.toThrow(
    'plan of an input',
  );
  blobs.set(PLAN, {
    batchCount: 3,
    batches: [
      { name: 'a', first: 0, parts: 2 },
      { name: 'b', first: 2, parts: 3 },
      { name: 'c', first: 5, parts: 1 },
    ],
  });
  await worker.say({ planned: [{ fence: worker.fenceOf(id - 1, 0), hash: PLAN, parts: 6 }] });
  await worker.end(id - 1, [0]);
  await worker.end(id, [0, 1, 2]);
  const page = await at.coordinator.batches(CALLER, String(id), { after: -1, limit: 2 });
  expect(page).toMatchObject({
    total: 3,
    next: 1,
    batches: [
      { name: 'a', first: 0, parts: 2, counts: { completed: 2, leased: 0 } },
      { name: 'b', first: 2, parts: 3, counts: { completed: 1, leased: 2 } },
    ],
  });
  expect(await at.coordinator.batches(CALLER, String(id), { after: 1, limit: 2 })).toMatchObject({
    batches: [{ name: 'c', counts: { leased: 1 } }],
  });
  blobs.set(PLAN, { batchCount: 3, batchPieces: [PIECE] });
  blobs.set(PIECE, [{ name: 'a', first: 0, parts: 6 }]);
  await expect(at.coordinator.batches(CALLER, String(id), { after: -1, limit: 9 })).rejects.toThrow('no batch 1');
  expect((await at.coordinator.batches(CALLER, String(id), { after: -1, limit: 1 })).batches).toHaveLength(1);
  blobs.delete(PIECE);
  await expect(at.coordinator.batches(CALLER, String(id), { after: 0, limit: 1 })).rejects.toThrow('not stored');
});
