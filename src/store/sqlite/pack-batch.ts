import type {
  Batch,
  Counters,
  StoredAlert,
  StoredBudget,
  StoredDelivery,
  StoredEvent,
  StoredInstance,
  StoredKey,
  StoredSession,
  StoredToken,
} from '../store.ts';
import { type JobRow, type JobStateRow, toJobRow, toJobStateRow } from './rows.ts';

/**
 * Rows of one kind that there may be many of, as two buffers: an object a row would be copied field by field on the
 * event loop, buffers are handed over.
 */
export interface PackedRows {
  /** `width` numbers a row, the last one the length of its data. */
  readonly numbers: Float64Array<ArrayBuffer>;
  /** The data of all rows, one after another. */
  readonly data: Uint8Array<ArrayBuffer>;
}

/** A batch on its way to the thread. */
export interface PackedBatch {
  readonly counters: Counters | undefined;
  readonly newJobs: readonly JobRow[];
  readonly jobs: readonly JobStateRow[];
  /** jobId, page, length */
  readonly pages: PackedRows;
  /** fence, sessionId, jobId, position, count, length */
  readonly grants: PackedRows;
  readonly closedGrants: Float64Array<ArrayBuffer>;
  /** jobId, minPosition, maxPosition, count, bad, length */
  readonly ends: PackedRows;
  readonly sessions: readonly StoredSession[];
  readonly instances: readonly StoredInstance[];
  readonly droppedInstances: readonly string[];
  readonly budgets: readonly StoredBudget[];
  readonly resized: NonNullable<Batch['resized']>;
  readonly alerts: readonly StoredAlert[];
  readonly deliveries: readonly StoredDelivery[];
  readonly forgottenDeliveries: Batch['forgottenDeliveries'];
  readonly tokens: readonly StoredToken[];
  readonly droppedTokens: readonly number[];
  readonly dependencies: Batch['dependencies'];
  readonly keys: readonly StoredKey[];
  readonly events: readonly Omit<StoredEvent, 'id'>[];
  readonly deletedEnds: NonNullable<Batch['deletedEnds']>;
  readonly deletedJobs: readonly number[];
}

export const PAGE_WIDTH = 3;
export const GRANT_WIDTH = 6;
export const ENDS_WIDTH = 6;

/** Copies, so that the caller may reuse its buffers at once. */
export function packBatch(batch: Batch): { packed: PackedBatch; transfer: ArrayBuffer[] } {
  const packed: PackedBatch = {
    counters: batch.counters,
    newJobs: batch.newJobs.map(toJobRow),
    jobs: batch.jobs.map(toJobStateRow),
    pages: packRows(batch.pages, PAGE_WIDTH, (row, numbers, at) => {
      numbers[at] = row.jobId;
      numbers[at + 1] = row.page;
    }),
    grants: packRows(batch.grants, GRANT_WIDTH, (row, numbers, at) => {
      numbers[at] = row.fence;
      numbers[at + 1] = row.sessionId;
      numbers[at + 2] = row.jobId;
      numbers[at + 3] = row.position;
      numbers[at + 4] = row.count;
    }),
    closedGrants: Float64Array.from(batch.closedGrants),
    ends: packRows(batch.ends, ENDS_WIDTH, (row, numbers, at) => {
      numbers[at] = row.jobId;
      numbers[at + 1] = row.minPosition;
      numbers[at + 2] = row.maxPosition;
      numbers[at + 3] = row.count;
      numbers[at + 4] = row.bad;
    }),
    sessions: batch.sessions,
    instances: batch.instances ?? [],
    droppedInstances: batch.droppedInstances ?? [],
    budgets: batch.budgets ?? [],
    resized: batch.resized ?? [],
    alerts: batch.alerts ?? [],
    deliveries: batch.deliveries ?? [],
    forgottenDeliveries: batch.forgottenDeliveries,
    tokens: batch.tokens,
    droppedTokens: batch.droppedTokens,
    dependencies: batch.dependencies,
    keys: batch.keys,
    events: batch.events,
    deletedEnds: batch.deletedEnds ?? [],
    deletedJobs: batch.deletedJobs ?? [],
  };
  const { pages, grants, ends } = packed;
  const transfer = [pages, grants, ends].flatMap(({ numbers, data }) => [numbers.buffer, data.buffer]);
  return { packed, transfer: [...transfer, packed.closedGrants.buffer] };
}

function packRows<Row extends { readonly data: Uint8Array }>(
  rows: readonly Row[],
  width: number,
  put: (row: Row, numbers: Float64Array, at: number) => void,
): PackedRows {
  const numbers = new Float64Array(rows.length * width);
  const data = new Uint8Array(rows.reduce((sum, row) => sum + row.data.byteLength, 0));
  let offset = 0;
  for (const [index, row] of rows.entries()) {
    put(row, numbers, index * width);
    numbers[index * width + width - 1] = row.data.byteLength;
    data.set(row.data, offset);
    offset += row.data.byteLength;
  }
  return { numbers, data };
}

/** Calls `take` for each row with where its numbers begin and a view of its data. */
export function eachRow(rows: PackedRows, width: number, take: (at: number, data: Uint8Array) => void): void {
  let offset = 0;
  for (let at = 0; at < rows.numbers.length; at += width) {
    const end = offset + rows.numbers[at + width - 1]!;
    take(at, rows.data.subarray(offset, end));
    offset = end;
  }
}
