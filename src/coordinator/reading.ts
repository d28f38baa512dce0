import type { JobDelta, JobsQuery, JobsReply, JobView, LogQuery, TasksQuery, TasksReply } from '../api/job.ts';
import { SpawnError } from '../core/errors.ts';
import { isFinished } from '../core/job-state.ts';
import type { StoredJob } from '../store/store.ts';
import type { Ledger } from './ledger.ts';
import { endedLogs, followLogs, runningRanges } from './logs.ts';
import { resolveRef, selectRuns } from './refs.ts';
import { pagePositions, viewTasks } from './tasks.ts';
import { deltaOfView, viewJob, viewStored } from './views.ts';

/** Newest first: those in memory, and with `all` those that only the store has. */
export async function listJobs(ledger: Ledger, query: JobsQuery): Promise<JobsReply> {
  const { before, name, limit } = query;
  const stored = query.show === 'all' ? await findStored(ledger, query) : [];
  return await ledger.read((memory) => {
    const views = new Map<number, JobView>();
    for (const row of stored) views.set(row.id, viewStored(row));
    for (const entry of memory.jobs.values()) {
      const { job, fixed } = entry;
      if (before !== undefined && job.id >= before) continue;
      if (name !== undefined && fixed.name !== name) continue;
      if (query.show === 'live' && job.endedAt !== 0) continue;
      views.set(job.id, viewJob(memory, entry));
    }
    const sorted = [...views.values()].sort((a, b) => b.id - a.id);
    const jobs = sorted.slice(0, limit);
    return { jobs, ...(sorted.length > limit ? { next: jobs.at(-1)!.id } : {}) };
  });
}

function findStored(ledger: Ledger, { before, name, limit }: JobsQuery): Promise<StoredJob[]> {
  const by = { ...(before === undefined ? {} : { before }), ...(name === undefined ? {} : { name }) };
  // One more than asked for tells whether there is a next page.
  return ledger.ports.store.findJobs({ live: false, ...by, limit: limit + 1 });
}

export async function readJob(ledger: Ledger, ref: string): Promise<JobView> {
  const { id } = await resolveRef(ledger.memory, ledger.ports.store, ref, false);
  const entry = await ledger.peek(id);
  return await ledger.read((memory) => viewJob(memory, memory.jobs.get(id) ?? entry));
}

export async function readTasks(ledger: Ledger, ref: string, query: TasksQuery): Promise<TasksReply> {
  const { store } = ledger.ports;
  const resolved = await resolveRef(ledger.memory, store, ref, false);
  const peeked = await ledger.peek(resolved.id);
  const { entry, page } = await ledger.read((memory) => {
    const found = memory.jobs.get(resolved.id) ?? peeked;
    return { entry: found, page: pagePositions(found.job, selectRuns(found.job, resolved, query.index), query) };
  });
  return await viewTasks(store, ledger.memory, entry, page);
}

export async function watchJob(ledger: Ledger, ref: string, listener: (delta: JobDelta) => void): Promise<() => void> {
  const { id } = await resolveRef(ledger.memory, ledger.ports.store, ref, false);
  const first = await readJob(ledger, String(id));
  listener(deltaOfView(first));
  const stop = ledger.watchers.add(id, listener);
  // What changed between the look and the watch.
  const now = await readJob(ledger, String(id));
  listener(deltaOfView(now));
  return stop;
}

export async function readLogs(
  ledger: Ledger,
  ref: string,
  query: LogQuery,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const { store, logs } = ledger.ports;
  const resolved = await resolveRef(ledger.memory, store, ref, false);
  const { job } = await ledger.peek(resolved.id);
  const positions = expand(selectRuns(job, resolved, query.index));
  if (query.attempt !== undefined && query.follow) {
    throw new SpawnError('BAD_REQUEST', {
      where: 'attempt',
      expected: 'not together with follow',
      found: String(query.attempt),
    });
  }
  if (!query.follow && isFinished(job.table.counts)) {
    await ledger.idle();
    return endedLogs(store, logs, job.id, positions, query);
  }
  const ports = {
    memory: () => ledger.memory,
    job: () => ledger.memory.jobs.get(job.id)?.job,
    changed: (until: AbortSignal) => nextChange(ledger, job.id, until),
    durable: () => ledger.idle(),
  };
  if (query.follow) return followLogs(ports, store, logs, job.id, positions, query, signal);
  return endedAndRunning(ledger, job.id, positions, query);
}

/** Of a job that runs: what has ended, then what the running ones have written so far. */
async function* endedAndRunning(
  ledger: Ledger,
  jobId: number,
  positions: readonly number[],
  query: LogQuery,
): AsyncGenerator<Uint8Array> {
  const { store, logs } = ledger.ports;
  const wanted = new Set(positions);
  const job = ledger.memory.jobs.get(jobId)?.job;
  const running = job === undefined || query.attempt !== undefined ? [] : runningRanges(job, (at) => wanted.has(at));
  for (const { position } of running) wanted.delete(position);
  // Of those that do not run, memory may already show an end that the store does not have yet.
  await ledger.idle();
  yield* endedLogs(store, logs, jobId, [...wanted], query);
  for (const { range } of running) yield* logs.read(range, query.stream);
}

function expand(runs: Iterable<readonly [number, number]>): number[] {
  const positions: number[] = [];
  for (const [start, count] of runs) for (let at = 0; at < count; at++) positions.push(start + at);
  return positions;
}

function nextChange(ledger: Ledger, jobId: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stop();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const stop = ledger.watchers.add(jobId, done);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}
