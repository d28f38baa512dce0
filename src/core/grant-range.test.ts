import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GrantRange, GrantStatus } from './grant-range.ts';

interface Entry {
  status: number;
  start?: [attempt: number, startedAt: number, logSegment: number, logOffset: number];
}

type Step = readonly [
  kind: 'start' | 'close' | 'closeLeased',
  at: number,
  count: number,
  start: [number, number, number, number],
];

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom('start', 'close', 'closeLeased'),
  fc.nat(),
  fc.nat(8),
  fc.tuple(fc.integer({ min: 1, max: 65_535 }), fc.maxSafeNat(), fc.nat(2 ** 31 - 1), fc.maxSafeNat()),
);

/** Does to a range and to its model what a worker's reports may do. */
function act(range: GrantRange, model: Entry[], [kind, place, count, start]: Step): void {
  const at = place % range.count;
  const entry = model[at]!;
  if (kind === 'start' && entry.status === GrantStatus.leased) {
    range.start(at, ...start);
    model[at] = { status: GrantStatus.running, start };
  } else if (kind === 'close' && entry.status !== GrantStatus.closed) {
    range.close(at);
    model[at] = { status: GrantStatus.closed };
  } else if (kind === 'closeLeased') {
    const stretch = model.slice(at, at + count);
    if (stretch.length < count || stretch.some(({ status }) => status !== GrantStatus.leased)) return;
    range.closeLeased(at, count);
    model.fill({ status: GrantStatus.closed }, at, at + count);
  }
}

function expectSame(range: GrantRange, model: Entry[]): void {
  const of = (wanted: number) => model.filter(({ status }) => status === wanted).length;
  expect([...range.status]).toEqual(model.map(({ status }) => status));
  expect(range.leased).toBe(of(GrantStatus.leased));
  expect(range.running).toBe(of(GrantStatus.running));
  expect(range.open).toBe(of(GrantStatus.leased) + of(GrantStatus.running));
  for (const [at, { start }] of model.entries()) {
    if (start === undefined) continue;
    const { attempts, startedAt, logSegment, logOffset } = range;
    expect([attempts![at], startedAt![at], logSegment![at], logOffset![at]]).toEqual(start);
  }
}

describe('GrantRange', () => {
  it('counts what is leased, running and closed, and comes back from its bytes the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.array(step, { maxLength: 60, size: 'max' }), (count, steps) => {
        const range = new GrantRange(100, count, 12, 7, 3);
        const model: Entry[] = Array.from({ length: count }, () => ({ status: GrantStatus.leased }));
        for (const each of steps) {
          act(range, model, each);
          expectSame(range, model);
        }
        const again = new GrantRange(100, count, 12, 7, 3);
        again.unpack(range.pack());
        expectSame(again, model);
      }),
    );
  });

  it('costs three bytes while nothing has started', () => {
    expect(new GrantRange(1, 10_000, 1, 0, 1).pack()).toHaveLength(3);
  });
});
