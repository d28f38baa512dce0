import type { SlurmUpdate } from '../api/slurm.ts';
import { SpawnError } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import { shownName } from './job-row.ts';
import type { JobEntry } from './memory.ts';
import type { World } from './world.ts';

/**
 * Refuses a new name for a job whose turn among those of its name has come: its name is what keeps others from running beside it.
 *
 * @throws SpawnError CONFLICT
 */
export function checkSlurm({ job, fixed }: JobEntry, { name }: SlurmUpdate): void {
  if (name === undefined || name === shownName(job, fixed)) return;
  if (!job.conditions.some(({ holdsName }) => holdsName)) return;
  const expected = 'a name that nobody waits for: it is the singleton of its name now';
  throw new SpawnError('CONFLICT', { what: `job ${job.id}`, expected, found: `slurm.name ${JSON.stringify(name)}` });
}

/** Changes what Slurm's commands show of a live job, and who waits for its name; false when all was so. */
export function changeSlurm(world: World, entry: JobEntry, update: SlurmUpdate): boolean {
  const { job, fixed } = entry;
  const now: object = { ...fixed.spec.slurm, ...job.slurm };
  const other = Object.fromEntries(Object.entries(update).filter(([name, value]) => !isSame(now, name, value)));
  if (Object.keys(other).length === 0) return false;
  if (!('name' in other)) {
    applySlurm(job, other);
  } else {
    const next = [...world.sharers(job)].find((sharer) => sharer !== job);
    world.memory.rename(entry, () => applySlurm(job, other));
    if (next !== undefined) world.settlement.evaluate(next);
    world.settlement.evaluate(job);
  }
  world.changed(job);
  return true;
}

function isSame(now: object, name: string, value: unknown): boolean {
  return value === undefined || JSON.stringify(now[name as keyof object]) === JSON.stringify(value);
}

/** Lays changes over what a job had. */
export function applySlurm(job: Job, update: SlurmUpdate): void {
  job.slurm = { ...job.slurm, ...update };
  const { requeue } = update;
  if (requeue !== undefined) job.facts.retryPolicy = { ...job.facts.retryPolicy, requeue };
}
