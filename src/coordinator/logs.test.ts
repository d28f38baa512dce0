import { appendFileSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LogQuery } from '../../src/api/job.ts';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import { logBytes } from '../../test/support/log-bytes.ts';
import type { MemoryStoreHooks } from '../../test/support/memory-store.ts';
import { showRecords } from '../../test/support/segment-files.ts';
import { until } from '../../test/support/until.ts';
import { parseLogRecords } from '../core/log-record.ts';
import { openSegments } from '../objects/directory/segments.ts';

const SEGMENT = 65_536 + 1;

let logs: string;
let hooks: MemoryStoreHooks;
let at: LedgerAtHand;
let worker: WorkerAtHand;

beforeEach(async () => {
  logs = mkdtempSync(join(tmpdir(), 'spawn-logs-'));
  hooks = {};
  at = await LedgerAtHand.open({ hooks, logs: openSegments(logs, { pollMs: { first: 1, most: 4 } }) });
  worker = await WorkerAtHand.join(at);
});
afterEach(() => rmSync(logs, { recursive: true }));

function fileOf(job: number): string {
  return join(logs, String(job), `${worker.sessionId}-1-1.seg`);
}

function size(job: number): number {
  return statSync(fileOf(job), { throwIfNoEntry: false })?.size ?? 0;
}

/** The task writes a line. */
function print(job: number, position: number, data: string): void {
  mkdirSync(join(logs, String(job)), { recursive: true });
  appendFileSync(fileOf(job), logBytes({ position, data, fence: worker.fenceOf(job, position) }));
}

async function start(job: number, position: number): Promise<void> {
  await worker.say({
    starts: { fences: [worker.fenceOf(job, position)], logSegment: [SEGMENT], logOffset: [size(job)] },
  });
}

/** Reports an end, together with the start when none was reported. */
async function end(job: number, position: number, outcome = 0, from = 0): Promise<void> {
  const fence = worker.fenceOf(job, position);
  worker.held.delete(fence);
  await worker.say({
    ends: {
      runs: [[fence, 1]],
      outcome: [outcome],
      logSegment: [SEGMENT],
      logOffset: [from],
      logEndSegment: [SEGMENT],
      logEndOffset: [size(job)],
    },
  });
  await at.ledger.idle();
}

const QUERY: LogQuery = { stream: 'both', follow: false };

async function read(ref: string, query: Partial<LogQuery> = {}): Promise<string[]> {
  const chunks = await at.coordinator.logs(CALLER, ref, { ...QUERY, ...query }, new AbortController().signal);
  const texts: string[] = [];
  for await (const chunk of chunks) texts.push(...showRecords(parseLogRecords(chunk).records));
  return texts;
}

/** Follows until the log ends by itself or is given up. */
async function follow(ref: string, signal = new AbortController().signal, query: Partial<LogQuery> = {}) {
  const chunks = await at.coordinator.logs(CALLER, ref, { ...QUERY, ...query, follow: true }, signal);
  const texts: string[] = [];
  const over = (async () => {
    for await (const chunk of chunks) texts.push(...showRecords(parseLogRecords(chunk).records));
    return texts;
  })();
  return { texts, over };
}

describe('reading', () => {
  test('gives the last attempt of each task in the order of the tasks, or the attempt asked for', async () => {
    const id = await at.submit({ array: '5-6', retries: 1 });
    print(id, 1, 'b');
    await end(id, 1);
    const from = size(id);
    print(id, 0, 'first');
    await end(id, 0, 3, from);
    const again = size(id);
    print(id, 0, 'second');
    await end(id, 0, 0, again);
    expect(await read(String(id))).toEqual(['o:second', 'o:b']);
    expect(await read(`${id}_5`, { attempt: 1 })).toEqual(['o:first']);
    expect(await read(String(id), { index: '6' })).toEqual(['o:b']);
    at.evictAll();
    expect(await read(String(id))).toEqual(['o:second', 'o:b']);
    await expect(read(`${id}_7`)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
  });

  test('gives what running tasks have written so far after what has ended', async () => {
    const id = await at.submit({ array: '0-1' });
    await start(id, 0);
    print(id, 0, 'so far');
    const from = size(id);
    print(id, 1, 'ended');
    await end(id, 1, 0, from);
    expect(await read(String(id))).toEqual(['o:ended', 'o:so far']);
  });

  test('gives what a lost attempt wrote, and says that there may be more', async () => {
    const id = await at.submit({ crashLimit: 1 });
    await start(id, 0);
    print(id, 0, 'last seen');
    await at.coordinator.loseSession(worker.sessionId, 'a test');
    expect(await read(String(id))).toEqual([
      'o:last seen',
      'n:log incomplete: the end of this attempt was not reported',
    ]);
  });

  test('waits for an end that is on its way to the store', async () => {
    const id = await at.submit();
    print(id, 0, 'last words');
    let letThrough: (() => void) | undefined;
    hooks.beforeCommit = () =>
      new Promise((resolve) => {
        letThrough = () => resolve('ok');
      });
    const ended = end(id, 0);
    await until('the commit under way', () => letThrough !== undefined);
    expect(at.job(id).finished).toBe(true);
    const texts = read(String(id));
    hooks.beforeCommit = () => 'ok';
    letThrough!();
    await ended;
    expect(await texts).toEqual(['o:last words']);
  });
});

describe('following', () => {
  test('gives what is written, ends with the tasks, and gives those too that were too short to be seen', async () => {
    const id = await at.submit({ array: '0-2' });
    const { texts, over } = await follow(String(id));
    await start(id, 0);
    print(id, 0, 'one');
    await until('one', () => texts.length === 1);
    const from = size(id);
    print(id, 1, 'short');
    await end(id, 1, 0, from);
    await until('the short one', () => texts.length === 2);
    print(id, 0, 'two');
    await end(id, 0);
    const last = size(id);
    print(id, 2, 'last');
    await end(id, 2, 0, last);
    expect((await over).toSorted()).toEqual(['o:last', 'o:one', 'o:short', 'o:two']);
  });

  test('goes on with the next attempt', async () => {
    const id = await at.submit({ retries: 1 });
    const { texts, over } = await follow(String(id));
    await start(id, 0);
    print(id, 0, 'first');
    await end(id, 0, 3);
    await until('the first', () => texts.length === 1);
    await start(id, 0);
    print(id, 0, 'second');
    await end(id, 0);
    expect(await over).toEqual(['o:first', 'o:second']);
  });

  test('with a tail leaves out the attempts before the one that runs', async () => {
    const id = await at.submit({ retries: 1 });
    print(id, 0, 'first');
    await end(id, 0, 3);
    const from = size(id);
    await start(id, 0);
    print(id, 0, 'second');
    const [all, tail] = [await follow(String(id)), await follow(String(id), undefined, { tail: 5 })];
    await until('what is there', () => all.texts.length === 2 && tail.texts.length === 1);
    await end(id, 0, 0, from);
    expect([(await all.over).toSorted(), await tail.over]).toEqual([['o:first', 'o:second'], ['o:second']]);
  });

  test('by two readers gives both everything and nothing else', async () => {
    const id = await at.submit();
    await start(id, 0);
    const readers = [await follow(String(id)), await follow(String(id))];
    print(id, 0, 'all');
    await until('both', () => readers.every(({ texts }) => texts.length === 1));
    await end(id, 0);
    expect(await Promise.all(readers.map(({ over }) => over))).toEqual([['o:all'], ['o:all']]);
    expect(at.ledger.watchers.watched(id)).toBe(false);
  });

  test('does not end before the last end is durable', async () => {
    const id = await at.submit();
    const { over } = await follow(String(id));
    // The start becomes durable, and its followers look, when the end is in memory already.
    print(id, 0, 'quick');
    const started = start(id, 0);
    const ended = end(id, 0);
    await Promise.all([started, ended]);
    expect(await over).toEqual(['o:quick']);
  });

  test('says of a lost attempt that its end was not reported', async () => {
    const id = await at.submit({ crashLimit: 1 });
    await start(id, 0);
    const { texts, over } = await follow(String(id));
    print(id, 0, 'before');
    await until('the first', () => texts.length === 1);
    await at.coordinator.loseSession(worker.sessionId, 'a test');
    expect(await over).toEqual(['o:before', 'n:log incomplete: the end of this attempt was not reported']);
  });

  test('leaves nothing behind when the reader goes', async () => {
    const id = await at.submit();
    await start(id, 0);
    const gone = new AbortController();
    const { texts, over } = await follow(String(id), gone.signal);
    for (let i = 0; i < 20; i++) print(id, 0, `line ${i}`);
    await until('all', () => texts.length === 20);
    gone.abort();
    await over;
    expect(at.ledger.watchers.watched(id)).toBe(false);
  });
});
