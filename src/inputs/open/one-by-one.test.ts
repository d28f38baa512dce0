import { expect, it } from 'vitest';
import { oneByOne } from './one-by-one.ts';

async function* lists(closed: { value: boolean }, fail = false): AsyncIterable<readonly number[]> {
  try {
    yield [1, 2];
    yield [];
    yield [3];
    if (fail) throw new Error('gone');
  } finally {
    closed.value = true;
  }
}

it('gives the items of lists in order, and then ends', async () => {
  const closed = { value: false };
  expect(await Array.fromAsync(oneByOne(lists(closed)))).toEqual([1, 2, 3]);
  expect(closed.value).toBe(true);
});

it('gives them in order to who asks for several at a time', async () => {
  const items = oneByOne(lists({ value: false }));
  const asked = await Promise.all(Array.from({ length: 5 }, () => items.next()));
  expect(asked.map(({ value }) => value)).toEqual([1, 2, 3, undefined, undefined]);
  expect(asked.map(({ done }) => done)).toEqual([false, false, false, true, true]);
});

it('ends the lists when its reader has had enough', async () => {
  const closed = { value: false };
  for await (const item of oneByOne(lists(closed))) if (item === 1) break;
  expect(closed.value).toBe(true);
});

it('passes on what goes wrong, after what was there before', async () => {
  const seen: unknown[] = [];
  const reading = async () => {
    for await (const item of oneByOne(lists({ value: false }, true))) seen.push(item);
  };
  await expect(reading()).rejects.toThrow('gone');
  expect(seen).toEqual([1, 2, 3]);
});
