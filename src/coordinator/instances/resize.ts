import type { InstanceVerbReply } from '../../api/instance.ts';
import { SpawnError } from '../../core/errors.ts';
import { TaskState } from '../../core/task-state.ts';
import { TaskReason } from '../../core/task-table.ts';
import { retryTasks } from '../again.ts';
import { cancelTask } from '../bound.ts';
import { growArray } from '../grow-array.ts';
import type { Ledger } from '../ledger.ts';
import { checkOwner } from '../ownership.ts';
import { resolveRef } from '../refs.ts';
import type { Caller } from '../use-cases.ts';
import type { World } from '../world.ts';
import { acknowledged, type Done } from './acknowledged.ts';
import { tell, want } from './change.ts';
import type { InstanceArray } from './instance-array.ts';

const WAIT_MS = 10_000;

/** So many members from now on. Ranks stay: those with the highest go, and come back, or others follow. */
export async function resizeArray(
  ledger: Ledger,
  caller: Caller,
  ref: string,
  count: number,
): Promise<InstanceVerbReply> {
  const resolved = await resolveRef(ledger.memory, ledger.ports.store, ref, 'change');
  const { gone, array, had } = await ledger.writeAfter(
    () => ledger.bring(resolved.id, false),
    (world) => {
      const entry = ledger.entry(resolved.id);
      checkOwner(entry, caller, 'resize');
      const { instances } = entry.fixed.spec;
      if (instances === undefined || instances.standalone)
        throw new SpawnError('BAD_REQUEST', { where: 'ref', expected: 'an instance array', found: ref });
      if (instances.params !== undefined && count > instances.params.length)
        throw new SpawnError('BAD_REQUEST', {
          where: 'count',
          expected: `at most ${instances.params.length}, one for each entry of its parameters`,
          found: count,
        });
      const array = world.memory.instances.arrayOf(entry.fixed);
      const before = array.size;
      const rows = new Set(array.live.values());
      const each = count < before ? shrink(world, array, count) : [];
      if (count > before) grow(world, array, count);
      if (count !== before) {
        world.memory.changes.event(world.now, array.id, 'arrayResized', { from: before, to: count });
        for (const row of array.live.values()) world.memory.instances.stale.add(row);
        array.peersStale = true;
        array.sharesStale = true;
        world.memory.instances.dirty.add(array.id);
      }
      world.settlement.run();
      return { gone: each, array, had: rows };
    },
  );
  // Those that came with it have no agent yet that could say anything.
  const come = [...array.live.values()].filter((row) => !had.has(row)).toSorted((a, b) => a.position - b.position);
  return await acknowledged(ledger, [...gone, ...come.map((row) => ({ row, changed: true }))], WAIT_MS);
}

/** Positions that a resize took away, and those that are there. */
function membersOf(world: World, array: InstanceArray): { here: number[]; away: number[] } {
  const { table } = world.memory.jobs.get(array.id)!.job;
  const here: number[] = [];
  const away: number[] = [];
  for (let position = 0; position < table.size; position++) {
    if (table.reasonOf(position) === TaskReason.resized) away.push(position);
    else here.push(position);
  }
  return { here, away };
}

function shrink(world: World, array: InstanceArray, count: number): Done[] {
  const { job } = world.memory.jobs.get(array.id)!;
  const { here } = membersOf(world, array);
  const done: Done[] = [];
  for (const position of here.slice(count)) {
    // Also one whose task has ended: it is no member any more.
    if (!cancelTask(world, job, position, TaskReason.resized)) job.table.setReason(position, 1, TaskReason.resized);
    const row = array.live.get(position);
    if (row !== undefined && want(world, row, 'terminated', 'resized')) {
      tell(world, row, 'instanceAsked', { verb: 'resize' });
      done.push({ row, changed: true });
    }
  }
  world.changed(job);
  array.measure(job.table);
  return done;
}

function grow(world: World, array: InstanceArray, count: number): void {
  const entry = world.memory.jobs.get(array.id)!;
  const { here, away } = membersOf(world, array);
  const back = away.slice(0, count - here.length);
  // First what may be refused: then nothing was changed.
  const more = count - here.length - back.length;
  if (more > 0) {
    growArray(world, entry.job, more);
    array.grow(world.memory.jobs.get(array.id)!.fixed);
  }
  for (const position of back) {
    entry.job.table.setReason(position, 1, TaskReason.none);
    if (entry.job.table.state[position] === TaskState.cancelled) retryTasks(world, entry.job, [[position, 1]]);
  }
  array.measure(entry.job.table);
}
