import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LIFECYCLE_FACTS } from '../../test/support/lifecycle-facts.ts';
import { decide } from './instance-lifecycle.ts';
import { type InstanceTime, moveDeadline, passTime, setRunning, startTime, type TtlMode } from './instance-time.ts';

test('time that runs counts to both, a clock that goes back to neither', () => {
  const time = setRunning(startTime(1_000, 500), true);
  expect(passTime(time, 'running', 1_200)).toMatchObject({ atMs: 1_200, ranMs: 200, ttlLeftMs: 300 });
  expect(passTime(time, 'running', 900)).toMatchObject({ atMs: 1_000, ranMs: 0, ttlLeftMs: 500 });
});

test('without a TTL there is none', () => {
  expect(passTime(setRunning(startTime(0, 0), true), 'wall', 5_000).ttlLeftMs).toBeUndefined();
  expect(moveDeadline(startTime(0, 100), undefined)).toMatchObject({ ttlLeftMs: undefined, ttlSpanMs: 0 });
});

/** What happens to an instance: time passes, it is stopped, started, extended; and it is looked at. */
type Step =
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'stop' | 'start' | 'crash' }
  | { readonly do: 'extend'; readonly byMs: number }
  | { readonly do: 'set'; readonly ttlMs: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 5_000 }) }),
    fc.record({ do: fc.constantFrom('stop' as const, 'start' as const, 'crash' as const) }),
    fc.record({ do: fc.constant('extend' as const), byMs: fc.integer({ min: 1, max: 10_000 }) }),
    fc.record({ do: fc.constant('set' as const), ttlMs: fc.integer({ min: 1, max: 10_000 }) }),
  ),
  { maxLength: 40 },
);

/** The reference: one deadline, counted on paper. */
interface Model {
  now: number;
  runs: boolean;
  ran: number;
  left: number;
}

test('on any timeline it never runs past its one deadline, ends once, and keeps what is left over stops', () => {
  fc.assert(
    fc.property(
      steps,
      fc.constantFrom<TtlMode>('running', 'wall'),
      fc.integer({ min: 1, max: 20_000 }),
      (all, mode, ttlMs) => {
        const settings = {
          ttlMode: mode,
          idleTimeoutMs: 0,
          onIdle: 'stop',
          onComplete: 'none',
          retries: false,
          rate: 0,
        } as const;
        const model: Model = { now: 0, runs: true, ran: 0, left: ttlMs };
        let time: InstanceTime = setRunning(startTime(0, ttlMs), true);
        let warned: ReadonlySet<'ttl' | 'cost' | 'idle' | 'interrupt'> = new Set();
        let warnings = 0;
        let moves = 1;
        let ends = 0;
        const look = () => {
          time = passTime(time, mode, model.now);
          const decision = decide(settings, {
            ...LIFECYCLE_FACTS,
            state: ends > 0 ? 'ending' : time.runs ? 'running' : 'hibernated',
            wanted: time.runs ? 'running' : 'hibernated',
            ranMs: time.ranMs,
            ttlLeftMs: time.ttlLeftMs,
            ttlSpanMs: time.ttlSpanMs,
            warned,
          });
          warned = decision.holding;
          warnings += decision.warnings.length;
          if (decision.act !== 'nothing') {
            expect([decision.act, decision.reason]).toEqual(['terminate', 'ttl']);
            ends += 1;
          }
          return decision.nextInMs;
        };
        for (const step of all) {
          switch (step.do) {
            case 'pass':
              for (let left = step.ms; left > 0; ) {
                // As the agent does: it looks again when the decision says so.
                const nextInMs = look();
                const ms = Math.min(left, Math.ceil(nextInMs));
                left -= ms;
                model.now += ms;
                if (model.runs) model.ran += ms;
                if (model.runs || mode === 'wall') model.left -= ms;
              }
              break;
            case 'stop':
            case 'start':
              model.runs = step.do === 'start';
              time = setRunning(passTime(time, mode, model.now), model.runs);
              break;
            case 'crash':
              // Another agent knows it from what was written down.
              time = JSON.parse(JSON.stringify(time));
              break;
            case 'extend':
              time = passTime(time, mode, model.now);
              time = moveDeadline(time, time.ttlLeftMs! + step.byMs);
              model.left += step.byMs;
              moves += 1;
              break;
            case 'set':
              time = moveDeadline(passTime(time, mode, model.now), step.ttlMs);
              model.left = step.ttlMs;
              moves += 1;
              break;
          }
          look();
          expect(time.ranMs).toBe(model.ran);
          expect(time.ttlLeftMs).toBe(model.left);
          // At the very moment at which nothing is left it ends, not later, and never again.
          if (ends === 0) expect(model.left).toBeGreaterThan(0);
          expect(ends).toBeLessThanOrEqual(1);
          if (ends === 1) {
            expect(model.left).toBeLessThanOrEqual(0);
            break;
          }
        }
        expect(warnings).toBeLessThanOrEqual(moves);
      },
    ),
    { numRuns: 500 },
  );
});
