import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { JobSpec } from '../../src/api/job-spec.ts';
import { openSqliteStore } from '../../src/store/sqlite/open.ts';
import type { Store } from '../../src/store/store.ts';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../support/ledger-at-hand.ts';

/** P12: a store that version 0.1.0 wrote, with what that version said of it beside it. */
const FIXTURE = new URL('../fixtures/store-0.1.0/', import.meta.url);

type Run = [value: number, count: number];
interface Expected {
  storeId: string;
  counters: Record<string, number>;
  jobs: ({ id: number; name: string; endedAt?: number; states: Run[]; attempts: Run[]; ends: number } & object)[];
  grants: { fence: number; jobId: number; position: number; count: number; sessionId: number; status: Run[] }[];
  sessions: { id: number; worker: string; cpus: number; memoryBytes: number; heldCount: number; heldSum: number }[];
}

let folder: string;
let expected: Expected;
let stores: Store[];
let at: LedgerAtHand;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spawn-older-'));
  await mkdir(join(folder, 'data'), { mode: 0o700 });
  const path = join(folder, 'data', 'store.db');
  await writeFile(path, gunzipSync(await readFile(new URL('store.db.gz', FIXTURE))), { mode: 0o600 });
  expected = JSON.parse(await readFile(new URL('expected.json', FIXTURE), 'utf8')) as Expected;
  stores = [];
  at = await LedgerAtHand.open({
    openStore: async () => {
      for (const store of stores) await store.close();
      const store = await openSqliteStore({ path });
      stores.push(store);
      return store;
    },
  });
});

afterEach(async () => {
  await at.coordinator.stop();
  for (const store of stores) await store.close();
  await rm(folder, { recursive: true });
});

function runsOf(values: ArrayLike<number>): Run[] {
  const runs: Run[] = [];
  for (let at = 0; at < values.length; at++) {
    const last = runs.at(-1);
    if (last !== undefined && last[0] === values[at]) last[1]++;
    else runs.push([values[at]!, 1]);
  }
  return runs;
}

test('every job, state, grant, session and end of a store of version 0.1.0 is there', async () => {
  expect(stores.at(-1)!.storeId).toBe(expected.storeId);
  expect(at.ledger.memory.counters).toMatchObject(expected.counters);
  for (const { states, attempts, ends, ...view } of expected.jobs) {
    expect(await at.coordinator.job(CALLER, String(view.id)), view.name).toMatchObject(view);
    await at.ledger.bring(view.id, false);
    const { table } = at.job(view.id);
    expect([runsOf(table.state), runsOf(table.attempts)], view.name).toEqual([states, attempts]);
    const chunks = await stores[0]!.findEnds({
      jobId: view.id,
      fromPosition: 0,
      toPosition: 1e9,
      after: 0,
      limit: 1e5,
    });
    expect(
      chunks.reduce((sum, { count }) => sum + count, 0),
      view.name,
    ).toBe(ends);
    const { spec } = at.ledger.entry(view.id).fixed;
    expect(JSON.parse(JSON.stringify(spec)), view.name).toEqual(JSON.parse(JSON.stringify(JobSpec.parse(spec))));
  }
  const sessions = [...at.ledger.memory.sessions.values()].map(({ session }) => session);
  expect(
    sessions.map(({ id, worker, room: { offer }, heldCount, heldSum, api }) => ({
      ...{ id, worker, heldCount, heldSum, api },
      ...{ cpus: offer.cpus, memoryBytes: offer.memoryBytes },
    })),
  ).toEqual(expected.sessions.map((session) => ({ ...session, api: 1 })));
  expect(
    sessions
      .flatMap(({ grants }) => grants)
      .map(({ fence, jobId, position, count, sessionId, status }) => ({
        ...{ fence, jobId, position, count, sessionId },
        status: runsOf(status),
      })),
  ).toEqual(expected.grants);
});

test('what a worker of version 0.1.0 held goes on, and what waited runs to its end', async () => {
  const [session] = expected.sessions;
  const old = new WorkerAtHand(at);
  old.sessionId = session!.id;
  for (const { fence, jobId, position, status } of expected.grants) {
    let offset = 0;
    for (const [value, count] of status) {
      for (let i = 0; i < count; i++, offset++) {
        if (value !== 2) old.held.set(fence + offset, { job: jobId, position: position + offset });
      }
    }
  }
  const half = expected.jobs.find(({ name }) => name === 'half')!.id;
  old.connect();
  await old.resync([...old.held.keys()].slice(0, 3));
  expect(old.held.size).toBe(session!.heldCount);
  // One job of today, which it cannot run, and a job of then, which a worker of today runs as well.
  const today = await at.submit({ gpus: 1, name: 'today' });
  await WorkerAtHand.join(at, { worker: 'new', resources: { cpus: 2, memoryBytes: 2 ** 30, gpus: 1 } });
  expect(at.states(today)).toEqual(['leased']);
  while (!at.job(half).finished) {
    const mine = [...old.held.values()].filter(({ job }) => job === half).map(({ position }) => position);
    expect(mine.length).toBeGreaterThan(0);
    await old.end(half, mine);
  }
  expect(old.told('job').every(({ job }) => !('lanes' in job || 'gpus' in job || 'openMode' in job))).toBe(true);
  await at.restart();
  expect(at.states(today)).toEqual(['leased']);
});
