// What do 1,000 workers cost a coordinator that have nothing to do? Each has a session as a real one has: a stream that stays open, and an
// exchange every 10 s, a third of the lease, on a connection that stays open too. CPU time and memory are of the server process alone,
// beside the same server without any session; all over its Unix socket, so without TLS.
//
//     npm run build && node bench/idle-workers.ts [--sessions 1000] [--seconds 60] [--rounds 3]
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { API_VERSION } from '../src/api/limits.ts';
import { SpawnClient } from '../src/client/client.ts';
import { unixTransport } from '../src/client/node/unix-transport.ts';
import { median, report } from './support/report.ts';
import { startBenchServer } from './support/server.ts';

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '60' },
    rounds: { type: 'string', default: '3' },
  },
});
const count = Number(values.sessions);
const seconds = Number(values.seconds);
const TICKS_PER_SECOND = 100;
/** After opening, until what that left behind is cleared away. */
const SETTLE_MS = 10_000;

const server = await startBenchServer(0);
const none: Usage[] = [];
const all: Usage[] = [];
let renewals = 0;
for (let round = 0; round < Number(values.rounds); round++) {
  none.push(await measure());
  const workers = await openAll();
  await wait(SETTLE_MS);
  const before = renewals;
  all.push(await measure());
  console.error(`renewals a second: ${Math.round((renewals - before) / seconds)}`);
  const { sessions } = await server.client.server();
  const connected = sessions.filter((session) => session.connected).length;
  if (connected !== count) throw new Error(`${connected} of ${count} sessions are connected`);
  await Promise.all(workers.map((worker) => worker.close()));
  await wait(SETTLE_MS);
}
await server.stop();
report('idle-workers', {
  sessions: count,
  'seconds of each measurement': seconds,
  'without sessions, CPU seconds a minute': cpuOf(none),
  'with sessions, CPU seconds a minute': cpuOf(all),
  'without sessions at first, resident memory MB': none[0]!.memoryMb,
  'with sessions, resident memory MB': {
    median: median(all.map(({ memoryMb }) => memoryMb)),
    all: all.map(({ memoryMb }) => memoryMb),
  },
});
process.exit(0);

interface Usage {
  readonly cpuSecondsAMinute: number;
  readonly memoryMb: number;
}

function cpuOf(usages: readonly Usage[]) {
  const each = usages.map(({ cpuSecondsAMinute }) => cpuSecondsAMinute);
  return { median: median(each), all: each };
}

async function measure(): Promise<Usage> {
  const from = cpuTicks();
  const startedMs = performance.now();
  await wait(seconds * 1000);
  const minutes = (performance.now() - startedMs) / 60_000;
  const cpuSecondsAMinute = (cpuTicks() - from) / TICKS_PER_SECOND / minutes;
  return {
    cpuSecondsAMinute: Math.round(cpuSecondsAMinute * 100) / 100,
    memoryMb: Math.round(server.memoryBytes() / 2 ** 20),
  };
}

/** User and system time of all threads: proc(5), stat, fields 14 and 15. */
function cpuTicks(): number {
  const stat = readFileSync(`/proc/${server.process.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

interface IdleWorker {
  close(): Promise<void>;
}

async function openAll(): Promise<IdleWorker[]> {
  const workers: IdleWorker[] = [];
  // Some at a time: the queue of a socket is not as long.
  while (workers.length < count) {
    const batch = Math.min(50, count - workers.length);
    workers.push(...(await Promise.all(Array.from({ length: batch }, (_, at) => open(workers.length + at)))));
  }
  return workers;
}

async function open(number: number): Promise<IdleWorker> {
  const client = new SpawnClient({ transport: unixTransport(server.socketPath) });
  const { sessionId, heartbeatMs } = await client.hello({
    worker: `idle-${number}`,
    host: 'bench',
    pid: process.pid,
    bootId: 'bench',
    resources: { cpus: 2, memoryBytes: 2 ** 30 },
    api: API_VERSION,
    version: 'bench',
  });
  const stop = new AbortController();
  const { signal } = stop;
  const listening = (async () => {
    for await (const _ of client.stream(sessionId, 0, { signal })) if (signal.aborted) break;
  })().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  const renewing = (async () => {
    // They have not all started at once.
    await wait(Math.random() * heartbeatMs, undefined, { signal });
    for (let seq = 1; !signal.aborted; seq++) {
      await client.exchange(sessionId, { seq, ack: 0, held: { count: 0, sum: 0 } });
      renewals += 1;
      await wait(heartbeatMs, undefined, { signal });
    }
  })().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  return {
    async close() {
      stop.abort();
      await Promise.all([listening, renewing]);
      await client.bye(sessionId);
      client.close();
    },
  };
}
