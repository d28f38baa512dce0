import { beforeEach, describe, expect, test } from 'vitest';
import { CALLER, HELLO, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import { LeaseLoop } from './loops/leases.ts';
import { ReclaimLoop } from './loops/reclaim.ts';
import { Sessions } from './sessions.ts';

let at: LedgerAtHand;
let worker: WorkerAtHand;

beforeEach(async () => {
  at = await LedgerAtHand.open();
  worker = await WorkerAtHand.join(at);
});

describe('an exchange', () => {
  test('that is repeated gets the same reply and is taken once', async () => {
    const id = await at.submit();
    const fence = worker.fenceOf(id, 0);
    const request = worker.request({ ends: { runs: [[fence, 1]], outcome: [0] } });
    const [first, twin] = await Promise.all(
      [1, 2].map(() => at.coordinator.exchange(CALLER, worker.sessionId, request)),
    );
    expect(twin).toEqual(first);
    expect(await at.coordinator.exchange(CALLER, worker.sessionId, request)).toEqual(first);
    expect(first).toMatchObject({ stale: 0 });
    expect(at.disk.content.ends).toHaveLength(1);
    expect((await at.coordinator.server(CALLER)).counters.staleReports).toBeUndefined();
  });

  test('that was held back and comes after a newer one changes nothing', async () => {
    const id = await at.submit({ array: '0-1' });
    const old = worker.request({ starts: { fences: [worker.fenceOf(id, 0)] } });
    await worker.say();
    expect(await at.coordinator.exchange(CALLER, worker.sessionId, old)).toMatchObject({ seq: old.seq, stale: 0 });
    expect(at.states(id)).toEqual(['leased', 'leased']);
  });

  test('of a session that is over, or never was, is refused', async () => {
    await at.coordinator.bye(CALLER, worker.sessionId);
    await expect(worker.say()).rejects.toMatchObject({ code: 'SESSION_UNKNOWN' });
    await expect(at.coordinator.bye(CALLER, 77)).rejects.toMatchObject({ code: 'SESSION_UNKNOWN' });
    expect(() => at.coordinator.stream(CALLER, 77, 0, { write() {}, close() {} })).toThrow('77');
  });

  test('that only renews writes nothing', async () => {
    await at.ledger.idle();
    const before = structuredClone(at.disk.content.events.length);
    await worker.say();
    expect(at.disk.content.events).toHaveLength(before);
  });
});

describe('a hello', () => {
  test('of another version is refused', async () => {
    await expect(at.coordinator.hello(CALLER, { ...HELLO, api: 99 })).rejects.toMatchObject({
      code: 'VERSION_UNSUPPORTED',
    });
  });
});

describe('a stream', () => {
  test('that is opened again takes over, and gets what was not acknowledged once more', async () => {
    const lines: string[] = [];
    await at.submit();
    await at.ledger.idle();
    at.coordinator.stream(CALLER, worker.sessionId, 0, { write: (line) => lines.push(line), close() {} });
    expect(worker.closed).toBe(1);
    expect(lines.map((line) => JSON.parse(line).type)).toEqual(['job', 'grant']);
    // The first stream's end is none of the session's any more.
    worker.disconnect();
    expect(at.coordinator.sessions()[0]!.connected).toBe(true);
  });

  test('that ends is told to those who listen', () => {
    const gone: number[] = [];
    at.coordinator.onSessionDisconnected((id) => gone.push(id));
    worker.disconnect();
    expect(gone).toEqual([worker.sessionId]);
  });
});

describe('a lease', () => {
  let loop: LeaseLoop;
  beforeEach(() => {
    loop = new LeaseLoop(at.ledger, new Sessions(at.ledger));
  });

  test('ends when it is not renewed, and what was held runs elsewhere', async () => {
    const id = await at.submit();
    const other = await WorkerAtHand.join(at, { worker: 'other' });
    await worker.start(id, 0);
    at.clock.pass(29_000);
    await other.say();
    await loop.runOnce();
    expect(at.ledger.memory.sessions.size).toBe(2);
    at.clock.pass(2_000);
    await loop.runOnce();
    await at.ledger.idle();
    expect([...at.ledger.memory.sessions.keys()]).toEqual([other.sessionId]);
    expect([...other.held.values()]).toEqual([{ job: id, position: 0 }]);
    expect(at.job(id).table.losses![0]).toBe(1);
  });

  test('gets a full term when this machine slept, and while the store is full', async () => {
    at.clock.leaseMs += 600_000;
    await loop.runOnce();
    expect(at.ledger.memory.sessions.size).toBe(1);
    at.clock.pass(31_000);
    at.ledger.writable = false;
    await loop.runOnce();
    at.ledger.writable = true;
    await loop.runOnce();
    expect(at.ledger.memory.sessions.size).toBe(1);
    at.clock.pass(31_000);
    await loop.runOnce();
    expect(at.ledger.memory.sessions.size).toBe(0);
  });

  test('of one that renews while another is lost stays', async () => {
    const other = await WorkerAtHand.join(at, { worker: 'other' });
    at.clock.pass(31_000);
    const losing = loop.runOnce();
    await other.say();
    await losing;
    expect([...at.ledger.memory.sessions.keys()]).toEqual([other.sessionId]);
  });
});

describe('work ahead', () => {
  test('that has not moved for a while is asked back for those who are idle', async () => {
    const id = await at.submit({ array: '0-999' });
    const reclaim = new ReclaimLoop(at.ledger);
    await worker.say({
      ends: { runs: [[worker.fenceOf(id, 0), 1]], outcome: [0], wallUs: [1_000] },
    });
    await at.ledger.idle();
    expect(worker.held.size).toBeGreaterThan(50);
    await WorkerAtHand.join(at, { worker: 'idle', resources: { cpus: 1, memoryBytes: 0 } });
    reclaim.runOnce();
    at.clock.pass(499);
    reclaim.runOnce();
    await at.ledger.idle();
    expect(worker.told('revoke')).toEqual([]);
    at.clock.pass(1);
    reclaim.runOnce();
    await at.ledger.idle();
    const asked = worker.told('revoke').flatMap(({ fences }) => fences);
    expect(asked.reduce((sum, [, count]) => sum + count, 0)).toBeGreaterThan(50);
    expect(at.job(id).table.counts[3]! + at.job(id).table.counts[2]!).toBeGreaterThan(50);
  });
});
