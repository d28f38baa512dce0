// How long does a coordinator take to be ready again after kill -9 with an array of 1,000,000 half done? And what do a million tasks
// cost in memory and on disk?
//
//     npm run build && node bench/restart.ts [--tasks 1000000] [--rounds 5]
import { parseArgs } from 'node:util';
import { API_VERSION } from '../src/api/limits.ts';
import { median, report } from './support/report.ts';
import { startBenchServer } from './support/server.ts';

const { values } = parseArgs({
  options: { tasks: { type: 'string', default: '1000000' }, rounds: { type: 'string', default: '5' } },
});
const size = Number(values.tasks);
const server = await startBenchServer(0);
const { client } = server;
const figures: Record<string, unknown> = {};

const empty = server.memoryBytes();
const { job } = await client.submit({
  spec: { run: { kind: 'argv', argv: ['true'] }, cwd: '/', name: 'half', array: `0-${size - 1}` },
});
figures['resident bytes a task, submitted'] = Math.round((server.memoryBytes() - empty) / size);
await finish(size / 2);
figures['disk bytes a task, half done with every outcome'] = Math.round((server.diskBytes() / (size / 2)) * 10) / 10;
const restarts: number[] = [];
for (let round = 0; round < Number(values.rounds); round++) {
  restarts.push(Math.round(await server.restart()));
  const view = await client.job(String(job.id));
  if (view.counts.completed !== size / 2)
    throw new Error(`after the restart ${view.counts.completed} tasks are completed`);
}
figures['ready after kill -9 with half done, ms'] = { median: median(restarts), all: restarts };
figures['resident MB after a restart'] = Math.round(server.memoryBytes() / 2 ** 20);
await client.cancel(String(job.id));
const bare: number[] = [];
for (let round = 0; round < Number(values.rounds); round++) bare.push(Math.round(await server.restart()));
figures['ready after kill -9 with nothing live, ms'] = { median: median(bare), all: bare };
await server.stop();
report('restart', figures);
process.exit(0);

/** Ends exactly `wanted` tasks, with durations and memory as real ones have. */
async function finish(wanted: number): Promise<void> {
  await client.update(String(job.id), { throttle: 10_000 });
  const { sessionId } = await client.hello({
    worker: 'bench',
    host: 'bench',
    pid: process.pid,
    bootId: 'bench',
    resources: { cpus: 4_096, memoryBytes: 2 ** 30 },
    api: API_VERSION,
    version: 'bench',
  });
  const stop = new AbortController();
  let left = wanted;
  let ack = 0;
  let seq = 0;
  for await (const message of client.stream(sessionId, 0, { signal: stop.signal })) {
    if (message.type === 'ping') continue;
    ack = message.n;
    if (message.type !== 'grant') continue;
    for (const [fence, , count] of message.runs) {
      const length = Math.min(count, left);
      if (length === 0) continue;
      left -= length;
      const wallUs = Array.from({ length }, (_, at) => 900 + ((fence * 7 + at * 13) % 400));
      const maxRssKb = Array.from({ length }, (_, at) => 1_500 + ((fence + at) % 64));
      await client.exchange(sessionId, {
        seq: ++seq,
        ack,
        ends: { runs: [[fence, length]], wallUs, cpuUs: wallUs, maxRssKb },
        held: { count: 0, sum: 0 },
      });
    }
    if (left === 0) break;
  }
  stop.abort();
  await client.bye(sessionId).catch(() => {});
}
