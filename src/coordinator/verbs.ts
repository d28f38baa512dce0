import type { Selection, UpdateRequest, VerbReply } from '../api/job.ts';
import { SpawnError } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import { TaskState } from '../core/task-state.ts';
import { TaskReason } from '../core/task-table.ts';
import { holdTasks, requeueTasks, retryTasks, revokeHeld } from './again.ts';
import { cancelTasks, type Runs } from './cancel.ts';
import type { Ledger } from './ledger.ts';
import { resolveRef, selectRuns } from './refs.ts';
import { revokeEverywhere } from './revoke.ts';
import { viewJob } from './views.ts';
import type { World } from './world.ts';

export const VERBS = ['cancel', 'retry', 'requeue', 'hold', 'release'] as const;
export type Verb = (typeof VERBS)[number];

interface Named {
  job: Job;
  runs: Runs;
  whole: boolean;
}

/** One verb on a job or on some of its tasks. */
export async function applyVerb(ledger: Ledger, verb: Verb, ref: string, selection: Selection): Promise<VerbReply> {
  const resolved = await resolveRef(ledger.memory, ledger.ports.store, ref, true);
  const bringAll = () => ledger.bring(resolved.id, verb === 'retry' || verb === 'requeue');
  return await ledger.writeAfter(bringAll, (world) => {
    const { job } = ledger.entry(resolved.id);
    const runs = selectRuns(job, resolved, selection.index);
    const whole = resolved.indices === null && selection.index === undefined;
    const tasks = act(world, verb, { job, runs, whole });
    if (tasks > 0) world.memory.changes.event(world.now, job.id, EVENTS[verb], { tasks });
    world.settlement.run();
    return { job: viewJob(world.memory, world.entryOf(job)), tasks };
  });
}

const EVENTS: Record<Verb, string> = {
  cancel: 'jobCancelled',
  retry: 'jobRetried',
  requeue: 'jobRequeued',
  hold: 'jobHeld',
  release: 'jobReleased',
};

function act(world: World, verb: Verb, { job, runs, whole }: Named): number {
  switch (verb) {
    case 'cancel':
      return cancelTasks(world, job, runs, TaskReason.cancelledByUser);
    case 'retry':
      return retryTasks(world, job, runs);
    case 'requeue':
      return requeueTasks(world, job, runs);
    case 'hold': {
      const tasks = holdTasks(world, job, runs, whole, true);
      revokeHeld(world, job, runs);
      return tasks;
    }
    case 'release':
      return holdTasks(world, job, runs, whole, false);
  }
}

export async function updateJob(ledger: Ledger, ref: string, request: UpdateRequest): Promise<VerbReply> {
  const { throttle } = request;
  if (throttle === undefined) {
    throw new SpawnError('BAD_REQUEST', { where: 'body', expected: 'at least one field: throttle', found: 'none' });
  }
  const resolved = await resolveRef(ledger.memory, ledger.ports.store, ref, true);
  if (resolved.indices !== null) {
    throw new SpawnError('BAD_REQUEST', {
      where: 'job',
      expected: 'a whole job: a throttle is of the array',
      found: ref,
    });
  }
  const bringIt = () => ledger.bring(resolved.id, false);
  return await ledger.writeAfter(bringIt, (world) => {
    const entry = ledger.entry(resolved.id);
    const { job } = entry;
    if (job.endedAt !== 0) throw new SpawnError('JOB_ENDED', { ref: String(job.id), state: job.state });
    const changed = job.throttle !== throttle;
    job.throttle = throttle;
    const { counts } = job.table;
    const over = counts[TaskState.leased]! + counts[TaskState.running]! - throttle;
    // What runs goes on; only what has not started is taken back.
    if (throttle > 0 && over > 0) revokeEverywhere(world, job, over);
    if (changed) world.memory.changes.event(world.now, job.id, 'throttleChanged', { throttle });
    world.changed(job);
    for (const { session } of world.memory.sessions.values()) world.memory.changes.topUp.add(session);
    return { job: viewJob(world.memory, entry), tasks: changed ? job.size - job.table.ended : 0 };
  });
}
