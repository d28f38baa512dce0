import type { QueueJob, QueueQueryInput } from '../../../api/queue.ts';
import type { Client } from '../../client.ts';
import { MIN_JOB_AGE } from '../queue-pages.ts';
import { forgetCancelled, type QueueRow, readRows, rowsOf } from '../queue-rows.ts';

/** Rows as they come, with the coordinator's clock. */
export interface Rows {
  readonly rows: readonly QueueRow[];
  readonly now: number;
  /** Ids that name nothing. */
  readonly missing: readonly string[];
}

/**
 * All that the queue and the history tell, what waits of a job before what runs and ran; of more than fits a page it comes page by page, and what
 * waits at the end, so that an array of a million tasks is never held at once.
 *
 * @param named tasks are asked for by their ids: each is told of, also one that was cancelled before it started, of which Slurm keeps no record
 */
export async function* readJobRows(
  client: Client,
  query: QueueQueryInput,
  named: boolean,
): AsyncGenerator<Rows, void, undefined> {
  const kept = (rows: readonly QueueRow[]) => (named ? rows.map(alone) : forgetCancelled(rows));
  const asked = { ended: MIN_JOB_AGE, limit: 10_000, ...query };
  let page = await client.queue(asked);
  const { now, missing, next } = page;
  if (next === undefined) {
    yield { rows: kept(await readRows(page.jobs)), now, missing };
    return;
  }
  const waiting: QueueJob[] = [];
  for (;;) {
    waiting.push(...page.jobs.map((part) => ({ ...part, tasks: [] })));
    const rows = page.jobs.flatMap((part) => rowsOf({ ...part, groups: [] }));
    yield { rows, now: page.now, missing: page.missing };
    if (page.next === undefined) break;
    page = await client.queue({ ...asked, after: page.next });
  }
  yield { rows: kept(await readRows(waiting)), now, missing: [] };
}

/** One task that was asked for is no set, though it waits with others. */
function alone(row: QueueRow): QueueRow {
  return row.set?.size === 1 ? { ...row, single: true, throttle: 0 } : row;
}
