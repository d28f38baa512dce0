import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import { HistoryQuery } from '../api/history.ts';
import { QueueQuery, type QueueReply } from '../api/queue.ts';
import { IndexSet } from '../core/index-set.ts';

const SIZE = 12;
const JOBS = 3;

/** Every task that a page tells of. */
function tasksOf({ jobs }: Pick<QueueReply, 'jobs'>): string[] {
  return jobs.flatMap(({ job, groups, tasks }) => [
    ...groups.flatMap(({ indices }) => {
      const set = IndexSet.fromString(indices);
      return Array.from({ length: set.size }, (_, n) => `${job.id}_${set.at(n)}`);
    }),
    ...tasks.map(({ id }) => id),
  ]);
}

const act = fc.record({
  what: fc.constantFrom('start', 'end', 'cancel', 'hold', 'submit'),
  job: fc.integer({ min: 1, max: JOBS }),
  index: fc.nat(SIZE - 1),
});

test.each(['queue', 'history'] as const)(
  'pages of the %s tell of no task twice, and of each that stays as it is',
  async (what) => {
    const walk = async (limit: number, acts: readonly (typeof act extends fc.Arbitrary<infer T> ? T : never)[]) => {
      const at = await LedgerAtHand.open();
      for (let n = 0; n < JOBS; n++) await at.submit({ array: `0-${SIZE - 1}` });
      const worker = await WorkerAtHand.join(at);
      const touched = new Set<string>();
      const change = async ({ what: does, job, index }: (typeof acts)[number]) => {
        touched.add(`${job}_${index}`);
        try {
          if (does === 'cancel') await at.coordinator.cancel(CALLER, `${job}_${index}`, {});
          if (does === 'hold') await at.coordinator.hold(CALLER, `${job}_${index}`, {});
          if (does === 'submit') await at.submit({ array: `0-${SIZE - 1}` });
        } catch {
          // Refused: it has ended.
        }
        const [held] = [...worker.held.values()];
        if (held !== undefined && (does === 'start' || does === 'end')) {
          touched.add(`${held.job}_${held.position}`);
          if (does === 'start') await worker.start(held.job, held.position);
          else await worker.end(held.job, [held.position]);
        }
        await at.ledger.idle();
      };
      const told: string[] = [];
      let left = acts;
      for (let after: string | undefined; ; ) {
        const query = { limit, ...(after === undefined ? {} : { after }) };
        const page =
          what === 'queue'
            ? await at.coordinator.queue(CALLER, QueueQuery.parse({ ...query, ended: 60 }))
            : await at.coordinator.history(CALLER, HistoryQuery.parse(query));
        told.push(...tasksOf(page));
        after = page.next;
        if (after === undefined) break;
        for (const each of left.slice(0, 3)) await change(each);
        left = left.slice(3);
      }
      expect(told.filter((id, place) => told.indexOf(id) !== place)).toEqual([]);
      for (let job = 1; job <= JOBS; job++) {
        for (let index = 0; index < SIZE; index++) {
          if (!touched.has(`${job}_${index}`)) expect(told).toContain(`${job}_${index}`);
        }
      }
    };
    await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 8 }), fc.array(act, { maxLength: 40 }), walk), {
      numRuns: 60,
    });
  },
);
