// How many processes a second can a worker start? 10,000 x /bin/true through the Forker class, two at a time, output pipes
// set up, next to `xargs -P2 -n1 /bin/true`. Both sides in turn, several rounds; medians and their ratio.
//
//     node bench/forker-rate.ts [--tasks 10000] [--rounds 3] [--kind native|node] [--program /bin/true] [--no-queue]
//         [--cpu-milli 1000] [--memory BYTES] [--log-cap BYTES]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startForker } from '../src/worker/forker/forker.ts';
import type { ForkerKind } from '../src/worker/forker/types.ts';
import { median, report } from './support/report.ts';

const LIVE = 2;
const AHEAD = 100;

const { values } = parseArgs({
  options: {
    tasks: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '3' },
    kind: { type: 'string', default: 'native' },
    program: { type: 'string', default: '/bin/true' },
    'log-cap': { type: 'string', default: String(1024 * 1024) },
    'cpu-milli': { type: 'string', default: '0' },
    memory: { type: 'string', default: '0' },
    'no-queue': { type: 'boolean', default: false },
  },
});
const tasks = Number(values.tasks);

interface Rate {
  readonly perSecond: number;
  /** Processor time of this process: what a worker's event loop spends on it. */
  readonly parentUsPerTask: number;
}

/** With the queue, runs are sent ahead of need; without, each end is answered by the next run. */
async function throughForker(): Promise<Rate> {
  const logDir = mkdtempSync(join(tmpdir(), 'forker-rate-'));
  const env = Object.entries(process.env).map(([name, value]) => `${name}=${value}`);
  const window = values['no-queue'] ? LIVE : LIVE + AHEAD;
  const done = Promise.withResolvers<void>();
  let sent = 0;
  let ended = 0;
  const next = () => {
    sent += 1;
    forker.run({
      fence: sent,
      jobId: 1,
      position: sent,
      attempt: 1,
      envId: 1,
      env: [`SPAWN_FENCE=${sent}`, 'SPAWN_SESSION=bench', `JOB_ARRAY_INDEX=${sent}`],
      argv: [values.program],
      cwd: '/',
      graceMs: 1000,
      logCapBytes: Number(values['log-cap']),
      cpuMilli: Number(values['cpu-milli']),
      memoryBytes: Number(values.memory),
      ...(values['no-queue'] ? {} : { queue: { id: 1, width: LIVE } }),
    });
  };
  const forker = await startForker({
    kind: values.kind as ForkerKind,
    logDir,
    sessionTag: 'bench',
    callbacks: {
      onStarted: () => {},
      onEnded: () => {
        ended += 1;
        if (sent < tasks) next();
        if (ended === tasks) done.resolve();
      },
      onSpawnFailed: (event) => done.reject(new Error(event.errorName)),
      onRefused: (event) => done.reject(new Error(event.reason)),
      onExit: (exit) => done.reject(new Error(JSON.stringify(exit))),
    },
  });
  forker.setEnv(1, env);
  const cpu = process.cpuUsage();
  const from = performance.now();
  while (sent < Math.min(window, tasks)) next();
  await done.promise;
  const seconds = (performance.now() - from) / 1000;
  const used = process.cpuUsage(cpu);
  await forker.close();
  rmSync(logDir, { recursive: true });
  return { perSecond: tasks / seconds, parentUsPerTask: (used.user + used.system) / tasks };
}

function throughXargs(): number {
  const input = `${'x\n'.repeat(tasks)}`;
  const from = performance.now();
  const ran = spawnSync('xargs', ['-P', String(LIVE), '-n', '1', values.program], {
    input,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  if (ran.status !== 0) throw new Error(`xargs ended with ${ran.status}`);
  return tasks / ((performance.now() - from) / 1000);
}

const rates: Record<'forker' | 'xargs' | 'parentUs', number[]> = { forker: [], xargs: [], parentUs: [] };
for (let round = 0; round < Number(values.rounds); round++) {
  const { perSecond, parentUsPerTask } = await throughForker();
  rates.forker.push(Math.round(perSecond));
  rates.xargs.push(Math.round(throughXargs()));
  rates.parentUs.push(Math.round(parentUsPerTask));
}
const ratio = median(rates.forker.map((rate, round) => rate / rates.xargs[round]!));
report(values.kind === 'native' ? 'forker-rate' : `forker-rate-${values.kind}`, {
  tasks,
  program: values.program,
  kind: values.kind,
  'sent ahead': !values['no-queue'],
  ...(values['cpu-milli'] === '0' ? {} : { 'bound to CPUs, in thousandths': Number(values['cpu-milli']) }),
  ...(values.memory === '0' ? {} : { 'memory limit, bytes': Number(values.memory) }),
  'forker tasks per second': { median: median(rates.forker), rates: rates.forker },
  'xargs -P2 tasks per second': { median: median(rates.xargs), rates: rates.xargs },
  'forker / xargs, median of pairs': Math.round(ratio * 100) / 100,
  'processor time of the worker, us a task': median(rates.parentUs),
});
