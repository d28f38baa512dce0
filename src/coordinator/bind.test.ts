import { beforeEach, describe, expect, test } from 'vitest';
import { FakeMachines } from '../../test/support/fake-machines.ts';
import { CALLER, HELLO, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import { instanceOf, launch, serve } from '../../test/support/members.ts';
import type { InstanceReport } from '../api/instance-session.ts';
import { encodeOutcome } from '../core/outcome.ts';
import { LeaseLoop } from './loops/leases.ts';
import { ReclaimLoop } from './loops/reclaim.ts';
import { Sessions } from './sessions.ts';

const CANCELLED = encodeOutcome({ kind: 'cancelled' });
const RUNNING: InstanceReport = { version: 0, state: 'running', ranMs: 0 };

let at: LedgerAtHand;

beforeEach(async () => {
  at = await LedgerAtHand.open({ instances: { provider: new FakeMachines() } });
});

describe('a hello for an instance', () => {
  test('must name one that lives, and that the caller may serve', async () => {
    const id = await launch(at, 1);
    const hello = (parts: object, caller = CALLER) => at.coordinator.hello(caller, { ...HELLO, bound: {}, ...parts });
    await expect(hello({})).rejects.toMatchObject({ code: 'BAD_REQUEST', details: { where: 'instance' } });
    await expect(hello({ instance: 'i-0' })).rejects.toMatchObject({ code: 'INSTANCE_NOT_FOUND' });
    const stranger = { ...CALLER, owner: '7', role: 'submit', token: 3, sameHost: false } as const;
    await expect(hello({ instance: instanceOf(at, id, 0) }, stranger)).rejects.toMatchObject({ code: 'NOT_PERMITTED' });
    expect(at.ledger.memory.sessions.size).toBe(0);
  });

  test('is refused while another session serves it, and says which', async () => {
    const id = await launch(at, 1);
    const agent = await serve(at, id, 0);
    await expect(serve(at, id, 0)).rejects.toMatchObject({
      code: 'INSTANCE_SERVED',
      details: { session: agent.sessionId },
    });
    await at.coordinator.bye(CALLER, agent.sessionId);
    const next = await serve(at, id, 0, agent.sessionId);
    expect(next.sessionId).not.toBe(agent.sessionId);
  });

  test('goes on with the session before: what it holds is told again, what is old is refused', async () => {
    const id = await launch(at, 1, { timeLimitMs: 60_000 });
    const old = await serve(at, id, 0);
    await old.start(id, 0);
    const fence = old.fenceOf(id, 0);
    const late = old.request({ ends: { runs: [[fence, 1]], outcome: [0] } });
    const agent = await serve(at, id, 0, old.sessionId);
    expect([agent.sessionId, old.closed]).toEqual([old.sessionId, 1]);
    expect(agent.told('job')).toHaveLength(1);
    expect(agent.told('grant')).toMatchObject([{ job: id, runs: [[fence, 0, 1]], attempt: 1 }]);
    expect(agent.told('instance')).toHaveLength(1);
    await expect(at.coordinator.exchange(CALLER, old.sessionId, late)).rejects.toMatchObject({
      code: 'SESSION_UNKNOWN',
    });
    expect(() => at.coordinator.stream(CALLER, old.sessionId, late.ack, { write() {}, close() {} })).toThrow(
      'not known',
    );
    expect(await agent.start(id, 0)).toMatchObject({ stale: 0 });
    expect(at.job(id).table.attempts[0]).toBe(1);
    await agent.end(id, [0]);
    expect(at.states(id)).toEqual(['completed']);
  });

  test('goes on with the cancel that the agent before may not have heard', async () => {
    const id = await launch(at, 1);
    const old = await serve(at, id, 0);
    await old.start(id, 0);
    await at.coordinator.cancel(CALLER, String(id), {});
    const agent = await serve(at, id, 0, old.sessionId);
    expect(agent.told('cancel')).toMatchObject([{ fences: [[agent.fenceOf(id, 0), 1]] }]);
    await agent.end(id, [0], CANCELLED);
    expect(at.states(id)).toEqual(['cancelled']);
  });

  test('is remembered over a restart, also who was replaced before it', async () => {
    const id = await launch(at, 1);
    const old = await serve(at, id, 0);
    await old.start(id, 0);
    const late = old.request({});
    const agent = await serve(at, id, 0, old.sessionId);
    await agent.say();
    await at.restart();
    expect(at.states(id)).toEqual(['running']);
    await expect(at.coordinator.exchange(CALLER, old.sessionId, late)).rejects.toMatchObject({
      code: 'SESSION_UNKNOWN',
    });
    agent.connect();
    expect(await agent.say()).toMatchObject({ resync: true });
    await agent.resync([...agent.held.keys()]);
    await agent.end(id, [0]);
    expect(at.states(id)).toEqual(['completed']);
  });
});

describe('the session of an instance', () => {
  test('has no lease that ends, but is over when its token is', async () => {
    const id = await launch(at, 1);
    const { view } = await at.coordinator.createToken(CALLER, { name: 'agent', role: 'worker', owner: CALLER.owner });
    const caller = { ...CALLER, role: 'worker', token: view.id } as const;
    const hello = { ...HELLO, instance: instanceOf(at, id, 0), bound: {} };
    const { sessionId } = await at.coordinator.hello(caller, hello);
    const loop = new LeaseLoop(at.ledger, new Sessions(at.ledger));
    at.clock.pass(24 * 3_600_000);
    await loop.runOnce();
    expect(at.ledger.memory.sessions.has(sessionId)).toBe(true);
    await at.coordinator.revokeToken(CALLER, 'agent');
    await loop.runOnce();
    expect([at.ledger.memory.sessions.size, at.ledger.memory.bound.size]).toEqual([0, 0]);
  });

  test('is asked for no work back', async () => {
    const id = await launch(at, 1);
    await WorkerAtHand.join(at);
    const agent = await serve(at, id, 0);
    const loop = new ReclaimLoop(at.ledger);
    for (let i = 0; i < 4; i++) {
      loop.runOnce();
      at.clock.pass(400);
    }
    await at.ledger.idle();
    expect(agent.told('revoke')).toEqual([]);
  });

  test('reports on its instance; a worker of the pool does not', async () => {
    const id = await launch(at, 1);
    const agent = await serve(at, id, 0);
    await agent.say({ instance: RUNNING });
    expect(at.ledger.memory.instances.rows.get(instanceOf(at, id, 0))).toMatchObject({ state: 'running' });
    const pool = await WorkerAtHand.join(at);
    await expect(pool.say({ instance: RUNNING })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  });

  test('whose task completed in the exchange that says its instance must go leaves it completed', async () => {
    const id = await launch(at, 1);
    const agent = await serve(at, id, 0);
    await agent.say({ instance: RUNNING });
    const fence = agent.fenceOf(id, 0);
    await agent.say({
      ends: { runs: [[fence, 1]], outcome: [0] },
      instance: { version: 0, state: 'shutting-down', reason: 'ttl', ranMs: 5 },
    });
    expect(at.states(id)).toEqual(['completed']);
  });

  test('gets a fresh directive when its stream opens again, and not the old one', async () => {
    const id = await launch(at, 1, { instances: { ttlMs: 60_000 } });
    const agent = await serve(at, id, 0);
    await agent.say({ instance: RUNNING });
    at.clock.pass(10_000);
    agent.disconnect();
    agent.messages.length = 0;
    agent.connect();
    await at.ledger.idle();
    const told = agent.told('instance').map(({ directive }) => directive.ttlLeftMs);
    expect(told).toHaveLength(1);
    expect(told[0]).toBeLessThanOrEqual(50_000);
  });
});
