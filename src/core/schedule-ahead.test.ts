import { describe, expect, it } from 'vitest';
import { coreJob, coreSession } from '../../test/support/core-jobs.ts';
import { CoreSchedule } from '../../test/support/core-schedule.ts';
import { SCHEDULE_POLICY } from './schedule.ts';

const { quantumMs } = SCHEDULE_POLICY;

describe('work ahead', () => {
  it.each([
    [0, 0],
    [60_000, 0],
    [50_000, 1],
    [20_000, 2],
    [1_000, 50],
    [1, 10_000],
  ])('of tasks of %d microseconds: %d a slot', (meanWallUs, each) => {
    const world = new CoreSchedule();
    const [session, job] = [coreSession(1, 2), coreJob(1, { size: 100_000 })];
    world.connect(session);
    world.add(job);
    job.meanWallUs = meanWallUs;
    world.pass();
    expect(world.ahead(session, job)).toBe(2 * each);
  });

  it('is topped up when half of it is gone, and not for each task', () => {
    const world = new CoreSchedule();
    const [session, job] = [coreSession(1, 1), coreJob(1, { size: 100_000 })];
    world.connect(session);
    world.add(job);
    job.meanWallUs = 1_000;
    world.pass();
    world.end(session, job, 24);
    expect(world.pass()).toEqual([]);
    world.end(session, job, 1);
    expect(world.pass().map(({ count, slots }) => [count, slots])).toEqual([[25, 0]]);
    expect(world.ahead(session, job)).toBe(50);
  });

  it('is not given beyond the throttle', () => {
    const world = new CoreSchedule();
    const [session, job] = [coreSession(1, 2), coreJob(1, { size: 100 })];
    world.connect(session);
    job.throttle = 7;
    job.meanWallUs = 1_000;
    world.add(job);
    world.pass();
    expect(world.ahead(session, job)).toBe(5);
  });

  it('is not given to a session that is draining or gone', () => {
    const world = new CoreSchedule();
    const [drained, gone] = [coreSession(1, 1), coreSession(2, 1)];
    const job = coreJob(1, { size: 100 });
    world.connect(drained, gone);
    world.add(job);
    world.pass();
    job.meanWallUs = 1_000;
    drained.draining = true;
    gone.connected = false;
    world.topUp.add(drained).add(gone);
    expect(world.pass()).toEqual([]);
  });

  it('is asked back once a job that is entitled has waited for the quantum, and no more is given', () => {
    const world = new CoreSchedule();
    const [session, holder] = [coreSession(1, 2), coreJob(1, { size: 1_000 })];
    world.connect(session);
    world.add(holder);
    holder.meanWallUs = 1_000;
    world.pass();
    const waiting = coreJob(2, { size: 10, owner: 'bob' });
    world.add(waiting);
    world.now += quantumMs - 1;
    world.topUp.add(session);
    world.pass();
    expect(world.revoked).toEqual([]);
    world.now += 1;
    world.topUp.add(session);
    world.pass();
    expect(world.revoked).toEqual([{ session, job: holder }]);
    world.giveBackAhead(session, holder);
    expect(world.pass()).toEqual([]);
    expect(world.revoked).toHaveLength(1);
    world.end(session, holder, 1);
    expect(world.pass().filter(({ slots }) => slots > 0)).toMatchObject([{ job: waiting }]);
  });

  it('stays when the next in line has as many slots as the holder', () => {
    const world = new CoreSchedule();
    const session = coreSession(1, 2);
    const [next, holder] = [coreJob(1, { size: 1_000 }), coreJob(2, { size: 1_000 })];
    world.connect(session);
    world.add(next, holder);
    world.pass();
    expect([next.slots, holder.slots, world.queue.peek()?.job]).toEqual([1, 1, next]);
    holder.meanWallUs = 1_000;
    world.now += 10 * quantumMs;
    world.topUp.add(session);
    world.pass();
    expect(world.ahead(session, holder)).toBe(50);
    world.topUp.add(session);
    world.pass();
    expect(world.revoked).toEqual([]);
  });

  it.each([
    ['is of a lower band', { cpus: 1 }, -1],
    ['could never run here', { cpus: 3 }, 0],
  ])('stays when who waits %s', (_, facts, priority) => {
    const world = new CoreSchedule();
    const [session, holder] = [coreSession(1, 2), coreJob(1, { size: 1_000 })];
    world.connect(session);
    world.add(holder);
    holder.meanWallUs = 1_000;
    world.pass();
    const waiting = coreJob(2, { size: 10, owner: 'bob', ...facts });
    waiting.priority = priority;
    world.add(waiting);
    world.now += 10 * quantumMs;
    world.end(session, holder, 60);
    expect(world.pass().map(({ job }) => job)).toEqual([holder]);
    expect(world.revoked).toEqual([]);
  });
});
