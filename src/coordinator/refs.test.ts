import { beforeEach, describe, expect, test } from 'vitest';
import { CALLER, LedgerAtHand } from '../../test/support/ledger-at-hand.ts';

let at: LedgerAtHand;

beforeEach(async () => {
  at = await LedgerAtHand.open();
});

async function ended(name: string): Promise<number> {
  const id = await at.submit({ name });
  await at.coordinator.cancel(CALLER, String(id), {});
  return id;
}

describe('a name that no live job has', () => {
  test.each([false, true])('is enough to run the only job that has it again, evicted: %s', async (isEvicted) => {
    const id = await ended('once');
    if (isEvicted) at.evictAll();
    expect(await at.coordinator.retry(CALLER, 'once', {})).toMatchObject({ job: { id }, tasks: 1 });
  });

  test.each([false, true])('does not choose between several jobs to run again, evicted: %s', async (isEvicted) => {
    const ids = [await ended('twice'), await ended('twice')];
    if (isEvicted) at.evictAll();
    await expect(at.coordinator.requeue(CALLER, 'twice', {})).rejects.toThrow(
      `found ${ids[1]} (ended), ${ids[0]} (ended); use the id`,
    );
    expect(await at.coordinator.job(CALLER, 'twice')).toMatchObject({ id: ids[1] });
  });

  test('names nothing that could be changed otherwise', async () => {
    await ended('once');
    await expect(at.coordinator.cancel(CALLER, 'once', {})).rejects.toMatchObject({
      code: 'JOB_NOT_FOUND',
      message: expect.stringMatching(/^job "once" not found: no live job has that name; job \d+ has ended$/),
    });
    await expect(at.coordinator.update(CALLER, 'once', { throttle: 1 })).rejects.toMatchObject({
      code: 'JOB_NOT_FOUND',
    });
  });

  test('means the live one where there is one, however many have ended', async () => {
    await ended('again');
    await ended('again');
    const id = await at.submit({ name: 'again' });
    expect((await at.coordinator.requeue(CALLER, 'again', {})).job.id).toBe(id);
  });
});
