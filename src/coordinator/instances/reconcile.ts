import { stepOf } from '../../core/instance.ts';
import type { Job } from '../../core/job.ts';
import { launchNow } from '../../core/launch-order.ts';
import { TASK_STATES, TaskState } from '../../core/task-state.ts';
import { TaskFlag, TaskReason } from '../../core/task-table.ts';
import { cancelTask, eligiblePositions, failTask } from '../bound.ts';
import type { World } from '../world.ts';
import { endReasonOf, happened, want } from './change.ts';
import { TOLD, tellLimit } from './cost-events.ts';
import { direct } from './directives.ts';
import { tellEnd } from './ends.ts';
import type { InstanceArray } from './instance-array.ts';
import { makeRow } from './make-row.ts';
import { followPeers } from './peers.ts';
import type { InstanceRow } from './row.ts';
import { awaitsOthers, beginShare, hasShare, isCapped, splitShares, usedUp } from './shares.ts';

/** What one change brings about may bring about more, of the same array and of others: so often at most before the next commit. */
const ROUNDS = 8;

/** Looks at every array of which something changed, and makes it what it shall be as far as that is a matter of rows. */
export function reconcileArrays(world: World): void {
  const book = world.memory.instances;
  if (book.ports === undefined) return;
  for (let round = 0; round < ROUNDS && book.dirty.size > 0; round++) {
    const ids = [...book.dirty];
    book.dirty.clear();
    for (const id of ids) {
      const entry = world.memory.jobs.get(id);
      if (entry === undefined || !entry.job.facts.bound) continue;
      const array = book.arrayOf(entry.fixed);
      reconcile(world, entry.job, array);
    }
    world.settlement.run();
  }
  for (const row of book.stale) direct(world, row);
  book.stale.clear();
}

function reconcile(world: World, job: Job, array: InstanceArray): void {
  const later = (ms: number) => {
    const { instances } = world.memory;
    instances.wakeIn(world.clock, array.id, ms);
  };
  followSize(world, job, array);
  applyPolicies(world, job, array);
  followTasks(world, job, array);
  launchMembers(world, job, array, later);
  if (isCapped(world, array)) splitShares(world, array);
  queueLaunches(world, array);
  followPeers(world, array, later);
  tellEnd(world, job, array);
}

/** Also when members that a resize took away were retried. */
function followSize(world: World, job: Job, array: InstanceArray): void {
  if (!array.measure(job.table)) return;
  array.peersStale = true;
  array.sharesStale = true;
  for (const row of array.live.values()) world.memory.instances.stale.add(row);
}

/** What a cancelled task leaves behind goes; what is stopped and shall run is launched again. */
function followTasks(world: World, job: Job, array: InstanceArray): void {
  const { table } = job;
  const book = world.memory.instances;
  for (const row of array.live.values()) {
    const state = table.state[row.position]!;
    const over = state >= TaskState.completed;
    if (row.live.done !== over) {
      row.live.done = over;
      book.stale.add(row);
      if (!over && row.wanted === 'terminated') {
        row.passedOn = true;
        book.save(world.memory.changes, row);
      }
      noteTask(world, row, over ? TASK_STATES[state]! : '');
    }
    const cancelled =
      state === TaskState.cancelled ||
      state === TaskState.skipped ||
      (!over && table.hasFlag(row.position, TaskFlag.cancelRequested));
    const step = stepOf({ cancelled, mayRun: !over, live: row });
    if (step === 'end') want(world, row, 'terminated', endReasonOf(table.reasonOf(row.position)));
    if (step === 'relaunch' && happened(world, row, 'relaunch')) row.live.launch = 'no';
  }
}

/** For lists, when the job has left memory. */
function noteTask(world: World, row: InstanceRow, task: string): void {
  if (row.task === task) return;
  row.task = task;
  world.memory.instances.save(world.memory.changes, row);
}

/** The array as a whole fails: because of one task, or because too few machines came up. */
function applyPolicies(world: World, job: Job, array: InstanceArray): void {
  const { part, size } = array;
  const failed = job.table.counts[TaskState.failed]!;
  if (failed === 0 || job.finished) return;
  let why: string | undefined;
  if (part.failAllOnOne) why = 'a task failed';
  else if (part.onFailure !== 'keep') {
    const gone = failedLaunches(job, array);
    const least = Math.min(part.minViable ?? size, size);
    if (gone > 0 && size - gone < least) why = `${gone} of ${size} could not be started`;
  }
  if (why === undefined) return;
  const fails = !part.failAllOnOne && part.onFailure === 'fail-all';
  let changed = 0;
  for (let position = 0; position < job.size; position++) {
    const state = job.table.state[position]!;
    if (state >= TaskState.completed || job.table.hasFlag(position, TaskFlag.cancelRequested)) continue;
    const act = fails && state < TaskState.leased ? failTask : cancelTask;
    if (act(world, job, position, TaskReason.arrayFailed)) changed++;
  }
  for (const row of array.live.values()) if (want(world, row, 'terminated', 'array-failed', why)) changed++;
  if (changed > 0) world.memory.changes.event(world.now, job.id, 'arrayFailed', { why, policy: part.onFailure });
}

/** Members whose last machine could not be started, and whose task failed by that. */
function failedLaunches(job: Job, array: InstanceArray): number {
  let count = 0;
  for (const [start, length] of job.table.runsOf(TaskState.failed)) {
    for (let position = start; position < start + length; position++) {
      const reason = job.table.reasonOf(position);
      const row = array.newest(position);
      if (row !== undefined && row.launchedAt === 0 && !row.ranBefore && reason >= TaskReason.launchFailed) count++;
    }
  }
  return count;
}

/** What has a row and no machine yet gets one once the row is durable; under a cap not before it has a share to run on. */
function queueLaunches(world: World, array: InstanceArray): void {
  for (const row of array.live.values()) {
    if (row.state !== 'pending' || row.live.launch !== 'no' || row.wanted === 'terminated') continue;
    if (!hasShare(world, row)) {
      if (!awaitsOthers(world, array)) want(world, row, 'terminated', row.shareOf ?? 'cost-limit');
      continue;
    }
    row.live.launch = 'waiting';
    beginShare(world, row);
    world.memory.instances.toLaunch.add(row);
  }
}

function launchMembers(world: World, job: Job, array: InstanceArray, later: (ms: number) => void): void {
  const { now } = world;
  if (job.table.eligible.count === 0) return;
  let live = 0;
  let underWay = 0;
  for (const {
    state,
    live: { done },
  } of array.live.values()) {
    // One whose task is over takes nobody's turn, however long it stays.
    if (state !== 'stopped' && !done) live++;
    if (state === 'pending') underWay++;
  }
  const { launch, nextAt } = launchNow({
    waiting: withoutMachine(job, array),
    live,
    underWay,
    maxConcurrent: job.throttle,
    launchDelayMs: array.part.launchDelayMs,
    lastLaunchAt: array.lastLaunchAt,
    now,
  });
  if (nextAt !== undefined) later(nextAt - now);
  if (launch.length === 0) return;
  const spent = isCapped(world, array) ? usedUp(world, array) : undefined;
  if (spent !== undefined) {
    refuseLaunches(world, job, array, spent);
    return;
  }
  for (const position of launch) makeRow(world, array, position);
  array.lastLaunchAt = now;
}

function* withoutMachine(job: Job, array: InstanceArray): Generator<number> {
  for (const position of eligiblePositions(job)) if (!array.live.has(position)) yield position;
}

/** Nothing is left to spend: what waits for a machine gets none. */
function refuseLaunches(world: World, job: Job, array: InstanceArray, spent: 'cost-limit' | 'budget'): void {
  const reason = spent === 'budget' ? TaskReason.budget : TaskReason.costLimit;
  for (const position of [...withoutMachine(job, array)]) cancelTask(world, job, position, reason);
  if (spent === 'cost-limit') tellLimit(world, array, TOLD.used);
  if (spent === 'cost-limit' || array.toldBudget) return;
  array.toldBudget = true;
  world.memory.changes.event(world.now, job.id, 'costLimitReached', { by: spent });
}
