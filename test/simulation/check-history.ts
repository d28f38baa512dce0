import type { JobSpec } from '../../src/api/job-spec.ts';
import { restoreJob } from '../../src/coordinator/restore.ts';
import { unpackEnds } from '../../src/core/end-chunk.ts';
import { TaskState } from '../../src/core/task-state.ts';
import { TaskReason } from '../../src/core/task-table.ts';
import type { Store } from '../../src/store/store.ts';
import { type MemoryDisk, openMemoryStore } from '../support/memory-store.ts';
import { checkCanaries } from './check-times.ts';

const NO_MACHINE: ReadonlySet<TaskReason> = new Set([
  TaskReason.instanceLost,
  TaskReason.launchFailed,
  TaskReason.arrayFailed,
]);

/** What is durable once everything has ended, against what was promised; throws what is wrong. */
export async function checkHistory(
  disk: MemoryDisk,
  acknowledged: ReadonlyMap<number, JobSpec>,
  doomed: ReadonlySet<number>,
): Promise<void> {
  const problems: string[] = [];
  const attempts = checkEnds(disk, problems);
  checkCanaries(disk, problems);
  const store = openMemoryStore(disk);
  for (const [id, spec] of acknowledged) {
    const row = disk.content.jobs.get(id);
    if (row === undefined && doomed.has(id)) checkGone(disk, id, problems);
    else if (row === undefined) problems.push(`acknowledged job ${id} is not in the store`);
    else if (JSON.stringify(row.spec) !== JSON.stringify(spec)) problems.push(`job ${id} is another than acknowledged`);
    else await checkAttempts(store, id, attempts, problems);
  }
  const extra = [...disk.content.jobs.keys()].filter((id) => !acknowledged.has(id));
  if (extra.length > 0)
    problems.push(`jobs ${extra} were made but never acknowledged, though every key was insisted on`);
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

/** Of a job that was removed for ever nothing is left. */
function checkGone({ content }: MemoryDisk, id: number, problems: string[]): void {
  const left = Object.entries({
    ends: content.ends.filter(({ jobId }) => jobId === id).length,
    grants: [...content.grants.values()].filter(({ jobId }) => jobId === id).length,
    events: content.events.filter(({ jobId }) => jobId === id).length,
  }).filter(([, count]) => count > 0);
  if (left.length > 0) problems.push(`job ${id} was removed, and left ${left.join(', ')}`);
}

/** P4: one end a fence, one end an attempt. */
function checkEnds(disk: MemoryDisk, problems: string[]): ReadonlySet<string> {
  const fences = new Set<number>();
  const attempts = new Set<string>();
  for (const { jobId, data } of disk.content.ends) {
    for (const end of unpackEnds(data)) {
      if (fences.has(end.fence)) problems.push(`fence ${end.fence} has two ends`);
      fences.add(end.fence);
      const attempt = `${jobId}[${end.position}]#${end.attempt}`;
      if (attempts.has(attempt)) problems.push(`attempt ${attempt} has two ends`);
      attempts.add(attempt);
    }
  }
  return attempts;
}

/** Every attempt that started has one end, its number follows the one before, and the durable state is that of an ended job. */
async function checkAttempts(store: Store, id: number, ends: ReadonlySet<string>, problems: string[]): Promise<void> {
  const { job } = restoreJob((await store.loadJob(id))!);
  if (!job.finished || job.endedAt === 0) problems.push(`job ${id} has not durably ended`);
  if (job.canary?.state === 'running') problems.push(`job ${id} has ended and its canary runs`);
  for (let position = 0; position < job.size; position++) {
    const task = `${id}[${position}]`;
    const attempts = job.table.attempts[position]!;
    for (let attempt = 1; attempt <= attempts + 1; attempt++) {
      const known = ends.has(`${task}#${attempt}`);
      if (known !== attempt <= attempts)
        problems.push(`task ${task} started ${attempts} attempts, end of ${attempt}: ${known}`);
    }
    const state = job.table.state[position];
    // A machine may be gone before its agent says a word, and no other one may take its place.
    const machineFailed = state === TaskState.failed && NO_MACHINE.has(job.table.reasonOf(position));
    if ((state === TaskState.completed || state === TaskState.failed) && attempts === 0 && !machineFailed) {
      problems.push(`task ${task} ended without an attempt`);
    }
  }
}
