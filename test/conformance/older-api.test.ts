import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import type { z } from 'zod';
import { openBlobs } from '../../src/objects/directory/blobs.ts';
import { openSegments } from '../../src/objects/directory/segments.ts';
import { createServer } from '../../src/server/server.ts';
import * as api1 from '../fixtures/api-1.ts';
import { LedgerAtHand } from '../support/ledger-at-hand.ts';
import { ask, socketPath } from '../support/server-on-socket.ts';
import { until } from '../support/until.ts';

/** The newest coordinator and server; workers and clients speak as release 0.1.0 does. */
let at: LedgerAtHand;
let path: string;

beforeEach(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'spawn-older-'));
  at = await LedgerAtHand.open({ logs: openSegments(folder), blobs: await openBlobs(join(folder, 'blobs')) });
  path = socketPath();
  const server = await createServer(at.coordinator, {
    version: 'test',
    timing: { streamPingMs: 20, closeGraceMs: 200 },
  });
  await server.listenUnix(path);
  onTestFinished(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });
});

/** One request of the old client; the reply must be what it understands. */
async function say<T>(schema: z.ZodType<T>, line: string, body?: object): Promise<T> {
  const { status, text } = await ask(path, line, body === undefined ? undefined : JSON.stringify(body));
  if (status !== 200) throw new Error(`${line}: ${status} ${text}`);
  await at.ledger.idle();
  return schema.parse(JSON.parse(text));
}

type Message = z.infer<typeof api1.StreamMessage>;

/** A worker of 0.1.0: every line of its stream must be a message that it knows. */
async function joinAsWorker() {
  const { sessionId } = await say(api1.HelloReply, 'POST /v1/sessions', {
    worker: 'old',
    host: 'h',
    pid: 1,
    bootId: 'b',
    resources: { cpus: 2, memoryBytes: 2 ** 30 },
    api: 1,
    version: '0.1.0',
  });
  const messages: Message[] = [];
  const raw: Record<string, unknown>[] = [];
  const faults: unknown[] = [];
  const sent = request({ socketPath: path, path: `/v1/sessions/${sessionId}/stream?after=0`, agent: false });
  sent.on('error', () => {});
  sent.end();
  onTestFinished(() => void sent.destroy());
  const [reply] = await once(sent, 'response');
  let text = '';
  reply.on('error', () => {});
  reply.setEncoding('utf8').on('data', (more: string) => {
    const lines = (text + more).split('\n');
    text = lines.pop()!;
    for (const line of lines) {
      raw.push(JSON.parse(line));
      const { data, error } = api1.StreamMessage.safeParse(JSON.parse(line));
      if (error === undefined) messages.push(data);
      else faults.push(line, error);
    }
  });
  let seq = 0;
  const held = new Set<number>();
  const take = () => {
    for (const message of messages) {
      if (message.type === 'grant')
        for (const [fence, , n] of message.runs) for (let i = 0; i < n; i++) held.add(fence + i);
    }
    return held;
  };
  const exchange = (parts: object = {}) => {
    const numbers = [...held];
    const digest = { count: numbers.length, sum: numbers.reduce((sum, fence) => sum + fence, 0) };
    return say(api1.ExchangeReply, `POST /v1/sessions/${sessionId}/exchange`, {
      seq: ++seq,
      ack: 0,
      held: digest,
      ...parts,
    });
  };
  const told = <T extends Message['type']>(type: T) =>
    messages.filter((message): message is Extract<Message, { type: T }> => message.type === type);
  return { sessionId, messages, raw, faults, held, take, exchange, told };
}

const SPEC = { run: { kind: 'argv', argv: ['true'] }, env: {}, cwd: '/', umask: 18 };
const submit = (more: object = {}) => say(api1.SubmitReply, 'POST /v1/jobs', { spec: { ...SPEC, ...more } });

test('a worker of API 1 is told only what it knows, from its first grant to its drain', async () => {
  const worker = await joinAsWorker();
  const { job } = await submit({ array: '0-3', timeLimitMs: 60_000 });
  await until('grants', () => worker.take().size >= 2);
  const [first, second] = [...worker.held] as [number, number];
  await worker.exchange({ starts: { fences: [first, second], logSegment: [0, 0], logOffset: [0, 0] } });
  // It would not understand another limit: what runs keeps its own.
  await at.coordinator.update({ owner: '0', tenant: 'local', sameHost: true, role: 'admin' }, `${job.id}`, {
    timeLimitMs: 9_000,
  });
  worker.held.delete(first);
  await worker.exchange({ ends: { runs: [[first, 1]], outcome: [0], wallUs: [5] } });
  await say(api1.VerbReply, `POST /v1/jobs/${job.id}/cancel`, {});
  await until('the cancellation', () => worker.told('cancel').length > 0);
  await until('a ping', () => worker.told('ping').length > 0);
  for (const fence of [...worker.take()]) worker.held.delete(fence);
  await worker.exchange({ ends: { runs: [[second, 1]], outcome: [0] } });
  expect(worker.faults).toEqual([]);
  const described = worker.raw.find(({ type }) => type === 'job')!.job as object;
  const known = Object.keys(api1.JobForWorker.shape);
  expect(Object.keys(described).filter((name) => !known.includes(name))).toEqual([]);
});

test.each([
  { outputPath: 'o' },
  { errorPath: 'e' },
  { inputPath: 'i' },
  { slurm: { name: 'any' } },
  { signal: { number: 10, beforeMs: 1 }, timeLimitMs: 1_000 },
  { gpus: 1 },
  { resources: { licence: 1 } },
])('it gets no task of a job with %j, and why says so', async (more) => {
  const worker = await joinAsWorker();
  const { job } = await submit(more);
  // Of the next one it gets a task, so it had its chance.
  const { job: next } = await submit();
  await until('a grant', () => worker.told('grant').length > 0);
  expect(worker.told('grant').map((grant) => grant.job)).toEqual([next.id]);
  expect(worker.told('job').map((message) => message.job.id)).toEqual([next.id]);
  const { text } = await ask(path, `GET /v1/jobs/${job.id}/why`);
  expect(JSON.stringify(JSON.parse(text))).toContain(
    'no connected worker is of a release that can run it (API 2 or newer)',
  );
  expect(worker.faults).toEqual([]);
});

test('a client of API 1 understands every reply', async () => {
  const worker = await joinAsWorker();
  const { job } = await submit({ array: '0-3', name: 'old', retries: 1 });
  await submit({ hold: true, gpus: 0 });
  await until('grants', () => worker.take().size >= 1);
  const [fence] = [...worker.held] as [number];
  worker.held.delete(fence);
  await worker.exchange({ ends: { runs: [[fence, 1]], outcome: [0], wallUs: [1_000] } });
  await say(api1.JobView, `GET /v1/jobs/${job.id}`);
  expect((await say(api1.JobsReply, 'GET /v1/jobs?show=all&limit=100')).jobs.length).toBe(2);
  const { tasks } = await say(api1.TasksReply, `GET /v1/jobs/${job.id}/tasks?limit=10`);
  expect(tasks.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
  for (const verb of ['hold', 'release', 'cancel', 'retry', 'requeue']) {
    await say(api1.VerbReply, `POST /v1/jobs/${job.id}/${verb}`, { index: '3' });
  }
  const { text: refused, status } = await ask(path, 'GET /v1/jobs/99');
  expect([status, api1.ErrorReply.parse(JSON.parse(refused)).error.code]).toEqual([404, 'JOB_NOT_FOUND']);
  const changed = await ask(path, `PATCH /v1/jobs/${job.id}`, JSON.stringify({ throttle: 2 }));
  expect(api1.VerbReply.parse(JSON.parse(changed.text)).job.throttle).toBe(2);
  const server = await say(api1.ServerView, 'GET /v1/server');
  expect(server.sessions.map(({ worker }) => worker)).toEqual(['old']);
  await say(api1.VerbReply, `POST /v1/jobs/${job.id}/cancel`, {});
});

test('its watch of a job is a delta that it knows', async () => {
  const { job } = await submit();
  await say(api1.VerbReply, `POST /v1/jobs/${job.id}/cancel`, {});
  const { text } = await ask(path, `GET /v1/jobs/${job.id}/watch`);
  const [, data] = /^data: (.*)$/m.exec(text)!;
  expect(api1.JobDelta.parse(JSON.parse(data!)).state).toBe('cancelled');
});
