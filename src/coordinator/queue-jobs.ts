import type { QueueQuery } from '../api/queue.ts';
import { isSpawnError, SpawnError } from '../core/errors.ts';
import type { IndexSet } from '../core/index-set.ts';
import type { Job } from '../core/job.ts';
import type { StoredJobFixed } from '../store/store.ts';
import type { Runs } from './cancel.ts';
import { shownName, slurmNameOf } from './job-row.ts';
import type { Ledger } from './ledger.ts';
import { resolveRef } from './refs.ts';

/** Jobs that have ended which one view of the queue may find without being given their ids. */
const MOST_ENDED = 10_000;

/** Jobs that were named, each with the tasks that were: null = all of them. */
export type Named = ReadonlyMap<number, readonly IndexSet[] | null>;

export interface NamedJobs {
  /** Undefined: no ids were given. */
  readonly jobs: Named | undefined;
  readonly missing: readonly string[];
}

/** @param own says what an asker means by a name */
export async function resolveIds(
  ledger: Ledger,
  ids: QueueQuery['ids'],
  own: (ref: string) => string,
): Promise<NamedJobs> {
  if (ids === undefined) return { jobs: undefined, missing: [] };
  const jobs = new Map<number, IndexSet[] | null>();
  const named = new Map<number, string[]>();
  const missing: string[] = [];
  for (const ref of listOf(ids).flatMap(splitRefs)) {
    try {
      const { id, indices } = await resolveRef(ledger.memory, ledger.ports.store, own(ref), 'look');
      const before = jobs.get(id);
      if (indices === null) jobs.set(id, null);
      else if (before === undefined) jobs.set(id, [indices]);
      else before?.push(indices);
      const refs = named.get(id);
      if (refs === undefined) named.set(id, [ref]);
      else refs.push(ref);
    } catch (error) {
      if (!isSpawnError(error) || (error as SpawnError).code !== 'JOB_NOT_FOUND') throw error;
      missing.push(ref);
    }
  }
  const away = [...jobs.keys()].filter((id) => !ledger.memory.jobs.has(id));
  const stored =
    away.length === 0 ? [] : await ledger.ports.store.findJobs({ live: false, ids: away, limit: away.length });
  const known = new Set(stored.map(({ id }) => id));
  // A job that became durable a moment ago was in memory before.
  for (const id of away.filter((each) => !known.has(each) && !ledger.memory.jobs.has(each))) {
    jobs.delete(id);
    missing.push(...named.get(id)!);
  }
  return { jobs, missing };
}

/** `12,13_[1,3-5]` at its commas outside of brackets, in one walk: whoever may read can send very many. */
export function splitRefs(text: string): string[] {
  const refs: string[] = [];
  let from = 0;
  let isInside = false;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (sign === '[' || sign === ']') isInside = sign === '[';
    if (sign !== ',' || isInside) continue;
    refs.push(text.slice(from, at));
    from = at + 1;
  }
  refs.push(text.slice(from));
  return refs;
}

/** The values of a parameter that may come several times. */
export function listOf(values: string | readonly string[]): readonly string[] {
  return typeof values === 'string' ? [values] : values;
}

/** Numbers of the jobs that fit the query, ascending from `from` on; those that only the store has are told. */
export async function findQueued(
  ledger: Ledger,
  query: QueueQuery,
  named: Named | undefined,
  from: number,
  since: number | undefined,
): Promise<{ ids: readonly number[]; stored: ReadonlySet<number> }> {
  const { store } = ledger.ports;
  const fits = filterOf(query, named, from);
  const away = named === undefined ? [] : [...named.keys()].filter((id) => !ledger.memory.jobs.has(id));
  const rows = [
    ...(since === undefined ? [] : await store.findJobs({ live: false, endedFrom: since, limit: MOST_ENDED })),
    ...(away.length === 0 ? [] : await store.findJobs({ live: false, ids: away, limit: away.length })),
  ];
  const stored = new Set(rows.filter((row) => fits(row, slurmNameOf(row))).map(({ id }) => id));
  const live = await ledger.read((memory) =>
    [...memory.jobs.values()].flatMap(({ job, fixed }) => {
      const shown = job.endedAt === 0 || named?.has(job.id) || (since !== undefined && job.endedAt >= since);
      return shown && fits(fixed, shownName(job, fixed)) ? [job.id] : [];
    }),
  );
  for (const id of live) stored.delete(id);
  return { ids: [...live, ...stored].toSorted((a, b) => a - b), stored };
}

function filterOf({ names, owners }: QueueQuery, named: Named | undefined, from: number) {
  const nameSet = names === undefined ? undefined : new Set(listOf(names));
  const ownerSet = owners === undefined ? undefined : new Set(listOf(owners));
  return ({ id, name, owner, spec }: StoredJobFixed, shown: string): boolean =>
    id >= from &&
    (named === undefined || named.has(id)) &&
    // One that was renamed has lost its first name.
    (nameSet === undefined || nameSet.has(shown) || (shown === (spec.slurm?.name ?? name) && nameSet.has(name))) &&
    (ownerSet === undefined || ownerSet.has(owner));
}

/** The positions of a job that were named, ascending; indices that it does not have are left out. */
export function namedRuns(job: Job, named: Named | undefined): Runs {
  const sets = named?.get(job.id) ?? null;
  if (sets === null) return [[0, job.size]];
  const { indices } = job.facts;
  const runs = sets.flatMap((set) => [...indices.positionsOf(set)]).toSorted(([a], [b]) => a - b);
  const merged: [number, number][] = [];
  for (const [start, count] of runs) {
    const last = merged.at(-1);
    const end = last === undefined ? 0 : last[0] + last[1];
    if (last !== undefined && start <= end) last[1] = Math.max(end, start + count) - last[0];
    else merged.push([start, count]);
  }
  return merged;
}

/** Reads the key of a page: the job and the position after which to go on. */
export function parseKey(after: string | undefined): { job: number; position: number } {
  if (after === undefined) return { job: 0, position: -1 };
  const found = /^(\d{1,15}):(-1|\d{1,10})$/.exec(after);
  if (found === null)
    throw new SpawnError('BAD_REQUEST', { where: 'after', expected: 'the `next` of a page', found: after });
  return { job: Number(found[1]), position: Number(found[2]) };
}
