import { beforeEach, describe, expect, test } from 'vitest';
import { InstancesAtHand } from '../../../test/support/fake-instances.ts';
import { CALLER } from '../../../test/support/ledger-at-hand.ts';

let at: InstancesAtHand;

beforeEach(async () => {
  at = await InstancesAtHand.open({}, { retentionMs: 3_600_000 });
  return () => expect(at.errors).toEqual([]);
});

async function two(): Promise<void> {
  await at.submit({}, { tags: { team: 'blue' } });
  await at.submit({ name: 'single', array: '0-0' }, { standalone: true, names: '{job-array-name}', type: 'c7i.large' });
  await at.up();
}

describe('the list', () => {
  test('newest array first, then by index; with every filter', async () => {
    await two();
    expect(await at.states()).toEqual([
      'single running',
      'compute-0 running',
      'compute-1 running',
      'compute-2 running',
    ]);
    const names = async (query: Record<string, unknown>) => (await at.list(query)).map(({ name }) => name);
    expect(await names({ arrayName: 'compute' })).toHaveLength(3);
    expect(await names({ tag: 'team=blue' })).toHaveLength(3);
    expect(await names({ tag: ['team=blue', 'array:index=2'] })).toEqual(['compute-2']);
    expect(await names({ tag: 'spawn:managed=true' })).toHaveLength(4);
    expect(await names({ type: 'c7i.large' })).toEqual(['single']);
    expect(await names({ region: 'mars' })).toEqual([]);
    expect(await names({ state: 'stopped' })).toEqual([]);
    expect(await names({ instance: 'compute-1' })).toEqual(['compute-1']);
    const [{ id, arrayId, tags, dns }] = (await at.list({ instance: 'single' })) as never as [Record<string, never>];
    expect(await names({ instance: id })).toEqual(['single']);
    expect(await names({ arrayId })).toEqual(['single']);
    expect(Object.keys(tags!)).not.toContain('spawn:job-array-id');
    expect(dns).toMatch(/^single\.[0-9a-z]{8}\.spore\.host$/);
    await expect(at.list({ tag: 'x' })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  });

  test('in pages', async () => {
    await two();
    const first = await at.at.coordinator.instances(CALLER, { limit: 2 });
    expect(first.instances).toHaveLength(2);
    const second = await at.at.coordinator.instances(CALLER, { limit: 2, after: first.next! });
    expect(second.instances.map(({ name }) => name)).toEqual(['compute-1', 'compute-2']);
    expect(second.next).toBeUndefined();
    const all: string[] = [];
    for (let after: string | undefined, page = 0; page < 9; page++) {
      const reply = await at.at.coordinator.instances(CALLER, { limit: 1, ...(after === undefined ? {} : { after }) });
      all.push(...reply.instances.map(({ name }) => name));
      if (reply.next === undefined) break;
      after = reply.next;
    }
    expect(all).toEqual(['single', 'compute-0', 'compute-1', 'compute-2']);
    for (const after of ['i-0123', '1.2', '']) {
      const asked = at.at.coordinator.instances(CALLER, { limit: 1, after });
      await expect(asked, after).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    }
  });

  test('keeps what has ended for a time, over restarts, and then forgets it', async () => {
    await two();
    await at.verb('terminate', { arrayName: 'compute' });
    await at.obeyAll();
    at.at.evictAll();
    await at.restart();
    expect(await at.states({ arrayName: 'compute' })).toEqual([
      'compute-0 terminated user',
      'compute-1 terminated user',
      'compute-2 terminated user',
    ]);
    expect((await at.list({ instance: 'compute-0' }))[0]).toMatchObject({ task: 'cancelled', arraySize: 3 });
    at.at.clock.pass(3_600_000);
    await at.settle();
    await at.pass(31_000);
    expect(await at.states({ arrayName: 'compute' })).toEqual([]);
    await at.restart();
    expect((await at.list()).map(({ name }) => name)).toEqual(['single']);
  });

  test('names of instances stand for their tasks', async () => {
    await two();
    const { why } = at.at.coordinator;
    expect(JSON.stringify(await why(CALLER, 'compute-1'))).toContain('1_1');
    const book = at.at.ledger.memory.instances;
    expect(book.resolve('compute-2')).toEqual({ jobId: 1, position: 2 });
    expect(book.resolve('nobody')).toBeUndefined();
    await at.verb('stop', { instance: 'compute-1' });
    await at.obeyAll();
    expect(book.explain(1, 1)).toMatch(/^its instance compute-1 \(i-[0-9a-f]{17}\) is stopped: user$/);
    expect(book.explain(1, 0)).toBeUndefined();
  });
});
