import { beforeEach, describe, expect, test } from 'vitest';
import { HandClock } from '../../test/support/ledger-at-hand.ts';
import { until } from '../../test/support/until.ts';
import { SpawnError } from '../core/errors.ts';
import type { Batch } from '../store/store.ts';
import { GroupCommit } from './group-commit.ts';

/** A number in memory and in a store, and a commit that ends when a test says so. */
let memory: number;
let stored: number;
let sealed: number[];
let commits: { resolve(): void; reject(error: unknown): void }[];
let rebuilds: { done(): void; fail(error: SpawnError): void }[];
let told: number[];
let group: GroupCommit;

const full = new SpawnError('STORE_FULL');

beforeEach(() => {
  memory = stored = 0;
  [sealed, commits, rebuilds, told] = [[], [], [], []];
  group = new GroupCommit({
    clock: new HandClock(),
    seal: () => {
      const value = memory;
      const batch = value === (sealed.at(-1) ?? stored) ? undefined : ({} as Batch);
      if (batch !== undefined) sealed.push(value);
      return { batch, durable: () => told.push(value) };
    },
    commit: () =>
      new Promise<void>((resolve, reject) => {
        const value = sealed.at(-1)!;
        commits.push({
          resolve: () => {
            stored = value;
            resolve();
          },
          reject,
        });
      }),
    rebuild: () =>
      new Promise<void>((resolve, fail) => {
        rebuilds.push({
          done: () => {
            memory = stored;
            sealed = [];
            resolve();
          },
          fail,
        });
      }),
  });
});

const add = (by: number) => group.write(() => (memory += by));
const look = () => group.read(() => memory);

async function state(promise: Promise<unknown>): Promise<string> {
  await new Promise((resolve) => setImmediate(resolve));
  return Promise.race([promise.then(() => 'resolved'), Promise.resolve('pending')]).catch(() => 'rejected');
}

describe('a group commit', () => {
  test('makes one batch of all that comes meanwhile, one at a time', async () => {
    const first = [add(1), add(1)];
    await until('a commit', () => commits.length === 1);
    const second = [add(10), add(10)];
    expect(await state(second[0]!)).toBe('pending');
    expect(commits).toHaveLength(1);
    commits[0]!.resolve();
    expect(await Promise.all(first)).toEqual([1, 2]);
    await until('the next', () => commits.length === 2);
    commits[1]!.resolve();
    expect(await Promise.all(second)).toEqual([12, 22]);
    expect([sealed, told]).toEqual([
      [2, 22],
      [2, 22],
    ]);
  });

  test('lets a reader wait for what it has seen, and for no more', async () => {
    expect(await look()).toBe(0);
    const write = add(1);
    await until('a commit', () => commits.length === 1);
    const seesFirst = look();
    const later = add(1);
    const seesSecond = look();
    commits[0]!.resolve();
    expect([await write, await seesFirst]).toEqual([1, 1]);
    expect(await state(seesSecond)).toBe('pending');
    commits[1]!.resolve();
    expect([await later, await seesSecond]).toEqual([2, 2]);
  });

  test('refuses all that rests on a refused batch once memory is rebuilt; readers look again', async () => {
    const first = add(1);
    const firstRefused = expect(first).rejects.toBe(full);
    await until('a commit', () => commits.length === 1);
    const onTop = add(1);
    const onTopRefused = expect(onTop).rejects.toBe(full);
    const reader = look();
    commits[0]!.reject(full);
    await until('the rebuild', () => rebuilds.length === 1);
    const during = look();
    const newer = add(100);
    expect(await state(Promise.race([first, onTop, reader, during, newer]))).toBe('pending');
    rebuilds[0]!.done();
    await Promise.all([firstRefused, onTopRefused]);
    await until('the next', () => commits.length === 2);
    commits[1]!.resolve();
    expect([await reader, await during, await newer]).toEqual([0, 0, 100]);
    expect(told).not.toContain(1);
  });

  test('leaves out what a wrong request would have done, and nothing else', async () => {
    const wrong = group.write(() => {
      throw new SpawnError('BAD_REQUEST', { where: 'it', expected: 'that', found: 'this' });
    });
    const right = add(1);
    await expect(wrong).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    await until('a commit', () => commits.length === 1);
    commits[0]!.resolve();
    expect(await right).toBe(1);
    expect(rebuilds).toHaveLength(0);
  });

  test('takes and shows nothing any more when memory can not be rebuilt', async () => {
    const write = add(1);
    const refused = expect(write).rejects.toBe(full);
    await until('a commit', () => commits.length === 1);
    commits[0]!.reject(full);
    await until('the rebuild', () => rebuilds.length === 1);
    const locked = new SpawnError('STORE_LOCKED', { host: 'there', pid: 1 });
    const during = expect(look()).rejects.toBe(locked);
    rebuilds[0]!.fail(locked);
    await Promise.all([refused, during]);
    await expect(look()).rejects.toBe(locked);
    await expect(add(1)).rejects.toBe(locked);
    await group.idle();
    expect(commits).toHaveLength(1);
  });
});
