import { expect } from 'vitest';
import { awaitsPlan } from '../../src/coordinator/data/planned.ts';
import type { Bound, Memory } from '../../src/coordinator/memory.ts';
import { type GrantRange, GrantStatus } from '../../src/core/grant-range.ts';
import type { Job } from '../../src/core/job.ts';
import type { Lane } from '../../src/core/lane.ts';
import { TASK_STATES, TaskState } from '../../src/core/task-state.ts';
import { TaskFlag } from '../../src/core/task-table.ts';
import type { WorkerSession } from '../../src/core/worker-session.ts';
import { expectRoom } from '../support/expect-room.ts';

/** Everything that must be true of the coordinator's memory between any two steps. */
export function checkMemory(memory: Memory): void {
  for (const entry of memory.jobs.values()) {
    checkJob(entry.job);
    // One task stands for all, and never runs.
    if (awaitsPlan(entry))
      expect([entry.job.size, entry.job.table.attempts[0], entry.job.grants.size]).toEqual([1, 0, 0]);
  }
  checkPlaces(memory);
  for (const jobs of memory.sharers.values()) checkSingletons([...jobs]);
  for (const { session, bound } of memory.sessions.values()) {
    let held = 0;
    let sum = 0;
    const open = new Map<Lane, number>();
    for (const range of session.grants) {
      expect(range.sessionId).toBe(session.id);
      if (range.open > 0) expect(memory.jobs.get(range.jobId)!.job.facts.bound).toBe(bound !== undefined);
      for (let at = 0; at < range.count; at++) {
        if (range.status[at] === GrantStatus.closed) continue;
        held++;
        sum = (sum + range.fence + at) % 2 ** 48;
      }
      if (range.open === 0) continue;
      const { job } = memory.jobs.get(range.jobId)!;
      const lane = job.lanes[range.lane]!;
      open.set(lane, (open.get(lane) ?? 0) + range.open);
      expect(job.grants.has(range)).toBe(true);
    }
    expect(session.heldCount).toBe(held);
    expect(session.heldSum).toBe(sum);
    for (const [lane, share] of session.shares) expect(share.open).toBe(open.get(lane));
    expect(session.shares.size).toBe([...open.values()].filter((count) => count > 0).length);
    // An instance has room for its one task, whatever that asks for.
    if (bound === undefined) expectRoom(session);
    else checkBound(memory, session, bound);
  }
}

/** Whatever is placed as a whole has all its sessions that are there, and they have nothing of what is over. */
function checkPlaces(memory: Memory): void {
  const open = new Map<number, GrantRange>();
  for (const { job } of memory.jobs.values()) {
    for (const range of job.grants) {
      if ((job.lanes[range.lane]!.shape !== undefined) !== (range.nodes !== undefined))
        expect.fail(`grant ${range.fence}`);
      if (range.nodes !== undefined) open.set(range.fence, range);
      if ((range.nodes?.length ?? 0) > 1 !== memory.gangs.has(range.fence)) expect.fail(`gang ${range.fence}`);
    }
  }
  for (const { session } of memory.sessions.values()) {
    for (const [fence, { leader }] of session.places) {
      expect(open.get(fence)?.nodes?.some(({ sessionId }) => sessionId === session.id)).toBe(true);
      expect(open.get(fence)!.sessionId).toBe(leader);
    }
  }
  for (const { fence, nodes, broken } of open.values()) {
    expect(new Set(nodes!.map(({ sessionId }) => sessionId)).size).toBe(nodes!.length);
    for (const { sessionId } of nodes!) {
      const session = memory.sessions.get(sessionId)?.session;
      if (session === undefined ? !broken : !session.places.has(fence))
        expect.fail(`gang ${fence} lacks session ${sessionId}`);
    }
  }
  for (const fence of memory.gangs.keys()) if (!open.has(fence)) expect.fail(`gang ${fence} is over`);
}

/** It holds its own task or nothing, and is the only one that serves its instance. */
function checkBound(memory: Memory, session: WorkerSession, { instance, jobId, position }: Bound): void {
  expect(session.heldCount).toBeLessThanOrEqual(1);
  for (const range of session.grants) {
    if (range.open > 0) expect([range.jobId, range.position, range.count]).toEqual([jobId, position, 1]);
  }
  expect(memory.bound.get(instance)?.session).toBe(session);
  expect(memory.pool.has(session)).toBe(false);
}

function checkJob(job: Job): void {
  const { table } = job;
  const suspensions = job.suspensions.pack();
  for (let at = 0; at < suspensions.length; at += 3) expect(table.state[suspensions[at]!]).toBe(TaskState.running);
  expect(job.suspensions.count).toBe(suspensions.filter((since, at) => at % 3 === 1 && since !== 0).length);
  const counts = TASK_STATES.map(() => 0);
  let eligible = 0;
  for (let position = 0; position < job.size; position++) {
    const state = table.state[position]!;
    counts[state]!++;
    const mayRun = !table.hasFlag(position, TaskFlag.held) && (table.retryTicks?.[position] ?? 0) === 0;
    const keptBack = job.canary?.state === 'running' && !job.canary.positions.includes(position);
    if (table.isShutOut(position) !== keptBack) expect.fail(`task ${job.id}[${position}] is kept back is ${!keptBack}`);
    const expected = state === TaskState.ready && mayRun && !keptBack;
    for (const [lane, set] of table.eligible.sets.entries()) {
      const here = expected && lane === table.eligible.laneOf(position);
      if (set.has(position) !== here) expect.fail(`task ${job.id}[${position}] of lane ${lane} eligible is ${!here}`);
    }
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
  expect(job.lanes.reduce((sum, lane) => sum + lane.slots, 0)).toBe(slots);
  for (const lane of job.lanes) expect(lane.heapAt >= 0 || lane.parked).toBe(lane.wanted > 0);
}

/** P6: of those who must be alone, and those older ones they waited for, one at most holds grants. */
function checkSingletons(jobs: readonly Job[]): void {
  const active = jobs.filter(({ table: { counts } }) => counts[TaskState.leased]! + counts[TaskState.running]! > 0);
  const alone = active.filter(({ conditions }) => conditions.some(({ isSingleton }) => isSingleton));
  if (alone.length > 1) expect.fail(`singletons ${alone.map(({ id }) => id)} hold grants`);
}
