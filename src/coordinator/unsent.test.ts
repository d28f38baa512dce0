import { describe, expect, it } from 'vitest';
import { openGang } from '../../test/support/gang-of-two.ts';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';

describe('a grant that was durable and never sent before the coordinator started anew', () => {
  async function setUp() {
    const at = await LedgerAtHand.open();
    const worker = await WorkerAtHand.join(at, {});
    const id = await at.submit({});
    await at.ledger.idle();
    worker.held.clear();
    await at.restart();
    const told = worker.messages.length;
    const comeBack = async () => {
      worker.connect();
      await worker.resync();
      await at.ledger.idle();
      return worker.messages.slice(told).map(({ type }) => type);
    };
    return { at, id: String(id), comeBack };
  }

  it('is sent then', async () => {
    const { comeBack } = await setUp();
    expect(await comeBack()).toEqual(['job', 'grant']);
  });

  it.each([
    ['cancel', 'cancel'],
    ['hold', 'revoke'],
  ] as const)('is followed by the request of a %s that went ahead of it', async (verb, message) => {
    const { at, id, comeBack } = await setUp();
    await at.coordinator[verb](CALLER, id, {});
    expect(await comeBack()).toEqual([message, 'job', 'grant', message]);
  });

  it('is stopped when its gang broke meanwhile', async () => {
    const { at, n1, n2 } = await openGang();
    n1.held.clear();
    await at.restart();
    await at.coordinator.loseSession(n2.sessionId, 'gone');
    n1.connect();
    await n1.resync();
    await at.ledger.idle();
    expect(n1.messages.slice(-2).map(({ type }) => type)).toEqual(['grant', 'cancel']);
  });
});
