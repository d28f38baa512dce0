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
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.array(step, { maxLength: 60, size: 'max' }),
        fc.constantFrom(0, 0, 1, 255),
        fc.boolean(),
        (count, steps, lane, shares) => {
          const range = new GrantRange(100, count, 12, 7, 3, lane);
          if (shares) range.devices = Uint16Array.from({ length: count }, (_, at) => at % 3);
          const model: Entry[] = Array.from({ length: count }, () => ({ status: GrantStatus.leased }));
          for (const each of steps) {
            act(range, model, each);
            expectSame(range, model);
          }
          const again = new GrantRange(100, count, 12, 7, 3);
          again.unpack(range.pack());
          expectSame(again, model);
          expect([again.lane, again.devices]).toEqual([lane, range.devices]);
        },
      ),
    );
  });

  it('of version 0.1.0 says nothing of lanes', () => {
    const range = new GrantRange(5, 4, 1, 0, 1);
    // Two leased, one running (attempt 2, started at 100, log at 3/300), one closed.
    range.unpack(Uint8Array.of(0, 2, 1, 1, 2, 1, 2, 100, 3, 0xac, 2));
    expect([range.lane, range.devices, [...range.status], range.open]).toEqual([0, undefined, [0, 0, 1, 2], 3]);
    expect([range.attempts![2], range.startedAt![2], range.logSegment![2], range.logOffset![2]]).toEqual([
      2, 100, 3, 300,
    ]);
  });

  it('costs three bytes while nothing has started', () => {
    expect(new GrantRange(1, 10_000, 1, 0, 1).pack()).toHaveLength(3);
  });
});
