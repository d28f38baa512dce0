import type { UpdateRequest, VerbReply } from '../api/job.ts';
import { type Dependency, formatDependency, parseDependency } from '../core/dependency.ts';
import { SpawnError } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import { checkOutputPath } from '../core/output-path.ts';
import { counted } from '../core/shown.ts';
import { TaskState } from '../core/task-state.ts';
import type { Runs } from './cancel.ts';
import { refuseAwaiting } from './data/plan-verbs.ts';
import { changePriority, moveToLane } from './lanes.ts';
import type { Ledger } from './ledger.ts';
import { forgetJob } from './link.ts';
import type { JobEntry } from './memory.ts';
import { checkOwner } from './ownership.ts';
import { bringPredecessors, checkPredecessors, withoutRawIds } from './predecessors.ts';
import { changeDependency, checkChange } from './recondition.ts';
import { resolveRef } from './refs.ts';
import { revokeEverywhere } from './revoke.ts';
import { checkSelection, type Selected, selectTasks } from './selection.ts';
import { changeSlurm, checkSlurm } from './slurm.ts';
import { checkGiven, checkTimes, type NewTimes, setTimes } from './times.ts';
import type { Caller } from './use-cases.ts';
import { viewJob } from './views.ts';
import type { World } from './world.ts';

/** Fields that may also be given for some of the tasks. */
const OF_TASKS = ['priority', 'timeLimitMs', 'memoryBytes', 'cpus', 'gpus', 'after'] as const;
/** Fields that only a job as a whole has. */
const OF_JOB = [
  'throttle',
  'beginAt',
  'beginInMs',
  'deadlineAt',
  'deadlineInMs',
  'maxFailures',
  'outputPath',
  'slurm',
] as const;

/** A request with all that could be wrong with it, whatever the job, checked. `undefined`: not to be changed. */
interface Checked {
  readonly request: UpdateRequest;
  readonly dependency: Dependency | null | undefined;
}

/** Changes a job that has not ended, or some of its tasks; all of the request or, with an error, nothing. */
export async function updateJob(ledger: Ledger, caller: Caller, ref: string, given: UpdateRequest): Promise<VerbReply> {
  const checked = await nameTasks(ledger, check(given));
  const { request } = checked;
  const resolved = await resolveRef(ledger.memory, ledger.ports.store, ref, 'change');
  const bringAll = async () => {
    // What was skipped may wait again, and then so do those who were skipped because of it.
    await ledger.bring(resolved.id, checked.dependency !== undefined);
    await bringPredecessors(ledger, checked.dependency ?? null);
  };
  return await ledger.writeAfter(bringAll, (world) => {
    const entry = ledger.entry(resolved.id);
    checkOwner(entry, caller, 'update');
    const { job } = entry;
    if (job.endedAt !== 0) throw new SpawnError('JOB_ENDED', { ref: String(job.id), state: job.state });
    checkPredecessors(ledger, checked.dependency ?? null);
    if (checked.dependency !== undefined) refuseAwaiting(entry);
    const selected = selectTasks(job, resolved, request);
    if (!selected.whole) refuseJobFields(request, ref);
    if (request.outputPath !== undefined) checkOutput(entry);
    const tasks = apply(world, entry, selected, checked);
    if (request.outputPath !== undefined) forgetJob(ledger.links.values(), job.id);
    if (tasks > 0) world.memory.changes.event(world.now, job.id, 'jobUpdated', { tasks, ...changesOf(job, request) });
    world.changed(job);
    world.settlement.run();
    for (const session of world.memory.pool) world.memory.changes.topUp.add(session);
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
  checkGiven('beginAt', { at: request.beginAt, inMs: request.beginInMs });
  checkGiven('deadlineAt', { at: request.deadlineAt, inMs: request.deadlineInMs });
  checkSelection(request);
  const { after, outputPath } = request;
  if (outputPath !== undefined) checkOutputPath(outputPath, 'outputPath');
  const dependency = after === undefined ? undefined : after === '' ? null : parseDependency(after);
  return { request, dependency };
}

/** Its dependency names no task by its raw number any more. */
async function nameTasks(ledger: Ledger, checked: Checked): Promise<Checked> {
  if (!checked.dependency) return checked;
  const dependency = await withoutRawIds(ledger, checked.dependency);
  return { request: { ...checked.request, after: formatDependency(dependency) }, dependency };
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

/** What is told of it: the times as they are now, however they were given. */
function changesOf(job: Job, request: UpdateRequest): object {
  const told = [...OF_TASKS, 'throttle', 'maxFailures', 'outputPath', 'slurm'] as const;
  const { beginAt, beginInMs, deadlineAt, deadlineInMs } = request;
  return {
    ...Object.fromEntries(told.flatMap((name) => (request[name] === undefined ? [] : [[name, request[name]]]))),
    ...(beginAt === undefined && beginInMs === undefined ? {} : { beginAt: job.beginAt || null }),
    ...(deadlineAt === undefined && deadlineInMs === undefined ? {} : { deadlineAt: job.deadlineAt || null }),
  };
}

/** Gives how many tasks it concerns: those of the selection that have not ended, if anything is another now. */
function apply(world: World, entry: JobEntry, { runs, whole }: Selected, { request, dependency }: Checked): number {
  const { job } = entry;
  const { throttle, maxFailures, priority, timeLimitMs, memoryBytes, cpus, gpus, outputPath, slurm } = request;
  const times: NewTimes = {
    beginAt: fromNow(world.now, request.beginInMs) ?? request.beginAt,
    deadlineAt: fromNow(world.now, request.deadlineInMs) ?? request.deadlineAt,
  };
  const some = whole ? null : runs;
  const live = liveIn(job, runs);
  // All that can be refused comes before the first change, so that nothing is half done.
  checkTimes(world.now, job, times);
  if (dependency !== undefined) checkChange(world, job, some, dependency);
  if (job.facts.bound) refuseSizes(request);
  if (job.facts.gang !== undefined) refuseOfGang(request);
  if (slurm !== undefined) checkSlurm(entry, slurm);
  const terms = { timeLimitMs, memoryBytes, cpus, gpus, ...(whole ? {} : { priority }) };
  const changes = [
    Object.values(terms).some((term) => term !== undefined) && moveToLane(world, job, runs, terms) > 0,
    whole && priority !== undefined && changePriority(world, job, priority),
    setTimes(world, job, times),
    dependency !== undefined && changeDependency(world, job, some, dependency) > 0,
    slurm !== undefined && changeSlurm(world, entry, slurm),
    outputPath !== undefined && changeOutput(entry, outputPath),
    throttle !== undefined && changeThrottle(world, job, throttle),
    maxFailures !== undefined && changeMaxFailures(world, job, maxFailures ?? Number.POSITIVE_INFINITY),
  ];
  return changes.some((changed) => changed) ? live : 0;
}

/** What a machine has follows from its type. */
function refuseSizes({ cpus, gpus }: UpdateRequest): void {
  if (cpus === undefined && gpus === undefined) return;
  const [where, found] = cpus === undefined ? ['gpus', gpus] : ['cpus', cpus];
  throw new SpawnError('BAD_REQUEST', { where, expected: 'none for a job with instances: their type says it', found });
}

/** Those that a worker has, and tasks that were submitted without a file, would not know it. */
function checkOutput({ job, fixed }: JobEntry): void {
  const ask = (expected: string, found: string) =>
    new SpawnError('CONFLICT', { what: `job ${job.id}`, expected, found });
  if (fixed.spec.outputPath === undefined) throw ask('one that was submitted with an output file', 'one without');
  if (job.grants.size === 0) return;
  throw ask('no task with a worker while outputPath changes', `${counted(openIn(job), 'task')} with workers`);
}

function openIn({ grants }: Job): number {
  return [...grants].reduce((sum, { open }) => sum + open, 0);
}

function changeOutput({ job, fixed }: JobEntry, pattern: string): boolean {
  const changed = (job.outputPath ?? fixed.spec.outputPath) !== pattern;
  job.outputPath = pattern;
  return changed;
}

/** They follow from its ranks. */
function refuseOfGang({ cpus, gpus = 0 }: UpdateRequest): void {
  const [where, expected, found] =
    cpus === undefined ? ['gpus', 'whole devices of each node of a gang', gpus] : ['cpus', 'none for a gang', cpus];
  if (cpus === undefined && Number.isInteger(gpus)) return;
  throw new SpawnError('BAD_REQUEST', { where, expected, found });
}

function fromNow(now: number, ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : now + ms;
}

function changeMaxFailures(world: World, job: Job, most: number): boolean {
  const changed = job.maxFailures !== most;
  job.maxFailures = most;
  if (job.table.counts[TaskState.failed]! > most) world.failedTooOften(job);
  return changed;
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
