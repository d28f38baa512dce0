import type { QueueFacts, QueueFields } from './queue-fields.ts';
import { compareIds, type QueueRow, ranFor } from './queue-rows.ts';
import { rowCpus, rowEnd, rowLeastCpus, rowMemory, rowNodeCount, rowPriority, rowStart } from './queue-values.ts';
import type { Orders } from './sort-keys.ts';
import { uidOfJob } from './users.ts';

type Order = (a: QueueRow, b: QueueRow) => number;

/** Letters by which squeue sorts jobs, and those whose text is compared. Source: squeue of Slurm 22.05.8. */
const BY_TEXT = 'fghjntuvzBHIJNOPT';

function byNumber(get: (row: QueueRow) => number | undefined): Order {
  return (a, b) => (get(a) ?? 0) - (get(b) ?? 0);
}

/** How squeue's rows may be ordered; rows for which nothing else decides stay in the order of their numbers. */
export function queueOrders({ letters }: QueueFields, { now, users }: QueueFacts): Orders<QueueRow> {
  const orders: Record<string, Order> = {
    c: byNumber(rowLeastCpus),
    C: byNumber(rowCpus),
    d: () => 0,
    D: byNumber(rowNodeCount),
    e: byNumber((row) => rowEnd(row, now)),
    G: byNumber(({ job }) => job.slurm?.gid),
    i: compareIds,
    l: byNumber(limitOf),
    L: byNumber((row) => limitOf(row) - ranFor(row, now)),
    m: byNumber((row) => rowMemory(row).bytes),
    M: byNumber((row) => ranFor(row, now)),
    p: byPriority,
    Q: byPriority,
    S: byNumber((row) => rowStart(row) ?? Number.MAX_SAFE_INTEGER),
    U: byNumber(({ job }) => uidOfJob(job, users)),
    V: byNumber(({ job }) => job.createdAt),
  };
  for (const letter of BY_TEXT) {
    const { value } = letters[letter]!;
    orders[letter] = (a, b) => compareText(value(a), value(b));
  }
  return orders;
}

/** No limit is more than any. */
function limitOf({ lane }: QueueRow): number {
  return lane.timeLimitMs === 0 ? Number.MAX_SAFE_INTEGER : lane.timeLimitMs;
}

/** Of two with the same priority the older job is before the other; what is held is behind all. */
function byPriority(a: QueueRow, b: QueueRow): number {
  const [first, second] = [rowPriority(a), rowPriority(b)];
  return first - second || b.job.id - a.job.id;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
