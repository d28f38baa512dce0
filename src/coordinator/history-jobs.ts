import type { HistoryQuery } from '../api/history.ts';
import { SpawnError } from '../core/errors.ts';
import type { StoredJob, StoredJobFixed, StoredJobsQuery } from '../store/store.ts';
import { shownName, slurmNameOf } from './job-row.ts';
import type { Ledger } from './ledger.ts';
import type { JobEntry } from './memory.ts';
import { listOf, type Named } from './queue-jobs.ts';

/** Jobs that are found with one look at the store. */
const BATCH = 1_000;

/** Where a page goes on: jobs that are no arrays come first. */
export interface HistoryKey {
  readonly array: boolean;
  readonly job: number;
  readonly position: number;
}

/** A job that fits the query. */
export interface FoundJob {
  readonly id: number;
  readonly size: number;
  /** Only the store has it: what changes whenever the job does. */
  readonly stored: string | undefined;
}

/** Reads the key of a page. */
export function parseHistoryKey(after: string | undefined): HistoryKey {
  if (after === undefined) return { array: false, job: 0, position: -1 };
  const found = /^([ja])(\d{1,15}):(-1|\d{1,10})$/.exec(after);
  if (found === null)
    throw new SpawnError('BAD_REQUEST', { where: 'after', expected: 'the `next` of a page', found: after });
  return { array: found[1] === 'a', job: Number(found[2]), position: Number(found[3]) };
}

export function historyKey(array: boolean, job: number, position: number): string {
  return `${array ? 'a' : 'j'}${job}:${position}`;
}

/** Jobs that fit the query from a number on, ascending; `next` is the number from which to look for more. */
export async function findHistory(
  ledger: Ledger,
  query: HistoryQuery,
  named: Named | undefined,
  array: boolean,
  from: number,
): Promise<{ jobs: readonly FoundJob[]; next: number | undefined }> {
  const fits = filterOf(query, named, array, from);
  const rows = await findStored(ledger, query, named, array, from);
  const last = rows.length < BATCH ? Number.POSITIVE_INFINITY : rows.at(-1)!.id;
  const found = new Map<number, FoundJob>();
  for (const row of rows) {
    if (fits(row, slurmNameOf(row), row.endedAt))
      found.set(row.id, { id: row.id, size: row.size, stored: versionOf(row) });
  }
  const here = await ledger.read((memory) => {
    const fitting = ({ job, fixed }: JobEntry) => job.id <= last && fits(fixed, shownName(job, fixed), job.endedAt);
    return [...memory.jobs.values()].map((entry) => ({ id: entry.job.id, size: entry.job.size, fits: fitting(entry) }));
  });
  // What the store has of them may be older.
  for (const { id, size, fits: isFitting } of here) {
    if (isFitting) found.set(id, { id, size, stored: undefined });
    else found.delete(id);
  }
  const jobs = [...found.values()].toSorted((a, b) => a.id - b.id);
  return { jobs, next: last === Number.POSITIVE_INFINITY ? undefined : last + 1 };
}

/** An ended job changes only by running again, and then ends later, or by what is written of it here. */
function versionOf({ endedAt, retried, extra }: StoredJob): string {
  return `${endedAt} ${retried} ${extra}`;
}

async function findStored(
  { memory, ports: { store } }: Ledger,
  { names, endedFrom }: HistoryQuery,
  named: Named | undefined,
  array: boolean,
  from: number,
): Promise<StoredJob[]> {
  const nameList = names === undefined ? [] : listOf(names);
  const away = named === undefined ? undefined : [...named.keys()].filter((id) => !memory.jobs.has(id));
  if (away?.length === 0) return [];
  const query: StoredJobsQuery = {
    live: false,
    above: from - 1,
    array,
    ...(nameList.length === 1 ? { slurmName: nameList[0]! } : {}),
    ...(endedFrom === undefined ? {} : { endedFrom }),
    ...(away === undefined ? {} : { ids: away }),
    limit: BATCH,
  };
  return await store.findJobs(query);
}

function filterOf(query: HistoryQuery, named: Named | undefined, array: boolean, from: number) {
  const { names, owners, endedFrom = 0, createdTo = Number.POSITIVE_INFINITY } = query;
  const nameSet = names === undefined ? undefined : new Set(listOf(names));
  const ownerSet = owners === undefined ? undefined : new Set(listOf(owners));
  return ({ id, owner, indices, createdAt }: StoredJobFixed, name: string, endedAt: number): boolean =>
    id >= from &&
    (indices !== '') === array &&
    (named === undefined || named.has(id)) &&
    (nameSet === undefined || nameSet.has(name)) &&
    (ownerSet === undefined || ownerSet.has(owner)) &&
    (endedAt === 0 || endedAt >= endedFrom) &&
    createdAt <= createdTo;
}
