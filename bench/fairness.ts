// Does a small job wait behind a large one? Beside a running array of 1,000,000 short tasks (real server, a worker that runs nothing and
// takes a fixed time for each), how soon does a job of 10 tasks of the same owner start, and what part of the slots has a second large job?
//
//     npm run build && node bench/fairness.ts [--rounds 20] [--tasks 1000000]
import { parseArgs } from 'node:util';
import type { SpawnClient } from '../src/client/client.ts';
import { median, quantile, report } from './support/report.ts';
import { startBenchServer } from './support/server.ts';
import { shortWorker } from './support/short-worker.ts';

/** What each task takes at the worker. */
const TASK_MS = 2;
const SLOTS = 8;
/** How long shares are counted, and how long a pair of jobs has run before. */
const WINDOW_MS = 3_000;
const WARM_UP_MS = 1_000;

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '20' }, tasks: { type: 'string', default: '1000000' } },
});
const size = Number(values.tasks);
const server = await startBenchServer(0);
const client = server.client as SpawnClient;
const stop = new AbortController();
const worker = shortWorker(client, { slots: SLOTS, taskMs: TASK_MS, signal: stop.signal });

async function submit(name: string, tasks: number): Promise<number> {
  const spec = { run: { kind: 'argv' as const, argv: ['true'] }, cwd: '/', name, array: `0-${tasks - 1}` };
  return (await client.submit({ spec })).job.id;
}

async function ended(id: number): Promise<void> {
  for await (const delta of client.watch(String(id))) if (delta.endedAt !== undefined) return;
}

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const large = await submit('large', size);
while ((worker.ended.get(large) ?? 0) < 1_000) await wait(10);
const toStart: number[] = [];
const toEnd: number[] = [];
for (let round = 0; round < Number(values.rounds); round++) {
  const from = performance.now();
  const small = await submit('small', 10);
  await ended(small);
  toEnd.push(performance.now() - from);
  toStart.push(worker.firstAt.get(small)! - from);
}

/** What part of all tasks that ended in the window were of the second of two large jobs. */
const second = await submit('second', size);
await wait(WARM_UP_MS);
const before = [large, second].map((id) => worker.ended.get(id) ?? 0);
await wait(WINDOW_MS);
const [ofFirst, ofSecond] = [large, second].map((id, at) => (worker.ended.get(id) ?? 0) - before[at]!);
const share = ofSecond! / (ofFirst! + ofSecond!);
stop.abort();
await server.stop();
const figures = (times: number[]) => ({
  p50: Math.round(median(times) * 10) / 10,
  p99: Math.round(quantile(times, 0.99) * 10) / 10,
  max: Math.round(Math.max(...times) * 10) / 10,
});
report('fairness', {
  'tasks of the large job': size,
  rounds: Number(values.rounds),
  'one task takes, ms': TASK_MS,
  slots: SLOTS,
  'submit to first start of 10 tasks ms': figures(toStart),
  'submit to end of 10 tasks ms': figures(toEnd),
  'share of the slots of a second large job': Math.round(share * 1_000) / 1_000,
  'tasks per second of both': Math.round((ofFirst! + ofSecond!) / (WINDOW_MS / 1_000)),
});
process.exit(0);
