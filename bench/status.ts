// How long does the summary of an array of 1,000,000 take, with half of its tasks failed and their logs to be read: while it runs, just
// after kill -9, and after it has ended and left memory? And `spawn status` as a whole process?
//
//     npm run build && node bench/status.ts [--tasks 1000000] [--rounds 7]
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { API_VERSION } from '../src/api/limits.ts';
import { encodeLogHeader, LOG_HEADER_BYTES, LogStream } from '../src/core/log-record.ts';
import { median, report } from './support/report.ts';
import { startBenchServer } from './support/server.ts';

const { values } = parseArgs({
  options: { tasks: { type: 'string', default: '1000000' }, rounds: { type: 'string', default: '7' } },
});
const size = Number(values.tasks);
const rounds = Number(values.rounds);
const SPAWN = new URL('../dist/bin/spawn.js', import.meta.url).pathname;
const SEGMENT = 65_536 + 1;
const server = await startBenchServer(0);
const { client } = server;
const figures: Record<string, unknown> = {};

const { job } = await client.submit({
  spec: { run: { kind: 'argv', argv: ['true'] }, cwd: '/', name: 'half', array: `0-${size - 1}`, throttle: 10_000 },
});
const ref = String(job.id);
await measure('nothing has ended');
await finish(size - 1_000);
const { failures } = await client.summary(ref);
figures['failed tasks'] = failures.reduce((sum, group) => sum + group.tasks, 0);
figures['groups of failures'] = failures.map(({ outcome, message, tasks, estimated }) => ({
  outcome,
  message,
  tasks,
  estimated,
}));
await measure('half failed, still running');
const first: number[] = [];
for (let round = 0; round < 3; round++) {
  await server.restart();
  first.push(await timed(() => client.summary(ref)));
}
figures['half failed, first after kill -9, ms'] = { median: median(first), all: first };
await measure('half failed, after kill -9');
const before = whole();
figures['spawn status as a whole process, ms'] = before;
await client.cancel(ref);
// It leaves memory a few seconds after it ended.
while ((await client.job(ref)).endedAt === undefined) await wait(50);
await wait(5_000);
await measure('half failed, ended, from the store');
figures['spawn status of the ended job as a whole process, ms'] = whole();
await server.stop();
report('status', figures);
process.exit(0);

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return Math.round((performance.now() - started) * 10) / 10;
}

async function measure(what: string): Promise<void> {
  const all: number[] = [];
  for (let round = 0; round < rounds; round++) all.push(await timed(() => client.summary(ref)));
  figures[`${what}, ms`] = { median: median(all), all };
}

function whole(): { median: number; all: number[] } {
  const all: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    const { status, stderr } = spawnSync(process.execPath, [SPAWN, 'status', ref], {
      env: server.env,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`spawn status: ${stderr}`);
    all.push(Math.round((performance.now() - started) * 10) / 10);
  }
  return { median: median(all), all };
}

/** Ends exactly `wanted` tasks, every other one badly and with a few words on standard error. */
async function finish(wanted: number): Promise<void> {
  const { sessionId, logDir } = await client.hello({
    worker: 'bench',
    host: 'bench',
    pid: process.pid,
    bootId: 'bench',
    resources: { cpus: 4_096, memoryBytes: 2 ** 30 },
    api: API_VERSION,
    version: 'bench',
  });
  const folder = join(logDir!, ref);
  const file = join(folder, `${sessionId}-1-1.seg`);
  mkdirSync(folder, { recursive: true });
  const stop = new AbortController();
  let left = wanted;
  let ack = 0;
  let seq = 0;
  let offset = 0;
  for await (const message of client.stream(sessionId, 0, { signal: stop.signal })) {
    if (message.type === 'ping') continue;
    ack = message.n;
    if (message.type !== 'grant') continue;
    for (const [fence, position, count] of message.runs) {
      const length = Math.min(count, left);
      if (length === 0) continue;
      left -= length;
      const records: Uint8Array[] = [];
      const [logOffset, logEndOffset, errBytes, outcome]: number[][] = [[], [], [], []];
      for (let at = position; at < position + length; at++) {
        logOffset!.push(offset);
        const text = at % 2 === 0 ? '' : at % 6 === 1 ? `KeyError: 'row ${at}'\n` : `ValueError: ${at / 7} is odd\n`;
        if (text !== '') {
          const record = logRecord(fence + at - position, at, text);
          records.push(record);
          offset += record.length;
        }
        logEndOffset!.push(offset);
        errBytes!.push(text.length);
        outcome!.push(text === '' ? 0 : at % 6 === 1 ? 1 : 2);
      }
      appendFileSync(file, Buffer.concat(records));
      const wallUs = Array.from({ length }, (_, at) => 900 + ((fence * 7 + at * 13) % 400));
      const logSegment = outcome!.map(() => SEGMENT);
      await client.exchange(sessionId, {
        seq: ++seq,
        ack,
        ends: {
          runs: [[fence, length]],
          outcome: outcome!,
          wallUs,
          logSegment,
          logOffset: logOffset!,
          logEndSegment: logSegment,
          logEndOffset: logEndOffset!,
          errBytes: errBytes!,
        },
        held: { count: 0, sum: 0 },
      });
    }
    if (left === 0) break;
  }
  stop.abort();
  await client.bye(sessionId).catch(() => {});
}

function logRecord(fence: number, position: number, text: string): Uint8Array {
  const data = Buffer.from(text);
  const record = new Uint8Array(LOG_HEADER_BYTES + data.length);
  encodeLogHeader(
    { stream: LogStream.STDERR, flags: 0, length: data.length, fence, position, attempt: 1, timeMs: 1 },
    record,
  );
  record.set(data, LOG_HEADER_BYTES);
  return record;
}
