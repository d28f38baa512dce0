import type { JobSpec } from '../api/job-spec.ts';
import { SpawnError } from '../core/errors.ts';
import { IndexSet, parseIndexSet } from '../core/index-set.ts';
import type { Job } from '../core/job.ts';
import { TaskState } from '../core/task-state.ts';
import type { StoredJobFixed } from '../store/store.ts';
import { linkJob } from './restore.ts';
import type { World } from './world.ts';

/** Raw numbers that an instance array has room for, at least and at most. */
const LEAST_ROOM = 1_000;
const MOST_ROOM = 100_000;
/** As a multiple of what was submitted. */
const ROOM = 10;

/** How many raw numbers a job reserves at submit: those of an instance array follow each other also when it grows. */
export function rawRoomOf(spec: JobSpec, size: number): number {
  if (spec.instances === undefined || spec.instances.standalone) return size;
  return Math.max(size, LEAST_ROOM, Math.min(MOST_ROOM, size * ROOM));
}

/**
 * Adds so many tasks behind the last index of an instance array. They wait for what the job waits for. The job and its predecessors must be in
 * memory. Gives the position of the first.
 *
 * @throws SpawnError ARRAY_TOO_LARGE when it has no raw numbers left
 */
export function growArray(world: World, job: Job, count: number): number {
  const { memory } = world;
  const { fixed } = world.entryOf(job);
  const first = job.size;
  const size = first + count;
  const room = rawRoomOf(fixed.spec, submittedSize(fixed));
  if (size > room) throw new SpawnError('ARRAY_TOO_LARGE', { size, max: room });
  const { max } = job.facts.indices;
  const indices = IndexSet.fromString(`${job.facts.indices},${max + 1}-${max + count}`);
  job.facts.indices = indices;
  const waits = job.conditions[0].mayWait;
  job.table.grow(count, waits ? TaskState.blocked : TaskState.ready);
  const grown = { ...fixed, indices: indices.toString(), size };
  memory.jobs.set(job.id, { job, fixed: grown });
  if (memory.changes.newJobs.has(job)) memory.changes.newJobs.set(job, grown);
  memory.changes.resized.set(job.id, { id: job.id, indices: grown.indices, size });
  world.revived(job);
  if (waits) {
    // Where no task waited any more, nobody told it anything.
    linkJob(memory, job);
    world.settlement.evaluate(job);
  }
  world.settlement.run();
  return first;
}

function submittedSize({ spec }: StoredJobFixed): number {
  return spec.array === undefined ? 1 : parseIndexSet(spec.array, { dialect: 'wire' }).set.size;
}
