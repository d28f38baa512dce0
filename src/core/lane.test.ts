import { describe, expect, it } from 'vitest';
import { coreJob } from '../../test/support/core-jobs.ts';
import { TaskState } from './task-state.ts';

const TERMS = { cpus: 1, memoryBytes: 0, gpus: 0, resources: {}, timeLimitMs: 0, priority: 0 };

describe('Lane', () => {
  it('wants its own tasks, as many as the throttle of the job leaves room for', () => {
    const job = coreJob(1, { size: 10 });
    const lane = job.addLane({ ...TERMS, memoryBytes: 5, priority: 3 });
    expect([lane.number, lane.priority, lane.wanted, lane.takeRun(5)]).toEqual([1, 3, 0, undefined]);
    job.table.setLane(2, 3, 1);
    expect([job.lanes[0].wanted, lane.wanted, job.wanted]).toEqual([7, 3, 10]);
    expect([job.lanes[0].takeRun(9), lane.takeRun(2), job.laneOf(2), job.laneOf(5)]).toEqual([
      [0, 2],
      [2, 2],
      lane,
      job.lanes[0],
    ]);
    job.throttle = 4;
    job.table.moveRun(2, 2, TaskState.ready, TaskState.leased);
    expect([job.lanes[0].wanted, lane.wanted, job.wanted]).toEqual([2, 1, 2]);
    job.held = true;
    expect([lane.wanted, job.wanted]).toEqual([0, 0]);
  });

  it('needs a worker that understands what it asks for', () => {
    const minApi = (facts: Parameters<typeof coreJob>[1]) => coreJob(1, facts).lanes[0].minApi;
    expect([{}, { memoryBytes: 7 }, { resources: { licence: 0 } }].map(minApi)).toEqual([1, 1, 1]);
    expect([{ gpus: 0.5 }, { resources: { licence: 1 } }, { minApi: 2 }].map(minApi)).toEqual([2, 2, 2]);
    expect(coreJob(1).addLane(TERMS).minApi).toBe(2);
    expect(coreJob(1, { minApi: 3 }).addLane(TERMS).minApi).toBe(3);
  });

  it('whose tasks have instances of their own wants nothing of the pool', () => {
    const job = coreJob(1, { size: 3, bound: true });
    const other = job.addLane(TERMS);
    expect([job.lanes[0].wanted, other.wanted, job.wanted]).toEqual([0, 0, 0]);
    expect([...job.table.eligible.positions()]).toEqual([0, 1, 2]);
  });

  it('of number 0 has what was submitted, and the priority of the job', () => {
    const job = coreJob(1, { cpus: 2, gpus: 0.25, resources: { disk: 1.5 }, timeLimitMs: 70 });
    job.priority = 4;
    const [lane] = job.lanes;
    expect([lane.terms, lane.priority]).toEqual([
      { cpus: 2, memoryBytes: 0, gpus: 0.25, resources: { disk: 1.5 }, timeLimitMs: 70 },
      4,
    ]);
    expect(lane.needs).toEqual({ cpus: 2, memoryBytes: 0, gpuShares: 2_500, named: new Map([['disk', 15_000]]) });
  });
});
