import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../../test/support/ledger-at-hand.ts';
import { until } from '../../../test/support/until.ts';
import { openCheckpoints } from '../../objects/directory/checkpoints.ts';

let folder: string;
let at: LedgerAtHand;
let worker: WorkerAtHand;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'checkpoints-'));
  at = await LedgerAtHand.open({ checkpoints: await openCheckpoints(folder) });
  worker = await WorkerAtHand.join(at);
});

afterEach(() => rm(folder, { recursive: true }));

const put = (fence: number, text: string, session = worker.sessionId) =>
  at.coordinator.putCheckpoint(CALLER, session, fence, Readable.from([Buffer.from(text)]));

async function get(fence: number): Promise<string> {
  const { chunks } = await at.coordinator.checkpoint(CALLER, worker.sessionId, fence);
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all).toString();
}

test('an attempt goes on with what the one before it put, also after a restart, until the task completes', async () => {
  const id = await at.submit({ array: '0-1', retries: 3 });
  await at.ledger.idle();
  const first = worker.fenceOf(id, 0);
  await expect(get(first)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  await put(first, 'half');
  await put(first, 'more');
  await worker.end(id, [0], 1);
  await expect(put(first, 'late')).rejects.toMatchObject({ code: 'FENCE_STALE' });
  await expect(get(first)).rejects.toMatchObject({ code: 'FENCE_STALE' });
  expect(await get(worker.fenceOf(id, 0))).toBe('more');
  await at.restart();
  expect(await get(worker.fenceOf(id, 0))).toBe('more');
  await expect(put(worker.fenceOf(id, 0), 'x', 99)).rejects.toMatchObject({ code: 'SESSION_UNKNOWN' });
  const second = worker.fenceOf(id, 0);
  await worker.end(id, [0]);
  const left = async () => (await openCheckpoints(folder)).positions(id).size;
  await until('it to be dropped', async () => (await left()) === 0);
  expect(at.states(id)[0]).toBe('completed');
  await expect(get(second)).rejects.toMatchObject({ code: 'FENCE_STALE' });
});

test('one that arrives while its attempt ends is not taken', async () => {
  const id = await at.submit({ retries: 1 });
  await at.ledger.idle();
  const fence = worker.fenceOf(id, 0);
  await put(fence, 'before');
  let go = () => {};
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  const slow = (async function* () {
    yield Buffer.from('from an attempt ');
    await gate;
    yield Buffer.from('that is over');
  })();
  const putting = at.coordinator.putCheckpoint(CALLER, worker.sessionId, fence, slow);
  await worker.end(id, [0], 1);
  go();
  await expect(putting).rejects.toMatchObject({ code: 'FENCE_STALE' });
  expect(await get(worker.fenceOf(id, 0))).toBe('before');
});
