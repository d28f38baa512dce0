// How many no-op tasks a second go through the real server, every end durable? A benchmark worker that runs nothing takes grants
// and reports their ends at once; it is another process, over the Unix socket.
//
//     npm run build && node bench/noop-tasks.ts [--sizes 10000,100000,1000000] [--rounds 3]
import { parseArgs } from 'node:util';
import { API_VERSION } from '../src/api/limits.ts';
import type { FenceRun } from '../src/api/session.ts';
import type { SpawnClient } from '../src/client/client.ts';
import { median, report } from './support/report.ts';
import { startBenchServer } from './support/server.ts';

const { values } = parseArgs({
  options: { sizes: { type: 'string', default: '10000,100000,1000000' }, rounds: { type: 'string', default: '3' } },
});

interface Held {
  count: number;
  sum: number;
}

/** Takes every grant and reports it ended, until stopped. */
async function emptyWorker(client: SpawnClient, signal: AbortSignal): Promise<void> {
  const { sessionId } = await client.hello({
    worker: 'bench',
    host: 'bench',
    pid: process.pid,
    bootId: 'bench',
    resources: { cpus: 2, memoryBytes: 2 ** 30 },
    api: API_VERSION,
    version: 'bench',
  });
  const held: Held = { count: 0, sum: 0 };
  let ack = 0;
  let seq = 0;
  let queue: FenceRun[] = [];
  let sending = false;
  const send = async (): Promise<void> => {
    if (sending) return;
    sending = true;
    while (queue.length > 0) {
      const runs = queue;
      queue = [];
      const count = runs.reduce((sum, [, length]) => sum + length, 0);
      // Durations as a handler worker would measure them: one number a task crosses the wire.
      const wallUs = Array.from({ length: count }, (_, at) => 3 + (at % 5));
      await client.exchange(sessionId, { seq: ++seq, ack, ends: { runs, wallUs }, held });
    }
    sending = false;
  };
  for await (const message of client.stream(sessionId, 0, { signal })) {
    if (message.type === 'ping') continue;
    ack = message.n;
    if (message.type !== 'grant') continue;
    for (const [fence, , count] of message.runs) queue.push([fence, count]);
    void send();
  }
}

async function rate(client: SpawnClient, size: number): Promise<number> {
  const from = performance.now();
  const { job } = await client.submit({
    spec: { run: { kind: 'argv', argv: ['true'] }, cwd: '/', name: 'noop', array: `0-${size - 1}` },
  });
  for await (const delta of client.watch(String(job.id))) if (delta.endedAt !== undefined) break;
  return size / ((performance.now() - from) / 1000);
}

const server = await startBenchServer(0);
const stop = new AbortController();
const worker = emptyWorker(server.client, stop.signal).catch(() => {});
const figures: Record<string, unknown> = {};
await rate(server.client, 20_000);
for (const size of values.sizes.split(',').map(Number)) {
  const before = server.diskBytes();
  const rates: number[] = [];
  for (let round = 0; round < Number(values.rounds); round++) rates.push(Math.round(await rate(server.client, size)));
  figures[`tasks per second of ${size}`] = { median: median(rates), rates };
  figures[`disk bytes a task of ${size}`] = Math.round(((server.diskBytes() - before) / size / rates.length) * 10) / 10;
}
figures['resident memory MB'] = Math.round(server.memoryBytes() / 2 ** 20);
stop.abort();
await server.stop();
await worker;
report('noop-tasks', figures);
process.exit(0);
