// How many no-op tasks a second go through the real server, every end durable? A benchmark worker that runs nothing takes grants
// and reports their ends at once; it is another process, over the Unix socket.
//
//     npm run build && node bench/noop-tasks.ts [--sizes 10000,100000,1000000] [--rounds 3]
import { parseArgs } from 'node:util';
import type { SpawnClient } from '../src/client/client.ts';
import { emptyWorker, noopArrayMs } from './support/empty-worker.ts';
import { median, report } from './support/report.ts';
import { startBenchServer } from './support/server.ts';

const { values } = parseArgs({
  options: { sizes: { type: 'string', default: '10000,100000,1000000' }, rounds: { type: 'string', default: '3' } },
});

async function rate(client: SpawnClient, size: number): Promise<number> {
  return size / ((await noopArrayMs(client, size)) / 1000);
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
