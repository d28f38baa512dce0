import type { UpdateRequest, VerbReply } from '../api/job.ts';
import { SpawnError } from '../core/errors.ts';
import { TaskState } from '../core/task-state.ts';
import type { Ledger } from './ledger.ts';
import { checkOwner } from './ownership.ts';
import { resolveRef } from './refs.ts';
import { revokeEverywhere } from './revoke.ts';
import type { Caller } from './use-cases.ts';
import { viewJob } from './views.ts';

export async function updateJob(
  ledger: Ledger,
  caller: Caller,
  ref: string,
  request: UpdateRequest,
): Promise<VerbReply> {
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
    checkOwner(entry, caller, 'update');
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
