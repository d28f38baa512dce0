// How many no-op handler tasks a second go through the real server and a real worker with warm hosts, every end durable?
//
//     npm run build && node bench/handler-tasks.ts [--sizes 10000,100000,1000000] [--rounds 3] [--cpus 2]
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { SpawnClient } from '../src/client/client.ts';
import { median, report } from './support/report.ts';
import { startBenchServer } from './support/server.ts';

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '10000,100000,1000000' },
    rounds: { type: 'string', default: '3' },
    cpus: { type: 'string', default: '2' },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'bench-handlers-'));
writeFileSync(
  join(folder, 'tasks.mjs'),
  `export const noop = () => {};
export const later = async () => {};
export const result = ({ index }) => index;
`,
);

/** ms from before the request until the end of the job is known to be durable. */
async function arrayMs(client: SpawnClient, name: string, size: number): Promise<number> {
  const from = performance.now();
  const run = { kind: 'handler' as const, module: './tasks.mjs', export: name };
  const { job } = await client.submit({ spec: { run, cwd: folder, name: 'noop', array: `0-${size - 1}` } });
  for await (const delta of client.watch(String(job.id))) {
    if (delta.endedAt === undefined) continue;
    if (delta.counts.completed !== size) throw new Error(`completed ${delta.counts.completed} of ${size}`);
    break;
  }
  return performance.now() - from;
}

const server = await startBenchServer(0);
const program = fileURLToPath(new URL('../dist/bin/spored.js', import.meta.url));
const flags = ['--server', `unix:${server.socketPath}`, '--data-dir', join(folder, 'data'), '--cpus', values.cpus];
const worker = spawn(process.execPath, [program, ...flags], { stdio: ['ignore', 'ignore', 'inherit'] });
const figures: Record<string, unknown> = { cpus: Number(values.cpus) };
try {
  await arrayMs(server.client, 'noop', 20_000);
  for (const name of ['noop', 'later', 'result']) {
    for (const size of values.sizes.split(',').map(Number)) {
      const rates: number[] = [];
      for (let round = 0; round < Number(values.rounds); round++) {
        rates.push(Math.round(size / ((await arrayMs(server.client, name, size)) / 1000)));
      }
      figures[`tasks per second of ${size}, ${name}`] = { median: median(rates), rates };
    }
  }
  figures['resident memory of the coordinator, MB'] = Math.round(server.memoryBytes() / 2 ** 20);
} finally {
  worker.kill('SIGTERM');
  await new Promise((resolve) => worker.once('exit', resolve));
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
report('handler-tasks', figures);
process.exit(0);
