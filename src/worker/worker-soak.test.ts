import fc from 'fast-check';
import { expect, test } from 'vitest';
import { scriptedJob } from '../../test/support/scripted-coordinator.ts';
import { until } from '../../test/support/until.ts';
import { workerOnScript } from '../../test/support/worker-on-script.ts';
import { encodeOutcome, withoutProcess } from '../core/outcome.ts';

const CANCELLED = encodeOutcome({ kind: 'cancelled' });
const JOBS = [1, 2, 3];

const run = fc.tuple(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 60 }));
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ grant: fc.constantFrom(...JOBS), count: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 2, arbitrary: fc.record({ again: run }) },
  { weight: 2, arbitrary: fc.record({ revoke: run }) },
  { weight: 1, arbitrary: fc.record({ cancel: run }) },
  { weight: 1, arbitrary: fc.record({ drop: run }) },
  { weight: 2, arbitrary: fc.record({ lose: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ defer: fc.integer({ min: 1, max: 2 }) }) },
  { weight: 1, arbitrary: fc.constant({ breaks: true }) },
  { weight: 1, arbitrary: fc.constant({ resync: true }) },
  { weight: 1, arbitrary: fc.record({ forget: fc.constantFrom(...JOBS) }) },
);

/** From fence to job and position of all that was granted. */
type Granted = Map<number, { job: number; position: number }>;

function clip([base, count]: [number, number], granted: Granted): [number, number] | undefined {
  const last = Math.min(base + count - 1, granted.size);
  return base <= last ? [base, last - base + 1] : undefined;
}

test('whatever the link and the coordinator do, each grant ends, comes back or is dropped, once', async () => {
  const property = fc.asyncProperty(fc.array(step, { minLength: 40, maxLength: 40 }), async (steps) => {
    const script = workerOnScript();
    const { coordinator, folder } = script;
    const granted: Granted = new Map();
    const dropped = new Set<number>();
    const describe = (job: number) =>
      coordinator.send({
        type: 'job',
        job: scriptedJob(job, 'echo $SPAWN_FENCE >>"$OUT/ran"', { env: { OUT: folder }, cpus: job / 2, graceMs: 100 }),
      });
    for (const job of JOBS) describe(job);
    script.start();
    for (const one of steps) {
      if ('grant' in one) {
        const from = coordinator.grant(one.grant, granted.size, one.count);
        for (let i = 0; i < one.count; i++) granted.set(from + i, { job: one.grant, position: granted.size });
      } else if ('again' in one) {
        // What the coordinator holds still, as after a resync that asked for it.
        const [fence] = [...coordinator.held].filter((held) => held >= one.again[0]);
        if (fence !== undefined) {
          const { job, position } = granted.get(fence)!;
          coordinator.grantAgain(job, fence, position, 1);
        }
      } else if ('revoke' in one || 'cancel' in one) {
        const type = 'revoke' in one ? 'revoke' : 'cancel';
        const clipped = clip('revoke' in one ? one.revoke : one.cancel, granted);
        if (clipped !== undefined) coordinator.send({ type, fences: [clipped] });
      } else if ('drop' in one) {
        const clipped = clip(one.drop, granted);
        if (clipped === undefined) continue;
        for (let i = 0; i < clipped[1]; i++) if (coordinator.held.has(clipped[0] + i)) dropped.add(clipped[0] + i);
        coordinator.drop([clipped]);
      } else if ('lose' in one) coordinator.loseReplies += one.lose;
      else if ('defer' in one) coordinator.deferNext += one.defer;
      else if ('breaks' in one) coordinator.breakStreams();
      else if ('resync' in one) coordinator.askResync = true;
      else if ('forget' in one) {
        coordinator.send({ type: 'forget', job: one.forget });
        describe(one.forget);
      }
      const seen = coordinator.exchanges.length;
      if (seen % 3 === 0)
        await until('an exchange', () => coordinator.held.size === 0 || coordinator.exchanges.length > seen);
    }
    await until('all to be over', () => coordinator.held.size === 0);
    const ended = coordinator.ends.map(({ fence }) => fence);
    const over = [...ended, ...coordinator.returned, ...dropped];
    expect(over.toSorted((a, b) => a - b)).toEqual([...granted.keys()]);
    const ran = script.read('ran').split('\n').filter(Boolean).map(Number);
    expect(new Set(ran).size).toBe(ran.length);
    for (const { fence, outcome } of coordinator.ends) {
      expect([0, CANCELLED]).toContain(withoutProcess(outcome));
      if (outcome === 0) expect(ran).toContain(fence);
    }
    for (const fence of coordinator.returned) expect(ran).not.toContain(fence);
    expect(coordinator.faults).toEqual([]);
    script.worker.drain();
    await script.done;
  });
  // Real processes take their time: few long runs, and no shrinking.
  await fc.assert(property, { numRuns: 2, endOnFailure: true });
}, 110_000);
