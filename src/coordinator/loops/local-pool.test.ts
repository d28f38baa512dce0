import { beforeEach, describe, expect, test } from 'vitest';
import type { Provider, SessionPlace, StopHow } from '../../providers/provider.ts';
import { LocalPool, type PoolSession } from './local-pool.ts';

class FakeProvider implements Provider {
  readonly name = 'local';
  readonly started: string[] = [];
  readonly stopped: [string, StopHow][] = [];
  readonly alive = new Set<string>();
  /** Sessions by pid whose processes are gone. */
  readonly gone = new Set<number>();
  failing = false;

  async start(id: string): Promise<void> {
    this.started.push(id);
    if (this.failing) throw new Error('no more processes');
    this.alive.add(id);
  }
  async list(): Promise<string[]> {
    return [...this.alive];
  }
  async stop(id: string, how: StopHow): Promise<void> {
    this.stopped.push([id, how]);
  }
  async isGone({ pid }: SessionPlace): Promise<boolean> {
    return this.gone.has(pid);
  }
}

let provider: FakeProvider;
let sessions: PoolSession[];
let lost: number[];
let pool: LocalPool;

const open = (size = 1) =>
  new LocalPool({
    provider,
    size,
    coordinator: {
      sessions: () => sessions,
      loseSession: async (id) => {
        lost.push(id);
        sessions = sessions.filter((session) => session.id !== id);
      },
    },
  });
const session = (id: number, instance: string, connected = true): PoolSession => ({
  id,
  instance,
  pid: 1_000 + id,
  host: 'here',
  bootId: 'boot',
  sameHost: true,
  connected,
});

beforeEach(() => {
  provider = new FakeProvider();
  sessions = [];
  lost = [];
  pool = open();
});

test('an empty pool is filled, and rests when its worker is connected', async () => {
  await pool.runOnce(0);
  expect(provider.started).toEqual(['local-1']);
  expect(await pool.runOnce(25)).toBeLessThan(100);
  sessions = [session(1, 'local-1')];
  expect(await pool.runOnce(50)).toBe(1_000);
  expect(provider.started).toEqual(['local-1']);
});

test('a worker elsewhere that calls itself one of the pool neither counts nor changes its numbers', async () => {
  const elsewhere = (id: number, instance: string) => ({ ...session(id, instance), sameHost: false });
  sessions = [elsewhere(1, 'local-0'), elsewhere(2, 'local-9007199254740991')];
  await pool.runOnce(0);
  expect(provider.started).toEqual(['local-1']);
  sessions.push(session(3, 'local-1'));
  provider.gone.add(1_001);
  await pool.runOnce(25);
  expect({ lost, stopped: provider.stopped }).toEqual({ lost: [], stopped: [] });
});

test('what a coordinator before this one started stays', async () => {
  provider.alive.add('local-7');
  await pool.runOnce(0);
  expect(provider.started).toEqual([]);
  provider.alive.delete('local-7');
  await pool.runOnce(20_000);
  expect(provider.started).toEqual(['local-8']);
});

test('the id of a worker that died with its coordinator is not given again', async () => {
  sessions = [session(9, 'local-3', false)];
  provider.gone.add(1_009);
  await pool.runOnce(0);
  expect(lost).toEqual([9]);
  expect(provider.started).toEqual(['local-4']);
});

test('a connected worker counts though nothing was written down of it', async () => {
  sessions = [session(3, 'local-4')];
  await pool.runOnce(0);
  expect(provider.started).toEqual([]);
});

test('a worker that is gone loses its session at once and is replaced in the same look', async () => {
  await pool.runOnce(0);
  sessions = [session(1, 'local-1')];
  await pool.runOnce(1_000);
  provider.alive.delete('local-1');
  provider.gone.add(1_001);
  sessions = [session(1, 'local-1', false)];
  await pool.runOnce(20_000);
  expect(lost).toEqual([1]);
  expect(provider.started).toEqual(['local-1', 'local-2']);
});

test('a worker without a link that is not known to be gone keeps its session, and is looked at again soon', async () => {
  await pool.runOnce(0);
  sessions = [session(1, 'local-1', false)];
  expect(await pool.runOnce(1_000)).toBeLessThan(100);
  expect(lost).toEqual([]);
  expect(provider.started).toEqual(['local-1']);
});

test('sessions of other instances are not its business', async () => {
  provider.gone.add(1_001).add(1_002);
  const { instance: _, ...byHand } = session(2, '');
  sessions = [session(1, 'ec2-1', false), byHand];
  await pool.runOnce(0);
  expect(lost).toEqual([]);
  expect(provider.started).toEqual(['local-1']);
});

describe('a worker that dies again and again', () => {
  test('is replaced at once after the first time, then after longer and longer waits', async () => {
    const startedAt: number[] = [];
    for (let now = 0; now < 120_000; now += 50) {
      const before = provider.started.length;
      await pool.runOnce(now);
      if (provider.started.length > before) startedAt.push(now);
      provider.alive.clear();
    }
    const waits = startedAt.slice(1).map((at, i) => at - startedAt[i]!);
    expect(waits.slice(0, 8)).toEqual([50, 150, 250, 450, 850, 1_650, 3_250, 6_450]);
    expect(Math.max(...waits)).toBe(30_050);
  });

  test('is replaced at once when it lived well in between', async () => {
    await pool.runOnce(0);
    for (const at of [10, 20, 300]) {
      provider.alive.clear();
      await pool.runOnce(at);
    }
    expect(provider.started).toHaveLength(3);
    provider.alive.clear();
    await pool.runOnce(20_000);
    expect(provider.started).toHaveLength(4);
  });

  test('counts as dead when it cannot even be started', async () => {
    provider.failing = true;
    await expect(pool.runOnce(0)).rejects.toThrow('no more processes');
    await expect(pool.runOnce(1)).rejects.toThrow();
    expect(await pool.runOnce(2)).toBe(100);
    expect(provider.started).toHaveLength(2);
  });
});

test('a worker too many drains, the youngest, once', async () => {
  provider.alive.add('local-1').add('local-2');
  sessions = [session(1, 'local-1'), session(2, 'local-2')];
  await pool.runOnce(0);
  await pool.runOnce(1_000);
  expect(provider.stopped).toEqual([['local-2', 'drain']]);
  provider.alive.delete('local-2');
  sessions = [session(1, 'local-1')];
  await pool.runOnce(2_000);
  expect(provider.started).toEqual([]);
});

describe('a worker that hangs', () => {
  test('is killed after a long silence', async () => {
    for (let now = 0; now < 89_000; now += 1_000) await pool.runOnce(now);
    expect(provider.stopped).toEqual([]);
    for (let now = 89_000; now <= 91_000; now += 1_000) await pool.runOnce(now);
    expect(provider.stopped[0]).toEqual(['local-1', 'kill']);
  });

  test('is not judged by a time in which the machine slept', async () => {
    await pool.runOnce(0);
    await pool.runOnce(1_000);
    await pool.runOnce(10_000_000);
    expect(provider.stopped).toEqual([]);
  });

  test('is not one that was connected in between', async () => {
    for (let now = 0; now < 200_000; now += 1_000) {
      sessions = now % 60_000 === 30_000 ? [session(1, 'local-1')] : [];
      await pool.runOnce(now);
    }
    expect(provider.stopped).toEqual([]);
  });
});

test('a larger pool is filled in one look', async () => {
  pool = open(3);
  await pool.runOnce(0);
  expect(provider.started).toEqual(['local-1', 'local-2', 'local-3']);
});

test('all are asked to end', async () => {
  provider.alive.add('local-1').add('local-2');
  await pool.stopAll('end');
  expect(provider.stopped).toEqual([
    ['local-1', 'end'],
    ['local-2', 'end'],
  ]);
});
