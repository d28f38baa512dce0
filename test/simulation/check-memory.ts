import { expect } from 'vitest';
import type { Memory } from '../../src/coordinator/memory.ts';
import { GrantStatus } from '../../src/core/grant-range.ts';
import type { Job } from '../../src/core/job.ts';
import { TASK_STATES, TaskState } from '../../src/core/task-state.ts';
import { TaskFlag } from '../../src/core/task-table.ts';

/** Everything that must be true of the coordinator's memory between any two steps. */
export function checkMemory(memory: Memory): void {
  for (const { job } of memory.jobs.values()) checkJob(job);
  for (const jobs of memory.sharers.values()) checkSingletons([...jobs]);
  for (const { session } of memory.sessions.values()) {
    let held = 0;
    let sum = 0;
    const open = new Map<number, number>();
    for (const range of session.grants) {
      expect(range.sessionId).toBe(session.id);
      for (let at = 0; at < range.count; at++) {
        if (range.status[at] === GrantStatus.closed) continue;
        held++;
        sum = (sum + range.fence + at) % 2 ** 48;
      }
      open.set(range.jobId, (open.get(range.jobId) ?? 0) + range.open);
      if (range.open > 0) expect(memory.jobs.get(range.jobId)!.job.grants.has(range)).toBe(true);
    }
    expect(session.heldCount).toBe(held);
    expect(session.heldSum).toBe(sum);
    let cpus = session.cpus;
    for (const [jobId, share] of session.shares) {
      expect(share.open).toBe(open.get(jobId));
      expect(share.slots).toBeLessThanOrEqual(share.open);
      cpus -= share.slots * share.job.facts.cpus;
    }
    expect(Math.abs(session.freeCpus - cpus)).toBeLessThan(1e-6);
    expect(session.freeCpus).toBeGreaterThan(-1e-6);
  }
}

function checkJob(job: Job): void {
  const { table } = job;
  const counts = TASK_STATES.map(() => 0);
  let eligible = 0;
  for (let position = 0; position < job.size; position++) {
    const state = table.state[position]!;
    counts[state]!++;
    const mayRun = !table.hasFlag(position, TaskFlag.held) && (table.retryTicks?.[position] ?? 0) === 0;
    const expected = state === TaskState.ready && mayRun;
    if (table.eligible.has(position) !== expected) expect.fail(`task ${job.id}[${position}] eligible is ${!expected}`);
    if (expected) eligible++;
  }
  expect([...table.counts]).toEqual(counts);
  expect(table.eligible.count).toBe(eligible);
  let slots = 0;
  const holders = new Set<number>();
  for (const range of job.grants) {
    expect(range.open).toBeGreaterThan(0);
    for (let at = 0; at < range.count; at++) {
      const position = range.position + at;
      if (range.status[at] === GrantStatus.closed) continue;
      if (holders.has(position)) expect.fail(`task ${job.id}[${position}] has two grants`);
      holders.add(position);
      expect(table.state[position]).toBe(
        range.status[at] === GrantStatus.running ? TaskState.running : TaskState.leased,
      );
    }
  }
  slots = job.slots;
  expect(holders.size).toBe(counts[TaskState.leased]! + counts[TaskState.running]!);
  expect(slots).toBeLessThanOrEqual(holders.size);
  expect(job.heapAt >= 0).toBe(job.wanted > 0);
}

/** P6: of those who must be alone, and those older ones they waited for, one at most holds grants. */
function checkSingletons(jobs: readonly Job[]): void {
  const active = jobs.filter(({ table: { counts } }) => counts[TaskState.leased]! + counts[TaskState.running]! > 0);
  const alone = active.filter(({ conditions }) => conditions.some(({ isSingleton }) => isSingleton));
  if (alone.length > 1) expect.fail(`singletons ${alone.map(({ id }) => id)} hold grants`);
}
