import { describe, expect, it, test } from 'vitest';
import { brokenBy, KILLED, openGang, PAIR, READY, roomOf } from '../../test/support/gang-of-two.ts';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import { LeaseLoop } from './loops/leases.ts';
import { Sessions } from './sessions.ts';

async function late(at: LedgerAtHand) {
  await new LeaseLoop(at.ledger, new Sessions(at.ledger)).runOnce();
  await at.ledger.idle();
}

describe('a gang', () => {
  it('is told to all its workers, and to the first where the others are', async () => {
    const { at, n1, n2, id, fence } = await openGang();
    const nodes = [
      { name: 'n1', cpus: 1, tasks: 1 },
      { name: 'n2', cpus: 1, tasks: 1 },
    ];
    expect(n1.told('grant')).toMatchObject([
      { runs: [[fence, 0, 1]], placement: { nodes, memoryBytes: 0, gpus: 0, whole: false } },
    ]);
    expect(n2.told('grant')).toEqual([]);
    const [member] = n2.told('member');
    expect(n2.messages.map(({ type }) => type)).toEqual(['job', 'member']);
    expect(member).toMatchObject({
      fence,
      rank: 1,
      job: id,
      position: 0,
      attempt: 1,
      cpus: 1,
      tasks: 1,
      gpus: 0,
      whole: false,
      nodes,
    });
    expect(member!.secret).toMatch(/^[0-9a-f]{64}$/);
    expect(roomOf(at)).toEqual([
      ['n1', 1, 1],
      ['n2', 1, 1],
    ]);
    expect(n1.told('gang')).toEqual([]);
    await n2.say({ members: [{ fence, ...READY }] });
    await at.ledger.idle();
    expect(n1.told('gang')).toMatchObject([
      { fence, secret: member!.secret, nodes: [nodes[0], { ...nodes[1], ...READY }] },
    ]);
    expect(n1.told('gang')[0]!.nodes[0]).not.toHaveProperty('address');
    await n1.start(id, 0);
    const { tasks } = await at.coordinator.tasks(CALLER, String(id), { limit: 10, after: -1 });
    expect(tasks).toMatchObject([{ worker: 'n1', nodes }]);
    await n1.end(id, [0]);
    expect([at.states(id), n2.told('memberEnd').map(({ fences }) => fences)]).toEqual([['completed'], [[[fence, 1]]]]);
    expect(roomOf(at)).toEqual([
      ['n1', 2, 0],
      ['n2', 2, 0],
    ]);
    expect(at.ledger.memory.gangs.size).toBe(0);
  });

  it('waits until all of its workers are there, and says so', async () => {
    const at = await LedgerAtHand.open();
    const n1 = await WorkerAtHand.join(at, { worker: 'n1' });
    const id = await at.submit({ ...PAIR });
    const why = await at.coordinator.why(CALLER, String(id));
    expect(why.blockers).toMatchObject([{ rule: 'neverFits' }]);
    expect(why.blockers[0]!.text).toContain('it needs 2 workers at once, and of those connected 1 has 1 CPU');
    const { jobs } = await at.coordinator.queue(CALLER, { limit: 10 });
    expect(jobs[0]!.groups).toMatchObject([{ reason: 'PartitionNodeLimit' }]);
    await WorkerAtHand.join(at, { worker: 'n2' });
    expect(n1.told('grant')).toHaveLength(1);
    const tooMany = await at.submit({ gang: { nodes: { min: 1, max: 2 }, tasks: 99 }, cpus: 99 });
    expect((await at.coordinator.why(CALLER, String(tooMany))).blockers[0]!.text).toContain(
      'all connected workers together have no room for 99 ranks of 1 CPU each',
    );
    await WorkerAtHand.join(at, { worker: 'n3' });
    expect((await at.coordinator.why(CALLER, String(tooMany))).blockers[0]!.text).toContain(
      'any 2 workers of those connected have no room',
    );
    const wide = await at.submit({ gang: { nodes: { min: 3, max: 3 }, tasksPerNode: 2 }, cpus: 6 });
    const waits = await at.coordinator.why(CALLER, String(wide));
    expect(waits.blockers.at(-1)!.text).toContain('CPUs, workers for all ranks at once');
    expect((await at.coordinator.queue(CALLER, { limit: 10 })).jobs.at(-1)!.groups[0]!.reason).toMatch(
      /Resources|Priority/,
    );
  });

  it('of one node has no members', async () => {
    const { at, n1, id } = await openGang({ gang: { tasks: 2 } });
    expect(n1.told('grant')).toMatchObject([{ placement: { nodes: [{ name: 'n1', cpus: 2, tasks: 2 }] } }]);
    expect([at.ledger.memory.gangs.size, n1.told('gang')]).toEqual([0, []]);
    await n1.end(id, [0]);
    expect(roomOf(at)).toEqual([
      ['n1', 2, 0],
      ['n2', 2, 0],
    ]);
  });
});

describe('a lost member', () => {
  it('ends the attempt as lost, once its first worker has stopped it', async () => {
    const { at, n1, n2, id, fence, join } = await openGang();
    await n2.say({ members: [{ fence, ...READY }] });
    await n1.start(id, 0);
    await at.coordinator.loseSession(n2.sessionId, 'gone');
    expect([at.states(id), n1.told('cancel').map(({ fences }) => fences)]).toEqual([['running'], [[[fence, 1]]]]);
    expect(await brokenBy(at)).toEqual([['n2', 'it is gone']]);
    await join('n3');
    await n1.end(id, [0], KILLED);
    // It runs again, on other machines.
    expect([at.states(id), [...at.job(id).table.losses!], at.job(id).retried]).toEqual([['leased'], [1], 1]);
    expect(n1.told('grant').at(-1)).toMatchObject({
      attempt: 2,
      placement: { nodes: [{ name: 'n1' }, { name: 'n3' }] },
    });
  });

  it('changes nothing when the task had completed before', async () => {
    const { at, n1, n2, id } = await openGang();
    await n1.start(id, 0);
    await at.coordinator.loseSession(n2.sessionId, 'gone');
    await n1.end(id, [0]);
    expect(at.states(id)).toEqual(['completed']);
  });

  it('of one that was cancelled leaves it cancelled', async () => {
    const { at, n1, n2, id } = await openGang();
    await n1.start(id, 0);
    await at.coordinator.cancel(CALLER, String(id), {});
    await at.coordinator.loseSession(n2.sessionId, 'gone');
    await n1.end(id, [0], KILLED);
    expect(at.states(id)).toEqual(['cancelled']);
  });

  it('counts also when nothing had started, and not for one that was cancelled', async () => {
    const { at, n1, n2, id, fence } = await openGang({ crashLimit: 1 });
    await at.coordinator.loseSession(n2.sessionId, 'gone');
    n1.held.delete(fence);
    await n1.say({ returned: [[fence, 1]] });
    await at.ledger.idle();
    expect(at.states(id)).toEqual(['failed']);
    const other = await openGang();
    await other.at.coordinator.cancel(CALLER, String(other.id), {});
    await other.at.coordinator.loseSession(other.n2.sessionId, 'gone');
    other.n1.held.delete(other.fence);
    await other.n1.say({ returned: [[other.fence, 1]] });
    await other.at.ledger.idle();
    expect(other.at.states(other.id)).toEqual(['cancelled']);
  });

  it('and its first worker lost as well: one loss', async () => {
    const { at, n1, n2, id } = await openGang();
    await n1.start(id, 0);
    await at.coordinator.loseSession(n2.sessionId, 'gone');
    await at.coordinator.loseSession(n1.sessionId, 'gone');
    expect([at.states(id), [...at.job(id).table.losses!], at.ledger.memory.gangs.size]).toEqual([['ready'], [1], 0]);
  });
});

test('the first worker is lost: the attempt is, and the others are told', async () => {
  const { at, n1, n2, id, fence } = await openGang();
  await n1.start(id, 0);
  await at.coordinator.loseSession(n1.sessionId, 'gone');
  expect([at.states(id), n2.told('memberEnd').map(({ fences }) => fences)]).toEqual([['ready'], [[[fence, 1]]]]);
  expect(roomOf(at)).toEqual([['n2', 2, 0]]);
});

describe('a member', () => {
  it('that has no place for steps breaks its gang', async () => {
    const { at, n1, n2, fence } = await openGang();
    await n2.say({ members: [{ fence, failed: 'no port is free' }] });
    await at.ledger.idle();
    expect([n1.told('cancel').length, await brokenBy(at)]).toEqual([1, [['n2', 'no port is free']]]);
    // What comes later changes nothing any more.
    await n2.say({ members: [{ fence, ...READY }] });
    await at.ledger.idle();
    expect([n1.told('gang'), n1.told('cancel').length]).toEqual([[], 1]);
  });

  it('that is not ready in time breaks its gang', async () => {
    const { at, n1, n2, fence } = await openGang();
    at.clock.steadyMs += 29_999;
    await late(at);
    expect(n1.told('cancel')).toEqual([]);
    at.clock.steadyMs += 1;
    await late(at);
    await late(at);
    expect([n1.told('cancel').length, await brokenBy(at)]).toEqual([1, [['n2', 'it was not ready within 30 s']]]);
    await n2.say({ members: [{ fence: fence + 9, ...READY }] });
  });

  it('has its time again after the store was full', async () => {
    const { at, n1 } = await openGang();
    at.clock.steadyMs += 40_000;
    at.ledger.writable = false;
    await late(at);
    at.ledger.reopen();
    await late(at);
    expect(n1.told('cancel')).toEqual([]);
    at.clock.steadyMs += 30_000;
    await late(at);
    expect(n1.told('cancel')).toHaveLength(1);
  });

  it('of what is over, or never was, is told so', async () => {
    const { at, n1, n2, id, fence } = await openGang();
    await n1.end(id, [0]);
    expect(await n2.say({ members: [{ fence, ...READY }] })).toMatchObject({ stale: 1 });
    expect(await n1.say({ members: [{ fence: 999, failed: 'x' }] })).toMatchObject({ stale: 1 });
    await at.ledger.idle();
    expect(n2.told('memberEnd')).toHaveLength(2);
    expect(n1.told('memberEnd').map(({ fences }) => fences)).toEqual([[[999, 1]]]);
  });
});
