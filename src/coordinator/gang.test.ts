import { describe, expect, it, test } from 'vitest';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import type { JobSpecInput } from '../api/job-spec.ts';
import { encodeOutcome } from '../core/outcome.ts';
import { LeaseLoop } from './loops/leases.ts';
import { Sessions } from './sessions.ts';

const PAIR: Partial<JobSpecInput> = { gang: { nodes: { min: 2, max: 2 } }, cpus: 2 };
const KILLED = encodeOutcome({ kind: 'cancelled' });

/** A gang of two, granted to n1, with a member on n2; n3 has the rest. */
async function setUp(spec: Partial<JobSpecInput> = {}, hooks = {}) {
  const at = await LedgerAtHand.open({ hooks });
  const join = (worker: string) =>
    WorkerAtHand.join(at, { worker, resources: { cpus: 2, memoryBytes: 1_000, gpus: 1 } });
  const [n1, n2] = [await join('n1'), await join('n2')];
  const id = await at.submit({ ...PAIR, ...spec });
  await at.ledger.idle();
  const fence = n1.fenceOf(id, 0);
  return { at, n1, n2, id, fence, join };
}

const READY = { address: 'n2.example', port: 7_000 };
const room = (at: LedgerAtHand) =>
  [...at.ledger.memory.sessions.values()].map(({ session }) => [session.worker, session.freeCpus, session.places.size]);
const reasons = async (at: LedgerAtHand) => {
  const { events } = await at.coordinator.events(CALLER, { after: 0, limit: 1_000 });
  return events.filter(({ kind }) => kind === 'gangBroken').map(({ detail }) => [detail.worker, detail.reason]);
};

async function late(at: LedgerAtHand) {
  await new LeaseLoop(at.ledger, new Sessions(at.ledger)).runOnce();
  await at.ledger.idle();
}

describe('a gang', () => {
  it('is told to all its workers, and to the first where the others are', async () => {
    const { at, n1, n2, id, fence } = await setUp();
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
    expect(room(at)).toEqual([
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
    expect(room(at)).toEqual([
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
    const { at, n1, id } = await setUp({ gang: { tasks: 2 } });
    expect(n1.told('grant')).toMatchObject([{ placement: { nodes: [{ name: 'n1', cpus: 2, tasks: 2 }] } }]);
    expect([at.ledger.memory.gangs.size, n1.told('gang')]).toEqual([0, []]);
    await n1.end(id, [0]);
    expect(room(at)).toEqual([
      ['n1', 2, 0],
      ['n2', 2, 0],
    ]);
  });
});

describe('a lost member', () => {
  it('ends the attempt as lost, once its first worker has stopped it', async () => {
    const { at, n1, n2, id, fence, join } = await setUp();
    await n2.say({ members: [{ fence, ...READY }] });
    await n1.start(id, 0);
    await at.coordinator.loseSession(n2.sessionId, 'gone');
    expect([at.states(id), n1.told('cancel').map(({ fences }) => fences)]).toEqual([['running'], [[[fence, 1]]]]);
    expect(await reasons(at)).toEqual([['n2', 'it is gone']]);
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
    const { at, n1, n2, id } = await setUp();
    await n1.start(id, 0);
    await at.coordinator.loseSession(n2.sessionId, 'gone');
    await n1.end(id, [0]);
    expect(at.states(id)).toEqual(['completed']);
  });

  it('of one that was cancelled leaves it cancelled', async () => {
    const { at, n1, n2, id } = await setUp();
    await n1.start(id, 0);
    await at.coordinator.cancel(CALLER, String(id), {});
    await at.coordinator.loseSession(n2.sessionId, 'gone');
    await n1.end(id, [0], KILLED);
    expect(at.states(id)).toEqual(['cancelled']);
  });

  it('counts also when nothing had started, and not for one that was cancelled', async () => {
    const { at, n1, n2, id, fence } = await setUp({ crashLimit: 1 });
    await at.coordinator.loseSession(n2.sessionId, 'gone');
    n1.held.delete(fence);
    await n1.say({ returned: [[fence, 1]] });
    await at.ledger.idle();
    expect(at.states(id)).toEqual(['failed']);
    const other = await setUp();
    await other.at.coordinator.cancel(CALLER, String(other.id), {});
    await other.at.coordinator.loseSession(other.n2.sessionId, 'gone');
    other.n1.held.delete(other.fence);
    await other.n1.say({ returned: [[other.fence, 1]] });
    await other.at.ledger.idle();
    expect(other.at.states(other.id)).toEqual(['cancelled']);
  });

  it('and its first worker lost as well: one loss', async () => {
    const { at, n1, n2, id } = await setUp();
    await n1.start(id, 0);
    await at.coordinator.loseSession(n2.sessionId, 'gone');
    await at.coordinator.loseSession(n1.sessionId, 'gone');
    expect([at.states(id), [...at.job(id).table.losses!], at.ledger.memory.gangs.size]).toEqual([['ready'], [1], 0]);
  });
});

test('the first worker is lost: the attempt is, and the others are told', async () => {
  const { at, n1, n2, id, fence } = await setUp();
  await n1.start(id, 0);
  await at.coordinator.loseSession(n1.sessionId, 'gone');
  expect([at.states(id), n2.told('memberEnd').map(({ fences }) => fences)]).toEqual([['ready'], [[[fence, 1]]]]);
  expect(room(at)).toEqual([['n2', 2, 0]]);
});

describe('a member', () => {
  it('that has no place for steps breaks its gang', async () => {
    const { at, n1, n2, fence } = await setUp();
    await n2.say({ members: [{ fence, failed: 'no port is free' }] });
    await at.ledger.idle();
    expect([n1.told('cancel').length, await reasons(at)]).toEqual([1, [['n2', 'no port is free']]]);
    // What comes later changes nothing any more.
    await n2.say({ members: [{ fence, ...READY }] });
    await at.ledger.idle();
    expect([n1.told('gang'), n1.told('cancel').length]).toEqual([[], 1]);
  });

  it('that is not ready in time breaks its gang', async () => {
    const { at, n1, n2, fence } = await setUp();
    at.clock.steadyMs += 29_999;
    await late(at);
    expect(n1.told('cancel')).toEqual([]);
    at.clock.steadyMs += 1;
    await late(at);
    await late(at);
    expect([n1.told('cancel').length, await reasons(at)]).toEqual([1, [['n2', 'it was not ready within 30 s']]]);
    await n2.say({ members: [{ fence: fence + 9, ...READY }] });
  });

  it('has its time again after the store was full', async () => {
    const { at, n1 } = await setUp();
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
    const { at, n1, n2, id, fence } = await setUp();
    await n1.end(id, [0]);
    expect(await n2.say({ members: [{ fence, ...READY }] })).toMatchObject({ stale: 1 });
    expect(await n1.say({ members: [{ fence: 999, failed: 'x' }] })).toMatchObject({ stale: 1 });
    await at.ledger.idle();
    expect(n2.told('memberEnd')).toHaveLength(2);
    expect(n1.told('memberEnd').map(({ fences }) => fences)).toEqual([[[999, 1]]]);
  });
});

describe('after a restart of the coordinator', () => {
  it('the members are told again, and then the first worker', async () => {
    const { at, n1, n2, id, fence } = await setUp();
    await n2.say({ members: [{ fence, ...READY }] });
    await n1.start(id, 0);
    const { secret } = n2.told('member')[0]!;
    await at.restart();
    expect(room(at)).toEqual([
      ['n1', 1, 1],
      ['n2', 1, 1],
    ]);
    n1.connect();
    n2.connect();
    await n1.resync([fence]);
    await n2.say({ heldRuns: [], heldMembers: [fence] });
    await at.ledger.idle();
    expect(n2.told('member')).toHaveLength(2);
    expect(n2.told('member')[1]).toMatchObject({ secret, attempt: 1, rank: 1 });
    await n2.say({ members: [{ fence, ...READY }] });
    await at.ledger.idle();
    expect(n1.told('gang')).toHaveLength(2);
    await n1.end(id, [0]);
    expect([at.states(id), room(at)]).toEqual([
      ['completed'],
      [
        ['n1', 2, 0],
        ['n2', 2, 0],
      ],
    ]);
  });

  it('a grant that was never sent is followed by where the others are', async () => {
    const { at, n1, n2, id, fence } = await setUp();
    n1.held.clear();
    await at.restart();
    n1.connect();
    n2.connect();
    await n2.say({ heldRuns: [] });
    await n2.say({ members: [{ fence, ...READY }] });
    await at.ledger.idle();
    expect(n1.told('gang')).toEqual([]);
    await n1.resync();
    expect(n1.messages.slice(-2).map(({ type }) => type)).toEqual(['grant', 'gang']);
    expect(at.states(id)).toEqual(['leased']);
  });

  it('members that only the worker knows are over', async () => {
    const { at, n1, n2, id, fence } = await setUp();
    await at.restart();
    n1.connect();
    n2.connect();
    await n1.resync();
    await n1.end(id, [0]);
    await n2.say({ heldRuns: [], heldMembers: [fence, 77] });
    await n1.say({ heldRuns: [], heldMembers: [fence] });
    await at.ledger.idle();
    expect(n2.told('memberEnd').flatMap(({ fences }) => fences)).toContainEqual([77, 1]);
    expect(n1.told('memberEnd').flatMap(({ fences }) => fences)).toEqual([[fence, 1]]);
  });

  it('a member that its worker has forgotten breaks the gang', async () => {
    const { at, n1, n2 } = await setUp();
    await n2.say();
    await n2.say({ heldRuns: [], heldMembers: [] });
    await at.ledger.idle();
    expect([n1.told('cancel').length, await reasons(at)]).toEqual([1, [['n2', 'it forgot its part']]]);
  });

  it('a gang that was broken before is asked to stop again, and its lost member stays away', async () => {
    const { at, n1, n2, id, fence } = await setUp();
    await n1.start(id, 0);
    await at.coordinator.loseSession(n2.sessionId, 'gone');
    const asked = n1.told('cancel').length;
    await at.restart();
    expect(room(at)).toEqual([['n1', 1, 1]]);
    n1.connect();
    await n1.resync([fence]);
    expect(n1.told('cancel')).toHaveLength(asked + 1);
    const { tasks } = await at.coordinator.tasks(CALLER, String(id), { limit: 10, after: -1 });
    expect(tasks[0]!.nodes).toEqual([{ name: 'n1', cpus: 1, tasks: 1 }]);
    await n1.end(id, [0], KILLED);
    expect([at.states(id), [...at.job(id).table.losses!], room(at)]).toEqual([['ready'], [1], [['n1', 2, 0]]]);
  });
});

test('a signal, a pause and its end reach all nodes', async () => {
  const { at, n1, n2, id, fence } = await setUp();
  await n1.start(id, 0);
  await at.coordinator.signal(CALLER, String(id), { signal: 10, scope: 'steps' });
  await at.coordinator.suspend(CALLER, String(id), {});
  await at.coordinator.resume(CALLER, String(id), {});
  for (const worker of [n1, n2]) {
    expect(worker.messages.slice(-3)).toMatchObject(
      ['signal', 'suspend', 'resume'].map((type) => ({ type, fences: [[fence, 1]] })),
    );
  }
});

test('requeued it gets its places anew, and another grant', async () => {
  const { at, n1, n2, id, fence } = await setUp();
  await n1.start(id, 0);
  await at.coordinator.requeue(CALLER, String(id), {});
  expect(n1.told('cancel')).toHaveLength(1);
  await n1.end(id, [0], KILLED);
  expect(n2.messages.slice(-2).map(({ type }) => type)).toEqual(['memberEnd', 'member']);
  expect([n1.fenceOf(id, 0) > fence, at.states(id), room(at)]).toEqual([
    true,
    ['leased'],
    [
      ['n1', 1, 1],
      ['n2', 1, 1],
    ],
  ]);
});

test('an exclusive task waits for an idle worker, and is shown with all of it', async () => {
  const at = await LedgerAtHand.open();
  const n1 = await WorkerAtHand.join(at, {
    worker: 'n1',
    resources: { cpus: 4, memoryBytes: 1_000, gpus: 1, named: { disk: 2 } },
  });
  const small = await at.submit({});
  const id = await at.submit({ exclusive: true, memoryBytes: 100 });
  await n1.start(small, 0);
  const why = await at.coordinator.why(CALLER, String(id));
  expect(why.blockers.at(-1)!.text).toContain('workers with nothing else to do');
  await n1.end(small, [0]);
  await n1.start(id, 0);
  expect(n1.told('grant').at(-1)).toMatchObject({
    placement: { nodes: [{ cpus: 4, tasks: 4 }], memoryBytes: 100, gpus: 1, whole: true },
  });
  const { tasks } = await at.coordinator.tasks(CALLER, String(id), { limit: 10, after: -1 });
  expect(tasks[0]!.nodes).toEqual([{ name: 'n1', cpus: 4, tasks: 4 }]);
  expect((await at.coordinator.job(CALLER, String(id))).exclusive).toBe(true);
  await at.restart();
  expect(room(at)).toEqual([['n1', 0, 1]]);
  n1.connect();
  await n1.resync([n1.fenceOf(id, 0)]);
  await n1.end(id, [0]);
  expect(room(at)).toEqual([['n1', 4, 0]]);
});

test.each<[Partial<JobSpecInput>, string]>([
  [{ gang: { tasks: 3 }, cpus: 1 }, 'spec.cpus'],
  [{ gang: { tasks: 1 }, gpus: 0.5 }, 'spec.gpus'],
  [{ exclusive: true, instances: {} as never }, 'spec.exclusive'],
  [{ gang: { tasks: 1 }, instances: {} as never }, 'spec.gang'],
])('%j is refused', async (spec, where) => {
  const at = await LedgerAtHand.open();
  await expect(at.submit(spec)).rejects.toMatchObject({ code: 'BAD_REQUEST', details: { where } });
});

test('CPUs of a gang are not updated, and its devices stay whole', async () => {
  const at = await LedgerAtHand.open();
  const id = String(await at.submit({ ...PAIR }));
  for (const request of [{ cpus: 3 }, { gpus: 0.5 }]) {
    await expect(at.coordinator.update(CALLER, id, request)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  }
  expect((await at.coordinator.update(CALLER, id, { gpus: 1, memoryBytes: 5 })).tasks).toBe(1);
});
