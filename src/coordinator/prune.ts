import type { PruneReply, PruneRequest } from '../api/access.ts';
import type { StoredJob } from '../store/store.ts';
import { keepSpent } from './instances/hooks.ts';
import { jobExists } from './job-exists.ts';
import type { Ledger } from './ledger.ts';
import type { Memory } from './memory.ts';
import { sweepBlobs, sweepLogs } from './sweep.ts';

/** Rows of jobs that are read at a time. */
const PAGE = 500;
/** Jobs that one commit removes, and tasks that they may have together. */
const MAX_JOBS = 1_000;
const MAX_TASKS = 20_000;
/** Chunks of ends of one large job that one commit removes: some milliseconds of the store. */
const MAX_ENDS = 10_000;

/** `planOf`: number of the job that it planned, which may want to be planned again. */
type Doomed = Pick<StoredJob, 'id' | 'size'> & { readonly planOf?: number };

/** One at a time: two would count the same files. */
const turns = new WeakMap<Ledger, Promise<unknown>>();

/**
 * Removes ended jobs for ever: from the store first, some at a time, then their files. What a crash leaves of files, the next run removes.
 * A dry run counts the same and changes nothing.
 */
export async function pruneJobs(ledger: Ledger, request: PruneRequest): Promise<PruneReply> {
  const before = turns.get(ledger) ?? Promise.resolve();
  const run = before.then(() => prune(ledger, request));
  turns.set(
    ledger,
    run.catch(() => {}),
  );
  return await run;
}

async function prune(ledger: Ledger, request: PruneRequest): Promise<PruneReply> {
  const { dryRun } = request;
  const chosen = await choose(ledger, request);
  const doomed = await ledger.read((memory) => chosen.filter(({ id }) => mayGo(memory, id)));
  const gone = dryRun ? doomed : await removeAll(ledger, doomed);
  const ids = new Set(gone.map(({ id }) => id));
  const bytes = (await sweepLogs(ledger, ids, dryRun)) + (await sweepBlobs(ledger, ids, dryRun));
  return { jobs: gone.length, tasks: gone.reduce((sum, { size }) => sum + size, 0), bytes, dryRun };
}

/** Ended jobs that are old enough, newest first. */
async function choose(ledger: Ledger, { olderThanMs, keep, ids }: PruneRequest): Promise<Doomed[]> {
  const { store, clock } = ledger.ports;
  const latest = clock.now() - olderThanMs;
  const wanted = ids === undefined ? undefined : new Set(ids);
  const chosen: Doomed[] = [];
  let seen = 0;
  let before: number | undefined;
  for (;;) {
    const rows = await store.findJobs({ live: false, limit: PAGE, ...(before === undefined ? {} : { before }) });
    for (const { id, size, endedAt, spec } of rows) {
      seen++;
      const planOf = spec.role?.kind === 'plan' ? { planOf: spec.role.of } : {};
      if (seen > keep && endedAt <= latest && wanted?.has(id) !== false) chosen.push({ id, size, ...planOf });
    }
    if (rows.length < PAGE) return await withoutNeeded(ledger, chosen);
    before = rows.at(-1)!.id;
  }
}

/** A planning job stays as long as the job that it is for. */
async function withoutNeeded(ledger: Ledger, chosen: readonly Doomed[]): Promise<Doomed[]> {
  const ids = new Set(chosen.map(({ id }) => id));
  const kept: Doomed[] = [];
  for (const job of chosen) {
    const { planOf } = job;
    if (planOf === undefined || ids.has(planOf) || !(await jobExists(ledger, planOf))) kept.push(job);
  }
  return kept;
}

/** It has ended, no task waits for what became of it, and no instance of it lives. */
function mayGo({ jobs, ended, instances }: Memory, id: number): boolean {
  if (instances.isLive(id)) return false;
  const job = jobs.get(id)?.job;
  return job === undefined || (ended.has(job) && !job.awaited && job.grants.size === 0);
}

async function removeAll(ledger: Ledger, doomed: readonly Doomed[]): Promise<Doomed[]> {
  const gone: Doomed[] = [];
  for (const { id } of doomed) ledger.pruning.add(id);
  try {
    for (const slice of slices(doomed)) {
      if (slice[0]!.size > MAX_TASKS) await removeEnds(ledger, slice[0]!.id);
      gone.push(...(await removeSlice(ledger, slice)));
    }
  } finally {
    ledger.pruning.clear();
  }
  return gone;
}

/** Large jobs alone, the others together. */
function* slices(doomed: readonly Doomed[]): Generator<Doomed[]> {
  let slice: Doomed[] = [];
  let tasks = 0;
  for (const job of doomed) {
    if (slice.length > 0 && (slice.length === MAX_JOBS || tasks + job.size > MAX_TASKS)) {
      yield slice;
      slice = [];
      tasks = 0;
    }
    slice.push(job);
    tasks += job.size;
  }
  if (slice.length > 0) yield slice;
}

/** A million chunks in one commit would keep every other request waiting. */
async function removeEnds(ledger: Ledger, jobId: number): Promise<void> {
  const any = { jobId, fromPosition: 0, toPosition: Number.MAX_SAFE_INTEGER, after: 0, limit: 1 };
  while ((await ledger.ports.store.findEnds(any)).length > 0) {
    const asked = await ledger.write(({ memory }) => {
      if (!mayGo(memory, jobId)) return false;
      memory.changes.deletedEnds.push({ jobId, count: MAX_ENDS });
      return true;
    });
    if (!asked) return;
  }
}

function removeSlice(ledger: Ledger, slice: readonly Doomed[]): Promise<Doomed[]> {
  return ledger.write((world) => {
    const { memory, now } = world;
    // Somebody may have brought one of them back to run again.
    const gone = slice.filter(({ id }) => mayGo(memory, id));
    if (gone.length === 0) return gone;
    const ids = new Set(gone.map(({ id }) => id));
    for (const id of ids) {
      const job = memory.jobs.get(id)?.job;
      if (job !== undefined) ledger.drop(job);
      memory.changes.deletedJobs.push(id);
      for (const row of memory.instances.arrays.get(id)?.rows() ?? []) keepSpent(world, row);
      memory.instances.forgetJob(id);
    }
    for (const [key, { jobId }] of memory.keys) if (ids.has(jobId)) memory.keys.delete(key);
    const tasks = gone.reduce((sum, { size }) => sum + size, 0);
    // It is what keeps the ids of events growing: the newest one may be of a job that goes.
    memory.changes.event(now, 0, 'jobsPruned', { jobs: gone.length, tasks });
    return gone;
  });
}
