import type { JobDelta, JobsQuery, JobsReply, JobView, LogQuery, TasksQuery, TasksReply } from '../api/job.ts';
import { SpawnError } from '../core/errors.ts';
import type { LogReader } from '../objects/log-reader.ts';
import type { LoadedJob, Store, StoredJob } from '../store/store.ts';
import { type FollowPorts, followLogs } from './follow-logs.ts';
import { shownName } from './job-row.ts';
import type { Ledger } from './ledger.ts';
import { endedLogs, inLargePieces, type RunningLog, runningRanges, Selected } from './logs.ts';
import type { JobEntry, Memory } from './memory.ts';
import { resolveRef, selectRuns } from './refs.ts';
import { restoreJob } from './restore.ts';
import { checkSelection, selectionOf, selectTasks } from './selection.ts';
import { Shipments } from './shipments.ts';
import { addParams } from './task-params.ts';
import { addEnds, pagePositions, viewStates } from './tasks.ts';
import { deltaOfView, viewJob, viewStored } from './views.ts';

/** Newest first: those in memory, and with `all` those that only the store has. */
export async function listJobs(ledger: Ledger, query: JobsQuery): Promise<JobsReply> {
  const { before, name, slurmName, limit } = query;
  const stored = query.show === 'all' ? await findStored(ledger, query) : [];
  return await ledger.read((memory) => {
    const rows = new Map(stored.map((row) => [row.id, row]));
    const found = new Set(rows.keys());
    for (const { job, fixed } of memory.jobs.values()) {
      if (before !== undefined && job.id >= before) continue;
      if (name !== undefined && fixed.name !== name) continue;
      if (slurmName !== undefined && shownName(job, fixed) !== slurmName) continue;
      if (query.show === 'live' && job.endedAt !== 0) continue;
      found.add(job.id);
    }
    const ids = [...found].sort((a, b) => b - a);
    const jobs = ids.slice(0, limit).map((id) => {
      const entry = memory.jobs.get(id);
      return entry === undefined ? viewStored(rows.get(id)!) : viewJob(memory, entry);
    });
    return { jobs, ...(ids.length > limit ? { next: ids[limit - 1]! } : {}) };
  });
}

function findStored(ledger: Ledger, { before, name, slurmName, limit }: JobsQuery): Promise<StoredJob[]> {
  const by = {
    ...(before === undefined ? {} : { before }),
    ...(name === undefined ? {} : { name }),
    ...(slurmName === undefined ? {} : { slurmName }),
  };
  // One more than asked for tells whether there is a next page.
  return ledger.ports.store.findJobs({ live: false, ...by, limit: limit + 1 });
}

export async function readJob(ledger: Ledger, ref: string): Promise<JobView> {
  const { id } = await resolveRef(ledger.memory, ledger.ports.store, ref, 'look');
  const here = await ledger.read((memory) => {
    const entry = memory.jobs.get(id);
    return entry === undefined ? undefined : viewJob(memory, entry);
  });
  return here ?? viewStored((await loadJob(ledger, id)).job);
}

async function loadJob({ ports }: Ledger, id: number): Promise<LoadedJob> {
  const loaded = await ports.store.loadJob(id);
  if (loaded === undefined) throw new SpawnError('JOB_NOT_FOUND', { ref: String(id) });
  return loaded;
}

/** What `look` sees of a job, durable, whether it is in memory or only in the store. */
export async function lookAt<T>(ledger: Ledger, id: number, look: (entry: JobEntry, memory: Memory) => T): Promise<T> {
  const seen = await ledger.read((memory) => {
    const entry = memory.jobs.get(id);
    return entry === undefined ? undefined : { of: look(entry, memory) };
  });
  return seen === undefined ? look(restoreJob(await loadJob(ledger, id)), ledger.memory) : seen.of;
}

export async function readTasks(ledger: Ledger, ref: string, query: TasksQuery): Promise<TasksReply> {
  const { store } = ledger.ports;
  const resolved = await resolveRef(ledger.memory, store, ref, 'look');
  const { id } = resolved;
  const page = await lookAt(ledger, id, (entry, memory) => {
    const { job } = entry;
    const { positions, next } = pagePositions(job, selectRuns(job, resolved, query.index), query);
    return { positions, next, views: viewStates(memory, entry, positions), spec: entry.fixed.spec };
  });
  await addEnds(store, id, page.positions, page.views);
  await addParams(ledger.ports.blobs, page.spec, page.positions, page.views);
  return { tasks: page.views, ...(page.next === undefined ? {} : { next: page.next }) };
}

export async function watchJob(ledger: Ledger, ref: string, listener: (delta: JobDelta) => void): Promise<() => void> {
  const { id } = await resolveRef(ledger.memory, ledger.ports.store, ref, 'look');
  listener(deltaOfView(await readJob(ledger, String(id))));
  let told = false;
  const stop = ledger.watchers.add(id, (delta) => {
    told = true;
    listener(delta);
  });
  try {
    // What changed between the look and the watch; older than a delta that has come meanwhile.
    const now = await readJob(ledger, String(id));
    if (!told) listener(deltaOfView(now));
    return stop;
  } catch (error) {
    stop();
    throw error;
  }
}

export async function readLogs(
  ledger: Ledger,
  ref: string,
  query: LogQuery,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const { store, logs, copies } = ledger.ports;
  const which = selectionOf(query);
  checkSelection(which);
  const resolved = await resolveRef(ledger.memory, store, ref, 'look');
  const { id } = resolved;
  const seen = await lookAt(ledger, id, ({ job }) => {
    const { runs } = selectTasks(job, resolved, which);
    if (runs.length === 0) return undefined;
    const selected = new Selected(job.size, runs);
    return { selected, running: query.attempt === undefined ? runningRanges(job, selected) : [] };
  });
  if (seen === undefined) return nothing();
  const shipments = (left: AbortSignal) => new Shipments(() => ledger.memory, copies, id, left);
  if (!query.follow) {
    return inLargePieces(endedAndRunning(store, logs, shipments(signal), id, seen.selected, seen.running, query));
  }
  if (query.attempt !== undefined) {
    throw new SpawnError('BAD_REQUEST', {
      where: 'attempt',
      expected: 'not together with follow',
      found: String(query.attempt),
    });
  }
  const ports: FollowPorts = {
    look: (selected) =>
      ledger.read((memory) => {
        const job = memory.jobs.get(id)?.job;
        return job === undefined
          ? { done: true, running: [] }
          : { done: selected.allEnded(job.table.state), running: runningRanges(job, selected) };
      }),
    watch: (changed) => ledger.watchers.add(id, changed),
    shipments,
  };
  return followLogs(ports, store, logs, id, seen.selected, query, signal);
}

/** No task is in the states asked for. */
async function* nothing(): AsyncGenerator<Uint8Array> {}

/** What has ended, then what the running ones have written so far. */
async function* endedAndRunning(
  store: Store,
  logs: LogReader,
  shipments: Shipments,
  jobId: number,
  selected: Selected,
  running: readonly RunningLog[],
  query: LogQuery,
): AsyncGenerator<Uint8Array> {
  const skipped = new Set(running.map(({ position }) => position));
  yield* endedLogs(store, logs, shipments, jobId, selected, skipped, query);
  for (const { range } of running) yield* logs.read(range, query.stream, query.tail);
}
