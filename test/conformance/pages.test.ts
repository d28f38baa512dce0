import { expect, onTestFinished, test } from 'vitest';
import { createServer } from '../../src/server/server.ts';
import { clientOf } from '../support/client-on-socket.ts';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../support/ledger-at-hand.ts';
import { socketPath } from '../support/server-on-socket.ts';

/** The client before a real coordinator. */
async function open() {
  const at = await LedgerAtHand.open();
  const server = await createServer(at.coordinator, { version: '1' });
  const path = socketPath();
  await server.listenUnix(path);
  onTestFinished(() => server.close());
  return { at, client: clientOf(path) };
}

const twice = (ids: readonly unknown[]) => ids.filter((id, at) => ids.indexOf(id) !== at);

test('jobs that are added, end and leave memory between two pages are neither told twice nor do they hide another', async () => {
  const { at, client } = await open();
  for (let i = 0; i < 60; i++) await at.submit({ hold: true });
  const cancelled: number[] = [];
  const told: number[] = [];
  for await (const { id } of client.allJobs({ show: 'all', limit: 7 })) {
    told.push(id);
    // A new one in front, an old one that ends and is read from the store from then on, some before and some behind this page.
    await at.submit({ hold: true });
    const victim = 1 + ((id * 37) % 60);
    await at.coordinator.cancel(CALLER, String(victim), {}).catch(() => {});
    cancelled.push(victim);
    if (told.length % 5 === 0) at.evictAll();
  }
  expect(twice(told)).toEqual([]);
  expect(told).toEqual(Array.from({ length: 60 }, (_, back) => 60 - back));
  expect(new Set(cancelled).size).toBeGreaterThan(20);
});

test('live jobs: what lives throughout is told once, whatever ends meanwhile', async () => {
  const { at, client } = await open();
  for (let i = 0; i < 40; i++) await at.submit({ hold: true });
  const told: number[] = [];
  for await (const { id } of client.allJobs({ limit: 5 })) {
    told.push(id);
    await at.submit({ hold: true });
    if (id % 2 === 0) await at.coordinator.cancel(CALLER, String(id), {});
    if (id > 10 && id % 3 === 0) await at.coordinator.cancel(CALLER, String(id - 9), {}).catch(() => {});
  }
  const ended = (id: number) => id % 2 === 0 || (id + 9 <= 40 && (id + 9) % 3 === 0);
  const throughout = Array.from({ length: 40 }, (_, back) => 40 - back).filter((id) => !ended(id));
  expect(twice(told)).toEqual([]);
  expect(told.filter((id) => !ended(id))).toEqual(throughout);
  expect(told.every((id) => id <= 40)).toBe(true);
});

test('tasks that change state between pages are all told, once, by index', async () => {
  const { at, client } = await open();
  const worker = await WorkerAtHand.join(at, { resources: { cpus: 30, memoryBytes: 2 ** 30 } });
  const id = await at.submit({ array: '100-148:2', cpus: 1 });
  const told: number[] = [];
  for await (const { index } of client.allTasks(String(id), { limit: 4 })) {
    told.push(index);
    const [fence, held] = [...worker.held][0] ?? [];
    if (fence !== undefined) await worker.end(id, [held!.position], told.length % 3);
  }
  expect(told).toEqual(Array.from({ length: 25 }, (_, at) => 100 + 2 * at));
  expect((await client.job(String(id))).counts).toMatchObject({ completed: expect.any(Number) });
});

test('events that are written between pages come at the end, each once; the walk ends with what is there then', async () => {
  const { at, client } = await open();
  for (let i = 0; i < 12; i++) await at.submit({ hold: true });
  const ids: number[] = [];
  for await (const { id } of client.allEvents({ limit: 5 })) {
    ids.push(id);
    if (ids.length <= 10) await at.submit({ hold: true });
  }
  expect(ids).toEqual(Array.from({ length: 22 }, (_, at) => at + 1));
});

test('tokens that are made and revoked between pages', async () => {
  const { client } = await open();
  for (let i = 0; i < 20; i++) await client.createToken({ name: `t${i}`, role: 'read' });
  const names: string[] = [];
  for await (const { name } of client.allTokens({ limit: 3 })) {
    names.push(name);
    if (names.length <= 5) await client.createToken({ name: `new${names.length}`, role: 'read' });
    if (name === 't7') await client.revokeToken('t2');
    if (name === 't8') await client.revokeToken('t15');
  }
  expect(twice(names)).toEqual([]);
  const kept = Array.from({ length: 20 }, (_, i) => `t${i}`).filter((name) => name !== 't15');
  expect(names.filter((name) => name.startsWith('t'))).toEqual(kept);
});
