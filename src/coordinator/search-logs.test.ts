import { appendFileSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { clientOf } from '../../test/support/client-on-socket.ts';
import { LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import { logBytes } from '../../test/support/log-bytes.ts';
import { showRecords } from '../../test/support/segment-files.ts';
import type { SpawnClient } from '../client/client.ts';
import { LogStream, parseLogRecords } from '../core/log-record.ts';
import { encodeOutcome } from '../core/outcome.ts';
import { openSegments } from '../objects/directory/segments.ts';
import { createServer, type Server } from '../server/server.ts';

const SEGMENT = 65_536 + 1;
const FAILED = encodeOutcome({ kind: 'exited', code: 3 });

let logs: string;
let at: LedgerAtHand;
let worker: WorkerAtHand;
let server: Server;
let client: SpawnClient;

beforeEach(async () => {
  logs = mkdtempSync(join(tmpdir(), 'spawn-logs-'));
  const search = { threads: 1, budgetMs: 500 };
  at = await LedgerAtHand.open({ logs: openSegments(logs, { pollMs: { first: 1, most: 4 }, search }) });
  worker = await WorkerAtHand.join(at);
  server = await createServer(at.coordinator, { version: 'test', timing: { closeGraceMs: 200 } });
  await server.listenUnix(join(logs, 'socket'));
  client = clientOf(join(logs, 'socket'));
});
afterEach(async () => {
  await server.close();
  rmSync(logs, { recursive: true });
});

const fileOf = (job: number) => join(logs, String(job), `${worker.sessionId}-1-1.seg`);
const size = (job: number) => statSync(fileOf(job), { throwIfNoEntry: false })?.size ?? 0;

/** The task writes, and ends. */
async function run(job: number, position: number, data: string, outcome = 0, stream: LogStream = LogStream.STDOUT) {
  const from = size(job);
  const fence = worker.fenceOf(job, position);
  mkdirSync(join(logs, String(job)), { recursive: true });
  appendFileSync(fileOf(job), logBytes({ position, data, fence, stream }));
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

async function grep(ref: string, query: Parameters<SpawnClient['grep']>[1]): Promise<string[]> {
  const found = await Array.fromAsync(client.grep(ref, query));
  return found.map(({ index, attempt, stream, text }) => `${index}.${attempt} ${stream} ${text}`);
}

async function read(ref: string, query: Parameters<SpawnClient['logs']>[1]): Promise<string[]> {
  const chunks = await Array.fromAsync(client.logs(ref, query));
  return showRecords(parseLogRecords(Buffer.concat(chunks)).records);
}

describe('a search through the server', () => {
  test('finds lines of the last attempts of the selected tasks, by their index', async () => {
    const id = await at.submit({ array: '5-7', retries: 1 });
    await run(id, 0, 'error: first try\n', FAILED);
    await run(id, 0, 'error: second try\nfine\n', FAILED);
    await run(id, 1, 'Error: é\n', 0, LogStream.STDERR);
    await run(id, 2, 'no line end, error');
    const all = ['5.2 out error: second try', '6.1 err Error: é', '7.1 out no line end, error'];
    expect((await grep(String(id), { pattern: 'error', ignoreCase: '1' })).toSorted()).toEqual(all);
    expect(await grep(String(id), { pattern: 'error' })).toHaveLength(2);
    expect(await grep(`${id}_6`, { pattern: 'ERROR', ignoreCase: '1' })).toEqual([all[1]]);
    expect(await grep(String(id), { pattern: 'error', index: '7' })).toEqual([all[2]]);
    expect(await grep(String(id), { pattern: '.', state: 'failed' })).toEqual([all[0], '5.2 out fine']);
    expect(await grep(String(id), { pattern: '.', stream: 'err' })).toEqual([all[1]]);
    expect(await grep(String(id), { pattern: '.', limit: 2 })).toHaveLength(2);
    expect(await grep(String(id), { pattern: '.', state: 'running,skipped' })).toEqual([]);
    at.evictAll();
    expect(await grep(String(id), { pattern: 'error' })).toHaveLength(2);
  });

  test('finds what a running task has written so far', async () => {
    const id = await at.submit();
    const fence = worker.fenceOf(id, 0);
    await worker.say({ starts: { fences: [fence], logSegment: [SEGMENT], logOffset: [0] } });
    mkdirSync(join(logs, String(id)));
    appendFileSync(fileOf(id), logBytes({ data: 'so far\nso fa', fence }));
    expect(await grep(String(id), { pattern: 'so' })).toEqual(['0.1 out so far', '0.1 out so fa']);
  });

  test.each([
    ['(', 'pattern: expected a regular expression of JavaScript with flag v (Unterminated group), found "("'],
    [
      '[a',
      'pattern: expected a regular expression of JavaScript with flag v (Unterminated character class), found "[a"',
    ],
  ])('refuses %s, which is no pattern', async (pattern, message) => {
    const id = await at.submit();
    await expect(grep(String(id), { pattern })).rejects.toMatchObject({ code: 'BAD_REQUEST', message });
  });

  test('refuses a state that is none, and a task that is none', async () => {
    const id = await at.submit({ array: '0-1' });
    await expect(grep(String(id), { pattern: 'a', state: 'lost' })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    await expect(read(String(id), { state: 'lost' })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    await expect(grep(`${id}_2`, { pattern: 'a' })).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    await expect(grep('99', { pattern: 'a' })).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  });

  test('of a pattern that takes for ever fails, before and after it has found something; the next one goes on', async () => {
    const id = await at.submit({ array: '0-1' });
    const hard = `${'a'.repeat(60)}!`;
    await run(id, 0, `${hard}\n`);
    const tooSlow = { code: 'BAD_REQUEST', message: expect.stringContaining('decided in time') };
    await expect(grep(String(id), { pattern: '^(a+)+$' })).rejects.toMatchObject(tooSlow);
    await run(id, 1, `${'found\n'.repeat(10_000)}${hard}\n`);
    let found = 0;
    const read = async () => {
      for await (const _ of client.grep(`${id}_1`, { pattern: 'found|^(a+)+$' })) found++;
    };
    await expect(read()).rejects.toMatchObject(tooSlow);
    expect(found).toBeGreaterThan(1_000);
    expect(await grep(String(id), { pattern: 'found', limit: 10 })).toHaveLength(10);
  });
});

describe('reading', () => {
  test('only tasks in some states, and only the last lines', async () => {
    const id = await at.submit({ array: '0-2' });
    await run(id, 0, 'a\nb\nc\n', FAILED);
    await run(id, 1, 'd\ne\n');
    expect(await read(String(id), { state: 'failed' })).toEqual(['o:a\nb\nc\n']);
    expect(await read(String(id), { state: 'failed,completed', tail: 1 })).toEqual(['o:c\n', 'o:e\n']);
    expect(await read(String(id), { state: 'cancelled' })).toEqual([]);
    expect(await read(String(id), { tail: 0 })).toEqual([]);
    const gone = new AbortController();
    const followed: string[] = [];
    const follow = { follow: '1', tail: 1, index: '0,2' } as const;
    for await (const chunk of client.logs(String(id), follow, { signal: gone.signal })) {
      followed.push(...showRecords(parseLogRecords(chunk).records));
      if (followed.length === 1) await run(id, 2, 'f\ng\n');
    }
    expect(followed).toEqual(['o:c\n', 'o:f\ng\n']);
  });
});

describe('the difference', () => {
  test('is the lines that failed tasks have and completed ones have not, those of most tasks first', async () => {
    const id = await at.submit({ array: '0-5' });
    await run(id, 0, 'start 17\nepoch 1 loss 0.5\ndone\n');
    await run(id, 1, 'start 18\nwarning: slow disk\nepoch 2 loss 0.25\ndone\n');
    await run(id, 2, 'start 19\nwarning: slow disk\nCUDA error 700 at 0xdeadbeef\nCUDA error 701 at 0x1\n', FAILED);
    await run(id, 3, 'start 20\nCUDA error 700 at 0x2\nonly here', FAILED);
    await run(id, 4, 'not read: it is neither', encodeOutcome({ kind: 'cancelled' }));
    const diff = await client.diffLogs(String(id));
    expect(diff).toEqual({
      lines: [
        { text: 'CUDA error <n> at <address>', tasks: 2, example: `${id}_2` },
        { text: 'only here', tasks: 1, example: `${id}_3` },
      ],
      failedRead: 2,
      completedRead: 2,
      sampled: false,
    });
    expect((await client.diffLogs(String(id), { limit: 1 })).lines).toHaveLength(1);
    expect((await client.diffLogs(`${id}_3`)).lines.map(({ text }) => text)).toEqual([
      'CUDA error <n> at <address>',
      'only here',
    ]);
    expect((await client.diffLogs(String(id), { stream: 'err' })).lines).toEqual([]);
  });
});
