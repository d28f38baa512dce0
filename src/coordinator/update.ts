import type { UpdateRequest, VerbReply } from '../api/job.ts';
import { type Dependency, parseDependency } from '../core/dependency.ts';
import { SpawnError } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import { TaskState } from '../core/task-state.ts';
import type { Runs } from './cancel.ts';
import type { Ledger } from './ledger.ts';
import { checkOwner } from './ownership.ts';
import { bringPredecessors, checkPredecessors } from './predecessors.ts';
import { changeDependency } from './recondition.ts';
import { resolveRef } from './refs.ts';
import { revokeEverywhere } from './revoke.ts';
import { checkSelection, type Selected, selectTasks } from './selection.ts';
import type { Caller } from './use-cases.ts';
import { viewJob } from './views.ts';
import type { World } from './world.ts';

/** Fields that may also be given for some of the tasks. */
const OF_TASKS = ['priority', 'timeLimitMs', 'memoryBytes', 'after'] as const;
/** Fields that only a job as a whole has. */
const OF_JOB = ['throttle', 'beginAt', 'beginInMs', 'deadlineAt', 'deadlineInMs', 'maxFailures'] as const;

/** A request with all that could be wrong with it, whatever the job, checked. `undefined`: not to be changed. */
interface Checked {
  readonly request: UpdateRequest;
  readonly dependency: Dependency | null | undefined;
}

/** Changes a job that has not ended, or some of its tasks; all of the request or, with an error, nothing. */
export async function updateJob(
  ledger: Ledger,
  caller: Caller,
  ref: string,
  request: UpdateRequest,
): Promise<VerbReply> {
  const checked = check(request);
  const resolved = await resolveRef(ledger.memory, ledger.ports.store, ref, true);
  const bringAll = async () => {
    await ledger.bring(resolved.id, false);
    await bringPredecessors(ledger, checked.dependency ?? null);
  };
  return await ledger.writeAfter(bringAll, (world) => {
    const entry = ledger.entry(resolved.id);
    checkOwner(entry, caller, 'update');
    const { job } = entry;
    if (job.endedAt !== 0) throw new SpawnError('JOB_ENDED', { ref: String(job.id), state: job.state });
    checkPredecessors(ledger, checked.dependency ?? null);
    const selected = selectTasks(job, resolved, request);
    if (!selected.whole) refuseJobFields(request, ref);
    const tasks = apply(world, job, selected, checked);
    if (tasks > 0) world.memory.changes.event(world.now, job.id, 'jobUpdated', { tasks, ...changesOf(request) });
    world.changed(job);
    for (const { session } of world.memory.sessions.values()) world.memory.changes.topUp.add(session);
    return { job: viewJob(world.memory, entry), tasks };
  });
}

function check(request: UpdateRequest): Checked {
  const fields = [...OF_TASKS, ...OF_JOB];
  if (fields.every((field) => request[field] === undefined)) {
    throw new SpawnError('BAD_REQUEST', {
      where: 'body',
      expected: `at least one field: ${fields.join(', ')}`,
      found: 'none',
    });
  }
  for (const [at, after] of [
    ['beginAt', 'beginInMs'],
    ['deadlineAt', 'deadlineInMs'],
  ] as const) {
    if (request[at] === undefined || request[after] === undefined) continue;
    throw new SpawnError('BAD_REQUEST', { where: at, expected: `not together with ${after}`, found: request[at] });
  }
  checkSelection(request);
  const { after } = request;
  const dependency = after === undefined ? undefined : after === '' ? null : parseDependency(after);
  return { request, dependency };
}

function refuseJobFields(request: UpdateRequest, ref: string): void {
  const field = OF_JOB.find((name) => request[name] !== undefined);
  if (field === undefined) return;
  throw new SpawnError('BAD_REQUEST', {
    where: field,
    expected: `a whole job: single tasks have only ${OF_TASKS.join(', ')}`,
    found: ref,
  });
}

function changesOf({ index: _index, state: _state, where: _where, ...changes }: UpdateRequest): object {
  return changes;
}

/** Gives how many tasks it concerns: those of the selection that have not ended, if anything is another now. */
function apply(world: World, job: Job, { runs, whole }: Selected, { request, dependency }: Checked): number {
  const { throttle, maxFailures } = request;
  let changed = false;
  // What can be refused comes first, so that nothing is half done.
  if (dependency !== undefined) changed = changeDependency(world, job, whole ? null : runs, dependency) > 0;
  if (throttle !== undefined) changed = changeThrottle(world, job, throttle) || changed;
  if (maxFailures !== undefined) {
    const most = maxFailures ?? Number.POSITIVE_INFINITY;
    changed = changed || most !== job.maxFailures;
    job.maxFailures = most;
    if (job.table.counts[TaskState.failed]! > most) world.failedTooOften(job);
  }
  return changed ? liveIn(job, runs) : 0;
}

function changeThrottle(world: World, job: Job, throttle: number): boolean {
  const changed = job.throttle !== throttle;
  job.throttle = throttle;
  const { counts } = job.table;
  const over = counts[TaskState.leased]! + counts[TaskState.running]! - throttle;
  // What runs goes on; only what has not started is taken back.
  if (throttle > 0 && over > 0) revokeEverywhere(world, job, over);
  return changed;
}

function liveIn({ table }: Job, runs: Runs): number {
  let live = 0;
  for (const [start, count] of runs) {
    for (let position = start; position < start + count; position++) {
      if (table.state[position]! < TaskState.completed) live++;
    }
  }
  return live;
}
