import type { RequeueRequest, RetryRequest, VerbReply } from '../api/job.ts';
import { SpawnError } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import { TaskReason } from '../core/task-table.ts';
import { holdTasks, RETRIED, requeueTasks, retryTasks, revokeHeld } from './again.ts';
import { cancelTasks, type Runs } from './cancel.ts';
import { beforeAgain, cancelPlan } from './data/plan-verbs.ts';
import { moveToLane } from './lanes.ts';
import type { Ledger } from './ledger.ts';
import { checkOwner } from './ownership.ts';
import { type ResolvedRef, resolveRef } from './refs.ts';
import { checkSelection, keep, selectTasks } from './selection.ts';
import { suspendTasks } from './suspend.ts';
import type { Caller } from './use-cases.ts';
import { viewJob } from './views.ts';
import type { World } from './world.ts';

export const VERBS = ['cancel', 'retry', 'requeue', 'hold', 'release', 'suspend', 'resume'] as const;
export type Verb = (typeof VERBS)[number];

/** Of each verb its own part. */
type VerbRequest = RetryRequest & RequeueRequest;

interface Named {
  job: Job;
  runs: Runs;
  whole: boolean;
}

/** One verb on a job or on some of its tasks. */
export async function applyVerb(
  ledger: Ledger,
  caller: Caller,
  verb: Verb,
  ref: string,
  selection: VerbRequest,
): Promise<VerbReply> {
  const runsAgain = verb === 'retry' || verb === 'requeue';
  const resolved = await resolveRef(ledger.memory, ledger.ports.store, ref, runsAgain ? 'runAgain' : 'change');
  checkSelection(selection);
  checkTerms(selection);
  const bringAll = () => ledger.bring(resolved.id, runsAgain);
  return await ledger.writeAfter(bringAll, (world) => {
    const entry = ledger.entry(resolved.id);
    checkOwner(entry, caller, verb);
    const tasks = applyNow(world, verb, entry.job, resolved, selection);
    world.settlement.run();
    return { job: viewJob(world.memory, world.entryOf(entry.job)), tasks };
  });
}

/** The verb on a job that is here, and that the caller may change. What follows from it is not settled yet. Gives how many tasks it changed. */
export function applyNow(world: World, verb: Verb, job: Job, resolved: ResolvedRef, selection: VerbRequest): number {
  const runsAgain = verb === 'retry' || verb === 'requeue';
  const again = runsAgain ? beforeAgain(world, world.entryOf(job)) : 0;
  const named = { job, ...selectTasks(job, resolved, selection) };
  if (runsAgain && resolved.indices === null && selection.index === undefined) named.runs = withoutResized(named);
  const tasks = act(world, verb, named, selection) + again;
  if (verb === 'cancel' && named.whole) cancelPlan(world, world.entryOf(job));
  if (tasks > 0) world.memory.changes.event(world.now, job.id, EVENTS[verb], { tasks });
  return tasks;
}

/** Members that a resize took away come back when they are named, not with all the others. */
function withoutResized({ job: { table }, runs }: Named): Runs {
  if (table.reasons === undefined) return runs;
  return keep(runs, (position) => table.reasonOf(position) !== TaskReason.resized);
}

const EVENTS: Record<Verb, string> = {
  cancel: 'jobCancelled',
  retry: 'jobRetried',
  requeue: 'jobRequeued',
  hold: 'jobHeld',
  release: 'jobReleased',
  suspend: 'jobSuspended',
  resume: 'jobResumed',
};

function act(world: World, verb: Verb, { job, runs, whole }: Named, request: VerbRequest): number {
  switch (verb) {
    case 'cancel':
      return cancelTasks(world, job, runs, TaskReason.cancelledByUser);
    case 'retry':
      changeNeeds(world, job, runs, request);
      return retryTasks(world, job, runs);
    case 'requeue':
      if (!job.facts.retryPolicy.requeue) throw new SpawnError('REQUEUE_DISABLED', { ref: String(job.id) });
      return requeueTasks(world, job, runs, request.hold === true);
    case 'hold': {
      const tasks = holdTasks(world, job, runs, whole, true);
      revokeHeld(world, job, runs);
      return tasks;
    }
    case 'release':
      return holdTasks(world, job, runs, whole, false);
    case 'suspend':
    case 'resume':
      return suspendTasks(world, job, runs, verb === 'suspend');
  }
}

/** A multiple and a fixed amount exclude each other. */
function checkTerms(request: RetryRequest): void {
  for (const [times, fixed] of [
    ['memoryTimes', 'memoryBytes'],
    ['timeLimitTimes', 'timeLimitMs'],
  ] as const) {
    if (request[times] === undefined || request[fixed] === undefined) continue;
    throw new SpawnError('BAD_REQUEST', {
      where: `${times}, ${fixed}`,
      expected: 'one of the two',
      found: 'both',
    });
  }
}

/** What is tried again gets other needs before it is ready, so that it never starts with the old ones. */
function changeNeeds(world: World, job: Job, runs: Runs, request: RetryRequest): void {
  const { memoryTimes, memoryBytes, timeLimitTimes, timeLimitMs } = request;
  const change = { memoryTimes, memoryBytes, timeLimitTimes, timeLimitMs };
  if (Object.values(change).every((each) => each === undefined)) return;
  const tried = runs.flatMap(([start, count]) =>
    RETRIED.flatMap((state) => [...job.table.runsOf(state, start, count)]),
  );
  moveToLane(world, job, tried, change);
}
