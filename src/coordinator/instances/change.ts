import type { EndReason } from '../../api/instance.ts';
import { type InstanceEvent, moveInstance, type WantedState } from '../../core/instance.ts';
import type { Job } from '../../core/job.ts';
import { TaskFlag, TaskReason } from '../../core/task-table.ts';
import { cancelTask, failTask } from '../bound.ts';
import { requestStop } from '../cancel.ts';
import type { World } from '../world.ts';
import { fold } from './accounts.ts';
import { countEnded } from './budget-book.ts';
import { tellUsedUp } from './cost-events.ts';
import type { InstanceRow } from './row.ts';

/** A row changed: it is stored, its directive and its array are looked at. */
export function changed(world: World, row: InstanceRow): void {
  const book = world.memory.instances;
  book.save(world.memory.changes, row);
  book.dirty.add(row.jobId);
  if (row.endedAt !== 0) return;
  // Its task may have become ready while it rested.
  if (row.wanted === 'running') world.memory.changes.binding.add(row.jobId);
  book.stale.add(row);
  book.attention.add(row);
}

/** How it shall be from now on. What shall be terminated stays so. False when that was so already. */
export function want(
  world: World,
  row: InstanceRow,
  wanted: WantedState,
  reason?: EndReason,
  message?: string,
): boolean {
  if (row.wanted === wanted || row.wanted === 'terminated' || row.endedAt !== 0) return false;
  row.wanted = wanted;
  setReason(row, reason, message);
  row.live.unlike = undefined;
  row.live.wantedVersion = Number.POSITIVE_INFINITY;
  changed(world, row);
  return true;
}

export function setReason(row: InstanceRow, reason: EndReason | undefined, message: string | undefined): void {
  if (reason === undefined) delete row.reason;
  else row.reason = reason;
  if (message === undefined) delete row.message;
  else row.message = message;
}

/** Something happened to it; false when that is no news. */
export function happened(world: World, row: InstanceRow, event: InstanceEvent): boolean {
  const to = moveInstance(row.state, event);
  if (to === undefined) return false;
  const { memory, now } = world;
  const array = memory.instances.arrays.get(row.jobId)!;
  fold(world, row, array.part.ttlMode);
  const from = row.state;
  row.state = to;
  row.live.unlike = undefined;
  if (to === 'running' && row.launchedAt === 0) {
    row.launchedAt = now;
  }
  if (to === 'running' || from === 'running') {
    array.peersStale = true;
    memory.instances.publish(row);
  }
  if (to === 'stopped' || from === 'stopped') array.sharesStale = true;
  const told = EVENTS[to];
  if (told !== undefined) tell(world, row, told);
  if (to === 'terminated') over(world, row);
  changed(world, row);
  for (const wake of memory.instances.waiting) wake();
  return true;
}

const EVENTS: Partial<Record<InstanceRow['state'], string>> = {
  running: 'instanceRunning',
  stopped: 'instanceStopped',
  hibernated: 'instanceHibernated',
};

/** An event about one instance. */
export function tell(world: World, row: InstanceRow, kind: string, more: Record<string, unknown> = {}): void {
  const { id, name, index, reason, message } = row;
  const detail = {
    instance: id,
    name,
    index,
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
    ...more,
  };
  world.memory.changes.event(world.now, row.jobId, kind, detail);
}

function over(world: World, row: InstanceRow): void {
  row.endedAt = world.now;
  row.wanted = 'terminated';
  row.reason ??= 'lost';
  const book = world.memory.instances;
  book.toPublish.set(row.id, undefined);
  book.ended(row);
  countEnded(world, row);
  tellUsedUp(world, row);
  const kind = row.reason === 'lost' ? 'memberLost' : row.reason === 'interrupted' ? 'memberInterrupted' : undefined;
  const { replacements } = book.arrays.get(row.jobId)!.part;
  const replaced = row.losses < replacements;
  if (row.reason === 'launch-failed') tell(world, row, 'instanceLaunchFailed');
  else tell(world, row, kind ?? 'instanceTerminated', kind === undefined ? {} : { replaced });
  settleTask(world, row, replaced);
}

const TASK_REASONS: Record<EndReason, TaskReason | undefined> = {
  user: TaskReason.terminated,
  completed: undefined,
  ttl: TaskReason.ttl,
  'cost-limit': TaskReason.costLimit,
  budget: TaskReason.budget,
  idle: TaskReason.idle,
  interrupted: TaskReason.interrupted,
  lost: TaskReason.instanceLost,
  'launch-failed': TaskReason.launchFailed,
  'array-failed': TaskReason.arrayFailed,
  resized: TaskReason.resized,
  replaced: undefined,
  cancelled: undefined,
};

/** What is left of its task goes with it, or gets another machine. */
function settleTask(world: World, row: InstanceRow, replaced: boolean): void {
  const job = world.memory.jobs.get(row.jobId)?.job;
  const reason = TASK_REASONS[row.reason!];
  if (job === undefined || reason === undefined || row.passedOn === true) return;
  switch (row.reason) {
    case 'interrupted':
      if (!replaced) cancelTask(world, job, row.position, reason);
      break;
    case 'lost':
      if (!replaced) failLost(world, job, row.position);
      break;
    case 'launch-failed':
      failTask(world, job, row.position, reason);
      break;
    default:
      cancelTask(world, job, row.position, reason);
  }
}

/**
 * Before the session of a machine that was ended on purpose is lost: what its task held ends as was meant, and counts as no loss.
 */
export function foretell(world: World, row: InstanceRow, stopped: boolean): void {
  const job = world.memory.jobs.get(row.jobId)?.job;
  const { reason } = row;
  if (job === undefined || row.passedOn === true || reason === 'lost' || reason === 'launch-failed') return;
  // Without a reason it shall run again as soon as it has stopped.
  if (reason === undefined) {
    if (stopped) requestStop(world, job, [[row.position, 1]], TaskFlag.requeueRequested, TaskReason.none);
    return;
  }
  const { replacements } = world.memory.instances.arrays.get(row.jobId)!.part;
  const goesOn = stopped || reason === 'replaced' || (reason === 'interrupted' && row.losses < replacements);
  const taskReason = TASK_REASONS[reason] ?? TaskReason.cancelledByUser;
  if (goesOn) requestStop(world, job, [[row.position, 1]], TaskFlag.requeueRequested, TaskReason.none);
  else if (reason !== 'completed') cancelTask(world, job, row.position, taskReason);
}

/** The loss of its session may have told already that it was one too many. */
function failLost(world: World, job: Job, position: number): void {
  const { table } = job;
  if (failTask(world, job, position, TaskReason.instanceLost)) return;
  if (table.reasonOf(position) !== TaskReason.crashLimit) return;
  table.setReason(position, 1, TaskReason.instanceLost);
  world.changed(job);
}

/** Why a task whose instance is to end has ended, as far as it says so. */
export function endReasonOf(reason: TaskReason): EndReason {
  const found = Object.entries(TASK_REASONS).find(([, each]) => each === reason);
  return (found?.[0] as EndReason | undefined) ?? 'cancelled';
}
