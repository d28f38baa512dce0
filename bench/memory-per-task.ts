// What does a task cost in the memory of the coordinator? One live job of 1,000,000: as submitted; with half of it granted, some
// started and some retried; and finished with outcomes. Beside it what an object a task would cost. Each in a process of its own.
//
//     node bench/memory-per-task.ts [--tasks 1000000] [--rounds 3]
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { GrantRange } from '../src/core/grant-range.ts';
import { IndexSet } from '../src/core/index-set.ts';
import { Job } from '../src/core/job.ts';
import { encodeOutcome } from '../src/core/outcome.ts';
import { DEFAULT_RETRY_POLICY } from '../src/core/retry.ts';
import { TaskState } from '../src/core/task-state.ts';
import { TaskReason } from '../src/core/task-table.ts';
import { WorkerSession } from '../src/core/worker-session.ts';
import { median, report } from './support/report.ts';

/** Bytes a task of the half granted job: never more than the floor, better not more than the goal. */
const FLOOR = 60;
const GOAL = 40;
/** Machines, and how many tasks run on each; the rest of what is granted waits there. */
const SESSIONS = 100;
const CPUS = 16;
/** Most tasks in one range; those that wait for a retry delay split it. */
const RANGE = 100;
const EXIT_1 = encodeOutcome({ kind: 'exited', code: 1 });

const { values } = parseArgs({
  options: {
    tasks: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    measure: { type: 'string' },
  },
});
const size = Number(values.tasks);

function makeJob(): Job {
  const indices = IndexSet.ofSize(size);
  const needs = { cpus: 1, memoryBytes: 0, gpus: 0, resources: {}, timeLimitMs: 0, minApi: 1, bound: false };
  const limits = { ...needs, retryPolicy: DEFAULT_RETRY_POLICY, maxFailures: Number.POSITIVE_INFINITY };
  const rest = { createdAt: 0, dependency: null, invalidDependency: 'skip' as const };
  return new Job({ id: 1, name: 'million', owner: 'bench', indices, ...limits, ...rest }, TaskState.ready);
}

/** The first half granted, on every machine as many started as it has CPUs; each tenth task failed once, half of those wait for their delay. */
function halfGranted(cpus: number): unknown {
  const job = makeJob();
  const { table } = job;
  const sessions = Array.from(
    { length: SESSIONS },
    (_, at) => new WorkerSession(at + 1, `w${at}`, { cpus, memoryBytes: 0 }, 2),
  );
  for (let position = 0; position < size; position += 10) {
    table.attempts[position] = 1;
    table.setCounters(position, 1, 0);
    table.setOutcome(position, EXIT_1);
    if (position % 20 !== 0) continue;
    table.setReason(position, 1, TaskReason.retryDelay);
    table.setRetryTick(position, 1 + position);
    job.delayed.add(position * 10, position);
  }
  let granted = 0;
  for (let fence = 1; granted < size / 2; ) {
    const [start, count] = table.eligible.sets[0].takeRun(0, Math.min(RANGE, size / 2 - granted))!;
    const session = sessions[job.grants.size % SESSIONS]!;
    const range = new GrantRange(fence, count, job.id, start, session.id);
    fence += count;
    granted += count;
    table.moveRun(start, count, TaskState.ready, TaskState.leased);
    const free = Math.max(0, cpus - (session.shares.get(job.lanes[0])?.slots ?? 0));
    for (let at = 0; at < Math.min(free, count); at++) {
      range.start(at, ++table.attempts[start + at]!, 1_750_000_000_000, 1, granted * 100);
      table.move(start + at, TaskState.running);
    }
    job.grants.add(range);
    session.addGrant(range, job.lanes[0], range.running, 0);
  }
  return [job, sessions];
}

function finished(): unknown {
  const job = makeJob();
  job.table.moveAll(TaskState.ready, TaskState.completed, TaskReason.none, () => {});
  job.table.attempts.fill(1);
  for (let position = 0; position < size; position += 50) {
    job.table.move(position, TaskState.failed);
    job.table.setCounters(position, 1, 0);
    job.table.setOutcome(position, EXIT_1);
    job.table.touch(position);
  }
  return job;
}

/** The same columns in an object a task, for comparison. */
function objects(): unknown {
  return Array.from({ length: size }, (_, index) => ({
    index,
    state: 'ready',
    attempts: 1,
    failures: 0,
    losses: 0,
    reason: 0,
    flags: 0,
    outcome: 0,
    retryAt: 0,
  }));
}

const SUBJECTS: Readonly<Record<string, () => unknown>> = {
  'as submitted': makeJob,
  'half granted, some started, some retried': () => halfGranted(CPUS),
  'the same with an eighth of all running': () => halfGranted(size / 8 / SESSIONS),
  'finished with outcomes': finished,
  'an object a task': objects,
};

function bytesHeld(): number {
  globalThis.gc!();
  globalThis.gc!();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function measureHere(make: () => unknown): number {
  const before = bytesHeld();
  const held = make();
  const bytes = bytesHeld() - before;
  // It must live until it was measured.
  if (held === undefined) throw new Error('nothing was made');
  return bytes / size;
}

function measureApart(name: string): number {
  const args = ['--expose-gc', fileURLToPath(import.meta.url), '--tasks', String(size), '--measure', name];
  return Number(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

if (values.measure !== undefined) {
  console.log(measureHere(SUBJECTS[values.measure]!));
} else {
  const figures: Record<string, unknown> = { tasks: size, rounds: Number(values.rounds) };
  for (const name of Object.keys(SUBJECTS)) {
    const all = Array.from({ length: Number(values.rounds) }, () => Math.round(measureApart(name) * 10) / 10);
    figures[`bytes a task, ${name}`] = { median: median(all), all };
  }
  const { median: live } = figures['bytes a task, half granted, some started, some retried'] as { median: number };
  report('memory-per-task', { ...figures, floor: FLOOR, goal: GOAL, 'goal met': live <= GOAL });
  if (live > FLOOR) throw new Error(`${live} bytes a task, more than ${FLOOR}`);
}
