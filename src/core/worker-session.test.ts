import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coreJob, coreSession } from '../../test/support/core-jobs.ts';
import { GrantRange, GrantStatus } from './grant-range.ts';

const CPUS = 8;
const MEMORY = 100;
const JOBS = [
  coreJob(1, { size: 100 }),
  coreJob(2, { size: 100, cpus: 0.1 }),
  coreJob(3, { size: 100, cpus: 2, memoryBytes: 7 }),
  coreJob(4, { size: 100, cpus: 0.25, memoryBytes: 30 }),
];

const step = fc.oneof(
  fc.record({
    kind: fc.constant('grant' as const),
    job: fc.constantFrom(...JOBS),
    count: fc.integer({ min: 1, max: 20 }),
    slots: fc.nat(20),
    gap: fc.oneof(fc.constant(0), fc.nat(2 ** 36)),
  }),
  fc.record({
    kind: fc.constant('close' as const),
    range: fc.nat(),
    from: fc.nat(),
    count: fc.integer({ min: 1, max: 9 }),
  }),
  fc.record({ kind: fc.constant('promote' as const), job: fc.constantFrom(...JOBS) }),
);

describe('WorkerSession', () => {
  it('accounts for resources, holdings and their digest, whatever is granted and closed', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: 'max' }), (steps) => {
        const session = coreSession(1, CPUS, MEMORY);
        const ranges: GrantRange[] = [];
        const slots = new Map(JOBS.map((job) => [job, 0]));
        let fence = 1;
        const openOf = (id: number) => ranges.reduce((sum, range) => sum + (range.jobId === id ? range.open : 0), 0);
        for (const each of steps) {
          if (each.kind === 'grant') {
            const { job, count } = each;
            const taken = Math.min(each.slots, count, session.fits(job.lanes[0]));
            fence += each.gap;
            const range = new GrantRange(fence, count, job.id, 0, session.id);
            fence += count;
            ranges.push(range);
            slots.set(job, slots.get(job)! + taken);
            session.addGrant(range, job.lanes[0], taken, 5);
          } else if (each.kind === 'promote') {
            const share = session.shares.get(each.job.lanes[0]);
            if (share === undefined) continue;
            const room = Math.max(0, session.fits(each.job.lanes[0]));
            const expected = Math.min(openOf(each.job.id) - slots.get(each.job)!, room);
            expect(session.promote(share)).toBe(expected);
            slots.set(each.job, slots.get(each.job)! + expected);
          } else {
            const range = ranges[each.range % Math.max(1, ranges.length)];
            if (range === undefined) continue;
            const from = each.from % range.count;
            let length = 0;
            while (length < each.count && range.status[from + length] === GrantStatus.leased) length++;
            if (length === 0) continue;
            const job = JOBS[range.jobId - 1]!;
            range.closeLeased(from, length);
            // Those granted ahead take the places of those that end.
            const left = Math.min(slots.get(job)!, openOf(job.id));
            expect(session.closeGrants(job.lanes[0], range.fence + from, length)).toBe(slots.get(job)! - left);
            slots.set(job, left);
            if (range.open === 0) session.rangeClosed();
          }
          const held: number[] = [];
          for (const range of ranges) {
            for (let at = 0; at < range.count; at++) {
              if (range.status[at] !== GrantStatus.closed) held.push(range.fence + at);
            }
          }
          expect(session.heldCount).toBe(held.length);
          expect(BigInt(session.heldSum)).toBe(held.reduce((sum, each) => sum + BigInt(each), 0n) % 2n ** 48n);
          let cpus = CPUS;
          let memory = MEMORY;
          for (const job of JOBS) {
            cpus -= slots.get(job)! * job.facts.cpus;
            memory -= slots.get(job)! * job.facts.memoryBytes;
            const share = session.shares.get(job.lanes[0]);
            expect([share?.open ?? 0, share?.slots ?? 0]).toEqual([openOf(job.id), slots.get(job)]);
          }
          expect(session.room.cpus).toBeCloseTo(cpus, 6);
          expect(session.room.cpus).toBeGreaterThan(-1e-6);
          expect(session.room.memoryBytes).toBe(memory);
          expect(memory).toBeGreaterThanOrEqual(0);
          for (const range of ranges) {
            if (range.open === 0) continue;
            expect(session.find(range.fence)).toBe(range);
            expect(session.find(range.fence + range.count - 1)).toBe(range);
          }
          expect(session.find(0)).toBeUndefined();
          expect(session.find(fence)).toBeUndefined();
        }
      }),
    );
  });

  it.each([0, 100])('forgets closed ranges before they are most of what it keeps, and no open one: %d open', (open) => {
    const job = coreJob(1, { size: 2_000 });
    const session = coreSession(1, 1_000);
    const grant = (fence: number) => {
      const range = new GrantRange(fence, 1, 1, fence, 1);
      session.addGrant(range, job.lanes[0], 1, 0);
      return range;
    };
    for (let fence = 1; fence <= open; fence++) grant(fence);
    let most = 0;
    for (let fence = open + 1; fence <= open + 500; fence++) {
      const range = grant(fence);
      range.close(0);
      session.closeGrants(job.lanes[0], fence, 1);
      session.rangeClosed();
      // The one that was just closed is remembered unless this was the moment to forget.
      if (session.grants.length > open) expect(session.find(fence)).toBe(range);
      most = Math.max(most, session.grants.length);
    }
    expect(most).toBe(open === 0 ? 32 : 2 * open);
    for (let fence = 1; fence <= open; fence++) expect(session.find(fence)?.open).toBe(1);
    expect(session.room.cpus).toBe(1_000 - open);
  });

  it('skips a gap between ranges', () => {
    const job = coreJob(1, { size: 10 });
    const session = coreSession(1, 4);
    const [first, second] = [new GrantRange(10, 2, 1, 0, 1), new GrantRange(20, 2, 1, 2, 1)];
    session.addGrant(first, job.lanes[0], 1, 0);
    session.addGrant(second, job.lanes[0], 1, 0);
    expect([9, 10, 11, 12, 19, 20, 21, 22].map((fence) => session.find(fence)?.fence)).toEqual([
      undefined,
      10,
      10,
      undefined,
      undefined,
      20,
      20,
      undefined,
    ]);
  });

  it('counts only what is still open of a grant that is laid over it after a restart', () => {
    const job = coreJob(1, { size: 10 });
    const range = new GrantRange(10, 4, 1, 0, 1);
    range.start(0, 1, 5, 0, 0);
    range.close(2);
    const session = coreSession(1, 4);
    session.addGrant(range, job.lanes[0], range.running, 0);
    expect([session.heldCount, session.heldSum, session.room.cpus]).toEqual([3, 10 + 11 + 13, 3]);
    expect(session.promote(session.shares.get(job.lanes[0])!)).toBe(2);
    expect(session.room.cpus).toBe(1);
  });

  it('fits as many tasks as its scarcest resource, tenths of a CPU included', () => {
    const session = coreSession(1, 1, 100);
    expect(session.fits(coreJob(1, { cpus: 0.1 }).lanes[0])).toBe(10);
    expect(session.fits(coreJob(1, { cpus: 0.1, memoryBytes: 40 }).lanes[0])).toBe(2);
    expect(session.fits(coreJob(1, { cpus: 0.5, memoryBytes: 1 }).lanes[0])).toBe(2);
    expect(session.fits(coreJob(1, { cpus: 2 }).lanes[0])).toBe(0);
    // 0.3 / 0.1 is a little less than 3, and 0.1 + 0.2 a little more than 0.3.
    expect(coreSession(1, 0.3).fits(coreJob(1, { cpus: 0.1 }).lanes[0])).toBe(3);
    expect(coreSession(1, 0.3).couldFit(coreJob(1, { cpus: 0.1 + 0.2 }).lanes[0])).toBe(true);
    const job = coreJob(1, { cpus: 0.1, size: 10 });
    for (let k = 0; k < 10; k++) {
      expect(session.fits(job.lanes[0])).toBe(10 - k);
      session.addGrant(new GrantRange(1 + k, 1, 1, k, 1), job.lanes[0], 1, 0);
    }
    expect(session.fits(job.lanes[0])).toBe(0);
  });

  it('could fit what an idle machine of its size takes', () => {
    const session = coreSession(1, 4, 100);
    session.room.cpus = 0;
    session.room.memoryBytes = 0;
    expect(session.couldFit(coreJob(1, { cpus: 4, memoryBytes: 100 }).lanes[0])).toBe(true);
    expect(session.couldFit(coreJob(1, { cpus: 4.1 }).lanes[0])).toBe(false);
    expect(session.couldFit(coreJob(1, { memoryBytes: 101 }).lanes[0])).toBe(false);
  });

  it('of an instance gives its task a slot whatever its machine has', () => {
    const session = coreSession(1, 1);
    session.bound = true;
    const job = coreJob(9, { size: 4, cpus: 8, bound: true });
    session.addGrant(new GrantRange(1, 1, 9, 2, 1), job.lanes[0], 0, 5);
    const share = session.shares.get(job.lanes[0])!;
    expect([session.promote(share), share.slots, session.promote(share)]).toEqual([1, 1, 0]);
    expect(session.closeGrants(job.lanes[0], 1, 1)).toBe(1);
  });
});
