import { describe, expect, it, test } from 'vitest';
import { brokenBy, KILLED, openGang, PAIR, READY, roomOf } from '../../test/support/gang-of-two.ts';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import type { JobSpecInput } from '../api/job-spec.ts';

describe('after a restart of the coordinator', () => {
  it('the members are told again, and then the first worker', async () => {
    const { at, n1, n2, id, fence } = await openGang();
    await n2.say({ members: [{ fence, ...READY }] });
    await n1.start(id, 0);
    const { secret } = n2.told('member')[0]!;
    await at.restart();
    expect(roomOf(at)).toEqual([
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
    expect([at.states(id), roomOf(at)]).toEqual([
      ['completed'],
      [
        ['n1', 2, 0],
        ['n2', 2, 0],
      ],
    ]);
  });

  it('a gang may end in the moment in which its members are told again', async () => {
    const { at, n1, n2, id, fence } = await openGang();
    await n1.start(id, 0);
    await at.restart();
    n1.connect();
    n2.connect();
    n1.held.delete(fence);
    await Promise.all([n2.say({ heldRuns: [], heldMembers: [fence] }), n1.say({ ends: { runs: [[fence, 1]] } })]);
    await at.ledger.idle();
    expect([at.states(id), n2.told('member').length]).toEqual([['completed'], 1]);
    expect(n2.told('memberEnd').flatMap(({ fences }) => fences)).toContainEqual([fence, 1]);
  });

  it('a grant that was never sent is followed by where the others are', async () => {
    const { at, n1, n2, id, fence } = await openGang();
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
    const { at, n1, n2, id, fence } = await openGang();
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
    const { at, n1, n2 } = await openGang();
    await n2.say();
    await n2.say({ heldRuns: [], heldMembers: [] });
    await at.ledger.idle();
    expect([n1.told('cancel').length, await brokenBy(at)]).toEqual([1, [['n2', 'it forgot its part']]]);
  });

  it('a gang that was broken before is asked to stop again, and its lost member stays away', async () => {
    const { at, n1, n2, id, fence } = await openGang();
    await n1.start(id, 0);
    await at.coordinator.loseSession(n2.sessionId, 'gone');
    const asked = n1.told('cancel').length;
    await at.restart();
    expect(roomOf(at)).toEqual([['n1', 1, 1]]);
    n1.connect();
    await n1.resync([fence]);
    expect(n1.told('cancel')).toHaveLength(asked + 1);
    const { tasks } = await at.coordinator.tasks(CALLER, String(id), { limit: 10, after: -1 });
    expect(tasks[0]!.nodes).toEqual([{ name: 'n1', cpus: 1, tasks: 1 }]);
    await n1.end(id, [0], KILLED);
    expect([at.states(id), [...at.job(id).table.losses!], roomOf(at)]).toEqual([['ready'], [1], [['n1', 2, 0]]]);
  });
});

test('a signal, a pause and its end reach all nodes', async () => {
  const { at, n1, n2, id, fence } = await openGang();
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
  const { at, n1, n2, id, fence } = await openGang();
  await n1.start(id, 0);
  await at.coordinator.requeue(CALLER, String(id), {});
  expect(n1.told('cancel')).toHaveLength(1);
  await n1.end(id, [0], KILLED);
  expect(n2.messages.slice(-2).map(({ type }) => type)).toEqual(['memberEnd', 'member']);
  expect([n1.fenceOf(id, 0) > fence, at.states(id), roomOf(at)]).toEqual([
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
  expect(roomOf(at)).toEqual([['n1', 0, 1]]);
  n1.connect();
  await n1.resync([n1.fenceOf(id, 0)]);
  await n1.end(id, [0]);
  expect(roomOf(at)).toEqual([['n1', 4, 0]]);
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
