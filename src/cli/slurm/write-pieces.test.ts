import { expect, test } from 'vitest';
import type { Sink } from '../world.ts';
import { writePieces } from './write-pieces.ts';

test('writes all, many at once, and lets others run in between', async () => {
  const written: string[] = [];
  const sink = { write: (text: string) => written.push(text) } as unknown as Sink;
  const piece = 'x'.repeat(1_000);
  let made = 0;
  let seen: number | undefined;
  function* pieces() {
    for (; made < 1_000; made++) yield piece;
  }
  const writing = writePieces(pieces(), sink);
  setImmediate(() => {
    seen = made;
  });
  await writing;
  expect(seen).toBeLessThan(1_000);
  expect(written.join('')).toBe(piece.repeat(1_000));
  expect(written.length).toBeLessThan(20);
});
