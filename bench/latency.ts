// How long from submit to the start of the first task, and from the end of A_i to the start of B_i (aftercorr)? Tasks stamp the time
// themselves with date(1) as their first and last act, so loading a process is included. The cost of `date` alone, started by this
// process, is printed beside.
//
//     npm run build && node bench/latency.ts [--rounds 60]
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import type { SpawnClient } from '../src/client/client.ts';
import { parseLogRecords } from '../src/core/log-record.ts';
import { median, quantile, report } from './support/report.ts';
import { startBenchServer } from './support/server.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '60' } } });
const rounds = Number(values.rounds);
const server = await startBenchServer(1);
const { client } = server;

const now = () => performance.timeOrigin + performance.now();

async function stampOf(ref: string): Promise<number> {
  const parts: Uint8Array[] = [];
  for await (const part of (client as SpawnClient).logs(ref)) parts.push(part);
  const { records } = parseLogRecords(Buffer.concat(parts));
  return Number(Buffer.concat(records.map(({ data }) => data)).toString()) / 1e6;
}

async function ended(ref: string): Promise<void> {
  for await (const delta of client.watch(ref)) if (delta.endedAt !== undefined) return;
}

const toStart: number[] = [];
const alone: number[] = [];
for (let round = -5; round < rounds; round++) {
  const from = now();
  const { job } = await client.submit({
    spec: { run: { kind: 'argv', argv: ['/bin/date', '+%s%N'] }, cwd: '/', name: 'stamp' },
  });
  await ended(String(job.id));
  const stamp = await stampOf(String(job.id));
  if (round >= 0) toStart.push(stamp - from);
  const before = now();
  const { stdout } = spawnSync('/bin/date', ['+%s%N'], { encoding: 'utf8' });
  if (round >= 0) alone.push(Number(stdout) / 1e6 - before);
}

const first = await client.submit({
  spec: {
    run: { kind: 'shell', text: 'sleep 0.03; exec date +%s%N' },
    cwd: '/',
    name: 'a',
    array: `0-${rounds - 1}`,
    throttle: 1,
  },
});
const second = await client.submit({
  spec: {
    run: { kind: 'argv', argv: ['/bin/date', '+%s%N'] },
    cwd: '/',
    name: 'b',
    array: `0-${rounds - 1}`,
    after: `aftercorr:${first.job.id}`,
  },
});
await ended(String(second.job.id));
const toNext: number[] = [];
for (let index = 0; index < rounds; index++) {
  toNext.push((await stampOf(`${second.job.id}_${index}`)) - (await stampOf(`${first.job.id}_${index}`)));
}
await server.stop();
const figures = (times: number[]) => ({
  p50: Math.round(median(times) * 100) / 100,
  p99: Math.round(quantile(times, 0.99) * 100) / 100,
});
report('latency', {
  rounds,
  'submit to first stamp ms': figures(toStart),
  'end of A_i to stamp of B_i ms': figures(toNext),
  'date started by this process alone ms': figures(alone),
});
process.exit(0);
