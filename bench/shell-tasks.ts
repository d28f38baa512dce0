// How many shell tasks a second? `true` x N on this machine through the whole of spawn (server, store, worker, forker, logs), every
// end durable, next to `xargs -P2 -n1 true` and GNU parallel, in turn in one run.
//
//     npm run build && node bench/shell-tasks.ts --rounds 5 [--tasks 10000] [--parallel-tasks 2000]
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { median, report } from './support/report.ts';
import { startBenchServer } from './support/server.ts';

const { values } = parseArgs({
  options: {
    tasks: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '3' },
    'parallel-tasks': { type: 'string', default: '2000' },
  },
});
const tasks = Number(values.tasks);
const parallelTasks = Number(values['parallel-tasks']);
const hasParallel = spawnSync('parallel', ['--version']).status === 0;
const server = await startBenchServer(1);
const { client } = server;

async function throughSpawn(count: number): Promise<number> {
  const from = performance.now();
  const { job } = await client.submit({
    spec: { run: { kind: 'argv', argv: ['/bin/true'] }, cwd: '/', name: 'true', array: `0-${count - 1}` },
  });
  for await (const delta of client.watch(String(job.id))) {
    if (delta.endedAt === undefined) continue;
    if (delta.counts.completed !== count) throw new Error(`only ${delta.counts.completed} of ${count} completed`);
    break;
  }
  return count / ((performance.now() - from) / 1000);
}

function throughCommand(command: string, args: string[], count: number): number {
  const input = Array.from({ length: count }, (_, at) => `${at}\n`).join('');
  const from = performance.now();
  const { status } = spawnSync(command, args, { input });
  if (status !== 0) throw new Error(`${command} ended with ${status}`);
  return count / ((performance.now() - from) / 1000);
}

const rates: Record<string, number[]> = { spawn: [], xargs: [], parallel: [] };
await throughSpawn(500);
for (let round = 0; round < Number(values.rounds); round++) {
  rates.spawn!.push(Math.round(await throughSpawn(tasks)));
  rates.xargs!.push(Math.round(throughCommand('xargs', ['-P2', '-n1', '/bin/true'], tasks)));
  if (hasParallel) rates.parallel!.push(Math.round(throughCommand('parallel', ['-j2', '/bin/true'], parallelTasks)));
}
const ratio = (peer: string) => {
  const pairs = rates.spawn!.map((rate, round) => rate / rates[peer]![round]!);
  return Math.round(median(pairs) * 100) / 100;
};
await server.stop();
report('shell-tasks', {
  tasks,
  'spawn tasks per second': { median: median(rates.spawn!), rates: rates.spawn },
  'xargs -P2 tasks per second': { median: median(rates.xargs!), rates: rates.xargs },
  ...(hasParallel
    ? { 'GNU parallel -j2 tasks per second': { median: median(rates.parallel!), rates: rates.parallel } }
    : {}),
  'spawn / xargs, median of pairs': ratio('xargs'),
  ...(hasParallel ? { 'spawn / parallel, median of pairs': ratio('parallel') } : {}),
});
process.exit(0);
