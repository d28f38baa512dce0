import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SLOWEST, Slowest } from './slowest.ts';

const end = (position: number, wallUs: number) => ({
  position,
  attempt: 1,
  outcome: 3,
  sessionId: 4,
  endedAt: 5,
  wallUs,
  cpuUs: 6,
  maxRssKb: 7,
});

it('keeps the five that took longest, longest first, through being stored', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 1000 }), { maxLength: 30 }), (walls) => {
      const slowest = new Slowest();
      for (const [position, wallUs] of walls.entries()) if (wallUs > slowest.least) slowest.add(end(position, wallUs));
      const longest = walls.toSorted((a, b) => b - a).slice(0, SLOWEST);
      expect(slowest.ends.map(({ wallUs }) => wallUs)).toEqual(longest);
      const again = new Slowest();
      again.unpack(slowest.pack());
      expect(again.ends).toEqual(slowest.ends);
      expect(again.least).toBe(slowest.least);
    }),
  );
});
