// How long until 10,000 running processes (`sleep`) are gone after `spawn cancel`, as a whole process, for it?
//
//     npm run build && node bench/cancel.ts [--tasks 10000] [--rounds 3]
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { median, report } from './support/report.ts';
import { startBenchServer } from './support/server.ts';

const { values } = parseArgs({
  options: { tasks: { type: 'string', default: '10000' }, rounds: { type: 'string', default: '3' } },
});
const tasks = Number(values.tasks);
const SPAWN = new URL('../dist/bin/spawn.js', import.meta.url).pathname;
// Each has two files open for a task, and the system may allow 20,000.
const server = await startBenchServer(2);
const { client } = server;
const replied: number[] = [];
const gone: number[] = [];

/** Processes that run our command now. */
function sleeping(): number {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && commandOf(name).startsWith('sleep\x00987654\x00'))
    .length;
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

for (let round = 0; round < Number(values.rounds); round++) {
  const { job } = await client.submit({
    spec: { run: { kind: 'argv', argv: ['sleep', '987654'] }, cwd: '/', array: `0-${tasks - 1}`, cpus: 3 / 10_000 },
  });
  while (sleeping() < tasks) await wait(1_000);
  const from = performance.now();
  const { status, stderr } = spawnSync(process.execPath, ['--', SPAWN, 'cancel', String(job.id)], { env: server.env });
  if (status !== 0) throw new Error(String(stderr));
  replied.push(performance.now() - from);
  while (sleeping() > 0) await wait(20);
  gone.push(performance.now() - from);
  while ((await client.job(String(job.id))).endedAt === undefined) await wait(50);
  const { counts } = await client.job(String(job.id));
  if (counts.cancelled !== tasks) throw new Error(`only ${counts.cancelled} of ${tasks} ended cancelled`);
}
await server.stop();
report('cancel', {
  tasks,
  'spawn cancel as a whole process, ms': { median: median(replied), all: replied },
  'until all are gone, ms': { median: median(gone), all: gone },
});
process.exit(0);
