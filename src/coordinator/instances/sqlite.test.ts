import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { InstancesAtHand } from '../../../test/support/fake-instances.ts';
import { openSqliteStore } from '../../store/sqlite/open.ts';
import type { Store } from '../../store/store.ts';

test('over SQLite: what was launched, stopped, resized and paid for is known after a restart', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'instances-'));
  let store: Store | undefined;
  const openStore = async () => {
    await store?.close();
    store = await openSqliteStore({ path: join(directory, 'spawn.db') });
    return store;
  };
  try {
    const at = await InstancesAtHand.open({ openStore });
    const caller = { owner: '1000', tenant: 'local', sameHost: true, role: 'admin' } as const;
    await at.submit({}, { ttlMs: 3_600_000, tags: { team: 'blue' } });
    await at.up();
    await at.at.coordinator.setBudget(caller, { amount: 5, period: 'month' });
    await at.pass(60_000);
    await at.verb('stop', { instance: 'compute-0' });
    await at.obeyAll();
    await at.verb('terminate', { instance: 'compute-2' });
    await at.obeyAll();
    const growing = at.at.coordinator.resize(caller, 'compute', 4);
    await at.settle();
    await at.up();
    await at.pass(11_000);
    await growing;
    const before = await at.list();
    await at.restart();
    const after = await at.list();
    expect(after.map(({ name, state, ttlLeftMs, arraySize }) => [name, state, ttlLeftMs, arraySize])).toEqual(
      before.map(({ name, state, ttlLeftMs, arraySize }) => [name, state, ttlLeftMs, arraySize]),
    );
    expect(after.map(({ state }) => state)).toEqual(['stopped', 'running', 'terminated', 'running']);
    expect((await at.at.coordinator.budget(caller)).amount).toBe(5);
    expect(at.errors).toEqual([]);
    await at.at.coordinator.stop();
  } finally {
    await store?.close();
    rmSync(directory, { recursive: true, force: true });
  }
});
