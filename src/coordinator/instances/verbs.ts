import type { InstanceTarget, InstanceVerb, InstanceVerbReply, InstanceVerbRequest } from '../../api/instance.ts';
import { SpawnError } from '../../core/errors.ts';
import { effectOf } from '../../core/instance.ts';
import { TaskReason } from '../../core/task-table.ts';
import { requeueTasks } from '../again.ts';
import { cancelTask } from '../bound.ts';
import { cancelTasks } from '../cancel.ts';
import type { Ledger } from '../ledger.ts';
import { checkOwner } from '../ownership.ts';
import type { Caller } from '../use-cases.ts';
import type { World } from '../world.ts';
import { setTtlLeft, ttlLeftOf } from './accounts.ts';
import { acknowledged, type Done } from './acknowledged.ts';
import { changed, tell, want } from './change.ts';
import type { InstanceArray } from './instance-array.ts';
import type { InstanceRow } from './row.ts';
import { findTargets } from './targets.ts';

const WAIT_MS = 10_000;
const NOTICE_MS = 120_000;

/** One verb on all instances that a target means: durable when it resolves, and acknowledged by their agents or late. */
export async function applyInstanceVerb(
  ledger: Ledger,
  caller: Caller,
  verb: InstanceVerb,
  request: InstanceVerbRequest,
): Promise<InstanceVerbReply> {
  checkRequest(verb, request);
  if (verb === 'replace') await bringJobs(ledger, caller, request);
  const done = await ledger.write((world) => {
    const found = findTargets(world.memory.instances, request.target, caller);
    for (const [array] of found) checkOwner({ ...world.memory.jobs.get(array.id)!, fixed: array.fixed }, caller, verb);
    const each = found.map(([array, row]) => act(world, array, row, verb, request));
    if (verb === 'terminate') for (const array of wholeArrays(found, request.target)) endWaiting(world, array);
    world.settlement.run();
    return each;
  });
  return await acknowledged(ledger, done, request.waitMs ?? WAIT_MS);
}

/** A member of an array that has ended gets another machine only when its task can run again. */
async function bringJobs(ledger: Ledger, caller: Caller, { target }: InstanceVerbRequest): Promise<void> {
  for (const id of new Set(findTargets(ledger.memory.instances, target, caller).map(([array]) => array.id)))
    await ledger.bring(id, true);
}

/** Errors: BAD_REQUEST for a field that is missing, or that the verb has no use for. */
function checkRequest(verb: InstanceVerb, { byMs, ttlMs, noticeMs }: InstanceVerbRequest): void {
  const bad = (where: string, expected: string, found: string): never => {
    throw new SpawnError('BAD_REQUEST', { where, expected, found });
  };
  if (verb === 'extend') {
    if ((byMs === undefined) === (ttlMs === undefined))
      bad('byMs, ttlMs', 'one of the two', byMs === undefined ? 'none' : 'both');
    if (byMs === 0) bad('byMs', 'more than 0', '0');
    if (ttlMs === 0) bad('ttlMs', 'more than 0', '0');
  } else if (byMs !== undefined || ttlMs !== undefined) {
    bad(byMs === undefined ? 'ttlMs' : 'byMs', 'it only with extend', verb);
  }
  if (noticeMs !== undefined && verb !== 'interrupt') bad('noticeMs', 'it only with interrupt', verb);
}

function act(
  world: World,
  array: InstanceArray,
  row: InstanceRow,
  verb: InstanceVerb,
  request: InstanceVerbRequest,
): Done {
  const effect = effectOf(verb, row.state, row.wanted, row.spot);
  switch (effect.kind) {
    case 'none':
      return { row, changed: false, state: true };
    case 'refused':
      return { row, changed: false, note: effect.note };
    case 'want':
      tell(world, row, 'instanceAsked', { verb });
      want(world, row, effect.wanted, effect.wanted === 'running' ? undefined : 'user');
      if (effect.wanted === 'terminated') endTask(world, row);
      return { row, changed: true, state: true };
    case 'do':
      if (verb === 'extend') return extend(world, array, row, request);
      if (verb === 'interrupt') return interrupt(world, row, request.noticeMs ?? NOTICE_MS);
      return replace(world, row);
  }
}

function endTask(world: World, row: InstanceRow): void {
  const job = world.memory.jobs.get(row.jobId)?.job;
  if (job !== undefined) cancelTask(world, job, row.position, TaskReason.terminated);
}

/** Arrays that a target means with all that they have, not only with what runs. */
function wholeArrays(
  found: readonly (readonly [InstanceArray, InstanceRow])[],
  { instance, tag, arrayId, arrayName }: InstanceTarget,
): ReadonlySet<InstanceArray> {
  const isWhole = instance === undefined && tag === undefined && (arrayId ?? arrayName) !== undefined;
  return new Set(isWhole ? found.map(([array]) => array) : []);
}

/** Members that wait for their turn, or for a retry, are not launched after that. */
function endWaiting(world: World, { id }: InstanceArray): void {
  const job = world.memory.jobs.get(id)?.job;
  if (job !== undefined) cancelTasks(world, job, [[0, job.size]], TaskReason.terminated);
}

/** Moves the one deadline. */
function extend(world: World, { part }: InstanceArray, row: InstanceRow, request: InstanceVerbRequest): Done {
  const left = ttlLeftOf(world, row, part.ttlMode);
  const { byMs, ttlMs } = request;
  // It lives longer than that anyway.
  if (byMs !== undefined && left === undefined) return { row, changed: false };
  const next = ttlMs ?? Math.max(0, left!) + byMs!;
  row.ttlMs = ttlMs ?? row.ttlMs + byMs!;
  setTtlLeft(world, row, next);
  row.live.ttlVersion = Number.POSITIVE_INFINITY;
  tell(world, row, 'instanceExtended', { ttlLeftMs: next });
  changed(world, row);
  return { row, changed: true };
}

/** Gives the notice; its agent ends it then, and only it. */
function interrupt(world: World, row: InstanceRow, noticeMs: number): Done {
  if (row.interruptAt > 0) return { row, changed: false, note: 'its interruption was announced before' };
  row.interruptAt = world.now + noticeMs;
  tell(world, row, 'instanceInterruptNotice', { noticeMs });
  changed(world, row);
  return { row, changed: true };
}

/** Its task runs again, on another machine with the same name. */
function replace(world: World, row: InstanceRow): Done {
  const job = world.memory.jobs.get(row.jobId)?.job;
  if (job === undefined) return { row, changed: false, note: 'its job is gone' };
  if (row.wanted === 'terminated' && row.endedAt === 0 && row.reason === 'replaced') return { row, changed: false };
  requeueTasks(world, job, [[row.position, 1]]);
  want(world, row, 'terminated', 'replaced');
  if (row.endedAt === 0 && row.reason !== 'replaced') {
    row.reason = 'replaced';
    changed(world, row);
  }
  tell(world, row, 'instanceAsked', { verb: 'replace' });
  return { row, changed: true };
}
