import type { SummaryReply } from '../api/insight.ts';
import type { JobView, TaskView } from '../api/job.ts';
import { GrantStatus } from '../core/grant-range.ts';
import { asJobId, formatTaskId } from '../core/ids.ts';
import type { Job } from '../core/job.ts';
import { decodeOutcome, exitCodeOf, outcomeText } from '../core/outcome.ts';
import { remainingMs } from '../core/remaining-time.ts';
import type { SlowEnd } from '../core/slowest.ts';
import { TASK_STATES, TaskState } from '../core/task-state.ts';
import { countTasks, type TaskCounts } from './count-tasks.ts';
import { failureGroups } from './failures.ts';
import { taskRawId } from './job-row.ts';
import type { Ledger } from './ledger.ts';
import type { JobEntry, Memory } from './memory.ts';
import { lookAt } from './reading.ts';
import { resolveRef } from './refs.ts';
import { sampleFailures } from './sample-failures.ts';
import { viewStates } from './tasks.ts';
import { viewJob } from './views.ts';

/** As many as of the slowest. */
const LONGEST = 5;

interface Look {
  readonly job: Job;
  readonly view: JobView;
  readonly counts: TaskCounts;
  readonly slowest: readonly (readonly [SlowEnd, TaskView])[];
  readonly rest: Pick<SummaryReply, 'longestRunning' | 'latestRunning' | 'ratePerSecond' | 'etaAt' | 'retriedTasks'>;
}

/** Counts, rate, failures by cause and slowest tasks of a job. What is exact is counted in memory; only messages are read from logs. */
export async function summarise(ledger: Ledger, ref: string): Promise<SummaryReply> {
  const { store, clock } = ledger.ports;
  const { id } = await resolveRef(ledger.memory, store, ref, 'look');
  const { job, view, counts, slowest, rest } = await lookAt(ledger, id, (entry, memory) =>
    look(entry, memory, clock.now()),
  );
  const sample = counts.failed.size === 0 ? [] : await sampleFailures(ledger.ports, job, counts.failed);
  const workers = await store.findSessions([...new Set(slowest.map(([{ sessionId }]) => sessionId))]);
  for (const [{ sessionId }, task] of slowest) {
    const worker = workers.find((session) => session.id === sessionId)?.worker;
    if (worker !== undefined) task.worker = worker;
  }
  return { job: view, failures: failureGroups(job, counts, sample), slowest: slowest.map(([, task]) => task), ...rest };
}

function look(entry: JobEntry, memory: Memory, now: number): Look {
  const { job } = entry;
  const counts = countTasks(job);
  const ratePerSecond = job.endedAt === 0 ? job.pace.perSecond(now, job.startedAt) : undefined;
  const leftMs = timeLeft(job, now);
  return {
    job,
    view: viewJob(memory, entry),
    counts,
    slowest: job.slowest.ends.map((end) => [end, viewSlow(entry, end)] as const),
    rest: {
      longestRunning: viewStates(
        memory,
        entry,
        firstRunning(job, (a, b) => a - b),
      ),
      latestRunning: viewStates(
        memory,
        entry,
        firstRunning(job, (a, b) => b - a),
      ),
      ...(ratePerSecond === undefined ? {} : { ratePerSecond }),
      ...(leftMs === undefined ? {} : { etaAt: now + leftMs }),
      retriedTasks: counts.retried,
    },
  };
}

/** Ms until the job has ended if it goes on as in the last minute; undefined when it is held, or nothing of it runs. */
export function timeLeft(job: Job, now: number): number | undefined {
  const { counts, ended } = job.table;
  if (job.endedAt !== 0 || job.held) return undefined;
  return remainingMs({
    left: job.size - ended,
    running: counts[TaskState.running]! + counts[TaskState.leased]!,
    meanWallUs: job.meanWallUs,
    perSecond: job.pace.perSecond(now, job.startedAt),
  });
}

/** Positions of the first running tasks in an order of when they started. */
function firstRunning(job: Job, order: (a: number, b: number) => number): number[] {
  const first: { position: number; since: number }[] = [];
  for (const range of job.grants) {
    for (let at = 0; range.running > 0 && at < range.count; at++) {
      if (range.status[at] !== GrantStatus.running) continue;
      const since = range.startedAt![at]!;
      if (first.length === LONGEST && order(since, first.at(-1)!.since) >= 0) continue;
      first.push({ position: range.position + at, since });
      first.sort((a, b) => order(a.since, b.since));
      first.length = Math.min(first.length, LONGEST);
    }
  }
  return first.map(({ position }) => position);
}

/** The attempt as it ended; the state is the task's of now. */
function viewSlow({ job, fixed }: JobEntry, end: SlowEnd): TaskView {
  const { table, facts } = job;
  const { position } = end;
  const index = facts.indices.at(position);
  const outcome = decodeOutcome(end.outcome);
  return {
    id: formatTaskId(asJobId(job.id), index),
    jobId: job.id,
    index,
    rawId: taskRawId(fixed, position),
    state: TASK_STATES[table.state[position]!]!,
    attempt: end.attempt,
    failures: table.failures?.[position] ?? 0,
    outcome: outcomeText(outcome),
    exitCode: exitCodeOf(outcome),
    ...(outcome.kind === 'signalled' ? { signal: outcome.signal } : {}),
    startedAt: Math.round(end.endedAt - end.wallUs / 1000),
    endedAt: end.endedAt,
    wallMs: end.wallUs / 1000,
    cpuMs: end.cpuUs / 1000,
    maxRssBytes: end.maxRssKb * 1024,
  };
}
