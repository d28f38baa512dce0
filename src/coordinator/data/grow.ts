import type { Planned } from '../../api/data.ts';
import { GrantStatus } from '../../core/grant-range.ts';
import { IndexSet } from '../../core/index-set.ts';
import type { Job, JobPlan } from '../../core/job.ts';
import type { TaskState } from '../../core/task-state.ts';
import { TaskReason } from '../../core/task-table.ts';
import type { WorkerSession } from '../../core/worker-session.ts';
import type { Books } from '../books.ts';
import { addCanary } from '../canary.ts';
import type { JobEntry } from '../memory.ts';
import { awaitsPlan, planningJob, readsSameTasks } from './planned.ts';

/** Plans that a worker made. Only that of the current attempt of a planning job counts; gives how many were not. */
export function takePlanned(books: Books, session: WorkerSession, planned: readonly Planned[]): number {
  let stale = 0;
  for (const { fence, hash, parts } of planned) {
    const range = session.find(fence);
    const entry = range === undefined ? undefined : books.memory.jobs.get(range.jobId);
    const isOpen = range !== undefined && range.status[fence - range.fence] !== GrantStatus.closed;
    if (!isOpen || entry?.fixed.spec.role?.kind !== 'plan') {
      stale++;
      continue;
    }
    entry.job.plan = { hash, parts, fence };
    books.changed(entry.job);
  }
  return stale;
}

/** Why an attempt of a planning job that ended well has failed all the same; none of any other job. */
export function planProblem(books: Books, job: Job, fence: number): TaskReason {
  if (books.entryOf(job).fixed.spec.role?.kind !== 'plan') return TaskReason.none;
  if (job.plan?.fence !== fence) return TaskReason.noPlan;
  return job.plan.parts > books.maxTasks ? TaskReason.tooManyParts : TaskReason.none;
}

/** A planning job completes: the job that it is for gets its tasks, before anybody hears of it. */
export function growPlanned(books: Books, planner: Job): void {
  const { role } = books.entryOf(planner).fixed.spec;
  const entry = role?.kind === 'plan' ? books.memory.jobs.get(role.of) : undefined;
  // It was cancelled meanwhile, and gets them when it is tried again.
  if (entry !== undefined && entry.job.endedAt === 0) giveTasks(books, entry, planner);
}

/**
 * A job that was cancelled, or skipped, before it had its tasks shall run: it gets them when they are known by now, and is planned again when
 * they are not. Gives how many tasks run again for that.
 */
export function planAgain(books: Books, entry: JobEntry, retry: (planner: Job) => number): number {
  if (!awaitsPlan(entry)) return 0;
  const planner = planningJob(books.memory, entry);
  if (planner === undefined) return 0;
  if (planner.state === 'completed') giveTasks(books, entry, planner);
  return planner.endedAt !== 0 && planner.state !== 'completed' ? retry(planner) : 0;
}

function giveTasks(books: Books, entry: JobEntry, planner: Job): void {
  if (!awaitsPlan(entry)) return;
  const plan = planner.plan!;
  grow(books, entry, plan, IndexSet.ofSize(plan.parts));
  books.memory.changes.event(books.now, entry.job.id, 'jobPlanned', { parts: plan.parts, plan: planner.id });
}

/** A job that reads what the same tasks of another one made, and whose tasks are known, gets them at once. */
export function giveSameTasks(books: Books, entry: JobEntry): void {
  const { spec } = entry.fixed;
  if (!readsSameTasks(spec) || spec.input?.type !== 'job') return;
  const other = books.memory.jobs.get(Number(spec.input.job));
  if (other === undefined || awaitsPlan(other)) return;
  growAlike(books, entry, other.job);
}

function growAlike(books: Books, entry: JobEntry, { facts }: Job): void {
  grow(books, entry, { hash: '', parts: facts.indices.size, fence: 0 }, facts.indices);
}

/** The task that stood for them is the first of them. */
function grow(books: Books, { job, fixed }: JobEntry, plan: JobPlan, indices: IndexSet): void {
  const { memory } = books;
  const { changes, counters } = memory;
  const { size } = indices;
  if (size > 1) job.table.grow(size - 1, job.table.state[0] as TaskState);
  job.plan = plan;
  job.facts.indices = indices;
  const grown = { ...fixed, indices: indices.toString(), size, rawIdBase: counters.nextRaw };
  counters.nextRaw += size;
  changes.counters = true;
  memory.jobs.set(job.id, { job, fixed: grown });
  if (changes.newJobs.has(job)) changes.newJobs.set(job, grown);
  changes.resized.set(job.id, { id: job.id, indices: grown.indices, size, rawIdBase: grown.rawIdBase });
  addCanary(job, grown);
  books.changed(job);
  for (const { job: waiter } of job.waiters) {
    const follower = books.entryOf(waiter);
    const { role, input } = follower.fixed.spec;
    if (role?.kind === 'collect' && role.of === job.id) {
      waiter.plan = plan;
      books.changed(waiter);
    } else if (
      input?.type === 'job' &&
      input.job === job.id &&
      readsSameTasks(follower.fixed.spec) &&
      awaitsPlan(follower)
    ) {
      growAlike(books, follower, job);
    }
  }
}
