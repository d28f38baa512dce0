import { expect } from 'vitest';
import { readTimes } from '../../src/coordinator/job-row.ts';
import type { Memory } from '../../src/coordinator/memory.ts';
import { chooseCanary } from '../../src/core/canary.ts';
import { unpackEnds } from '../../src/core/end-chunk.ts';
import { TaskState } from '../../src/core/task-state.ts';
import { TaskFlag } from '../../src/core/task-table.ts';
import type { MemoryDisk } from '../support/memory-store.ts';

/** The alarm loop may sleep so long after the machine did, and a commit may be refused or the coordinator come back meanwhile. */
const NOTICED_MS = 70_000;
/** A worker that is cut off or frozen stops its tasks, or loses them, within this time. */
const STOPPED_MS = 200_000;

/** What has not ended long after its deadline was asked to, and is gone a while later. */
export function checkDeadlines(memory: Memory, now: number): void {
  for (const { job } of memory.jobs.values()) {
    if (job.deadlineAt === 0 || now < job.deadlineAt + NOTICED_MS) continue;
    const { counts } = job.table;
    expect([job.id, counts[TaskState.ready], counts[TaskState.blocked]]).toEqual([job.id, 0, 0]);
    for (const state of [TaskState.leased, TaskState.running]) {
      for (const [start, count] of job.table.runsOf(state)) {
        for (let position = start; position < start + count; position++) {
          const asked = job.table.hasFlag(position, TaskFlag.cancelRequested);
          if (!asked) expect.fail(`task ${job.id}[${position}] was not stopped at its deadline`);
        }
      }
    }
    if (now > job.deadlineAt + STOPPED_MS) expect([job.id, job.finished]).toEqual([job.id, true]);
  }
}

/** A canary passed only when each of its tasks had completed. */
export function checkCanaries({ content: { jobs, events, ends } }: MemoryDisk, problems: string[]): void {
  for (const { jobId, at } of events.filter(({ kind }) => kind === 'canaryPassed')) {
    const row = jobs.get(jobId)!;
    const completed = ends
      .filter((chunk) => chunk.jobId === jobId)
      .flatMap(({ data }) => unpackEnds(data))
      .filter(({ outcome, endedAt }) => outcome === 0 && endedAt <= at);
    const positions = new Set(completed.map(({ position }) => position));
    for (const position of chooseCanary(row.size, row.spec.canary, row.arrayId.slice(-6))) {
      if (!positions.has(position)) problems.push(`canary of job ${jobId} passed though ${position} had not completed`);
    }
  }
}

/** What a grant must not be, as far as the store knows: before its job begins, or while the canary runs. */
export function grantProblem(disk: MemoryDisk, jobId: number, position: number, now: number): string | undefined {
  const row = disk.content.jobs.get(jobId)!;
  const { beginAt = 0, canary } = readTimes(row);
  if (beginAt > now) return `${jobId}[${position}] was granted ${beginAt - now} ms before its job begins`;
  if (canary?.state !== 'running') return undefined;
  if (chooseCanary(row.size, row.spec.canary, row.arrayId.slice(-6)).includes(position)) return undefined;
  // Once it has failed, a person may have run others, whose grants are still on their way when the canary runs again.
  const failed = disk.content.events.some((event) => event.jobId === jobId && event.kind === 'canaryFailed');
  return failed ? undefined : `${jobId}[${position}] was granted while the canary runs`;
}
