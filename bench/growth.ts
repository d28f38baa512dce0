// How does the cost of a task grow with the size of its array, and with how much there is beside it? No-op tasks through the real
// server, as in noop-tasks.ts: tasks a second and processor time of the server a task, for arrays of 10,000 to 1,000,000, in turn;
// then arrays of 10,000 alone and beside a held one of 1,000,000 in turn, with all the finished ones in the store.
//
// Small arrays are submitted one after the other until a round has run MEASURED tasks, so that all sides are as warm.
//
//     npm run build && node bench/growth.ts [--rounds 5]
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { emptyWorker, noopArrayMs } from './support/empty-worker.ts';
import { median, report } from './support/report.ts';
import { startBenchServer } from './support/server.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } });
const rounds = Number(values.rounds);
const SMALL = 10_000;
const LARGE = 1_000_000;
const SIZES = [SMALL, 100_000, LARGE];
const MEASURED = 1_000_000;
/** Fewer are enough where only small arrays are compared. */
const MEASURED_BESIDE = 200_000;

interface Cost {
  readonly perSecond: number;
  readonly serverCpuUs: number;
}

const server = await startBenchServer(0);
const { client } = server;
const stop = new AbortController();
const worker = emptyWorker(client, stop.signal).catch(() => {});

/** User and system time of the server so far. The kernel counts it in ticks of 10 ms. */
function serverCpuUs(): number {
  const stat = readFileSync(`/proc/${server.process.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

async function cost(size: number, measured: number): Promise<Cost> {
  const cpu = serverCpuUs();
  let ms = 0;
  for (let ran = 0; ran < measured; ran += size) ms += await noopArrayMs(client, size);
  return {
    perSecond: measured / (ms / 1_000),
    serverCpuUs: (serverCpuUs() - cpu) / measured,
  };
}

const round2 = (value: number) => Math.round(value * 100) / 100;
const summary = (costs: readonly Cost[]) => ({
  'tasks per second': Math.round(median(costs.map(({ perSecond }) => perSecond))),
  rates: costs.map(({ perSecond }) => Math.round(perSecond)),
  'server processor us a task': round2(median(costs.map(({ serverCpuUs }) => serverCpuUs))),
});
const pairs = (of: readonly Cost[], to: readonly Cost[]) =>
  round2(median(of.map(({ perSecond }, round) => perSecond / to[round]!.perSecond)));

for (const size of SIZES) await cost(size, size);
const bySize = new Map(SIZES.map((size) => [size, [] as Cost[]]));
for (let round = 0; round < rounds; round++) {
  for (const size of SIZES) bySize.get(size)!.push(await cost(size, MEASURED));
}

const alone: Cost[] = [];
const beside: Cost[] = [];
for (let round = 0; round < rounds; round++) {
  alone.push(await cost(SMALL, MEASURED_BESIDE));
  const { job } = await client.submit({
    spec: { run: { kind: 'argv', argv: ['true'] }, cwd: '/', name: 'beside', array: `0-${LARGE - 1}`, hold: true },
  });
  beside.push(await cost(SMALL, MEASURED_BESIDE));
  await client.cancel(String(job.id));
}
stop.abort();
await server.stop();
await worker;
report('growth', {
  rounds,
  ...Object.fromEntries(SIZES.map((size) => [`arrays of ${size}`, summary(bySize.get(size)!)])),
  [`rate at ${LARGE} / rate at ${SMALL}, median of pairs`]: pairs(bySize.get(LARGE)!, bySize.get(SMALL)!),
  [`arrays of ${SMALL}, alone`]: summary(alone),
  [`arrays of ${SMALL}, beside ${LARGE} held`]: summary(beside),
  'rate beside / rate alone, median of pairs': pairs(beside, alone),
});
process.exit(0);
