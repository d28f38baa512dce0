import type { HistoryJob, HistoryQuery, HistoryReply, HistoryTask } from '../api/history.ts';
import type { TaskView } from '../api/job.ts';
import { type EndRecord, unpackEnds } from '../core/end-chunk.ts';
import { decodeOutcome, isOk } from '../core/outcome.ts';
import { TaskState } from '../core/task-state.ts';
import type { Store } from '../store/store.ts';
import type { Runs } from './cancel.ts';
import { type FoundJob, findHistory, type HistoryKey, historyKey, parseHistoryKey } from './history-jobs.ts';
import type { Ledger } from './ledger.ts';
import type { JobEntry } from './memory.ts';
import { type Named, namedRuns, resolveIds } from './queue-jobs.ts';
import { emptyPage, hasRoom, lookAtPart, type Part, type Room, viewGroups } from './queue-part.ts';
import { restoreJob } from './restore.ts';
import { parseStates } from './selection.ts';
import { openSessions } from './shortage.ts';
import { addKnownEnds, viewStates } from './tasks.ts';

/** Chunks of ends read at a time. */
const CHUNKS = 512;

interface Asked {
  readonly query: HistoryQuery;
  readonly named: Named | undefined;
  readonly states: ReadonlySet<number> | undefined;
  readonly now: number;
  readonly key: HistoryKey;
}

/** What of a job is on the page, before its ends are read. */
interface Told {
  readonly part: Part;
  readonly array: boolean;
  /** Of tasks that are to run again: what is the same of all their attempts. */
  readonly again: ReadonlyMap<number, TaskView>;
}

/**
 * What was and what is, a page at a time: tasks that have started one by one, the others in groups. A page costs what it shows, however many tasks
 * a job has.
 *
 * @param own says what an asker means by a name
 */
export async function readHistory(
  ledger: Ledger,
  query: HistoryQuery,
  own: (ref: string) => string,
): Promise<HistoryReply> {
  const states = query.states === undefined ? undefined : parseStates(query.states);
  const key = parseHistoryKey(query.after);
  const now = ledger.ports.clock.now();
  const { jobs: named, missing } = await resolveIds(ledger, query.ids, own);
  const asked: Asked = { query, named, states, now, key };
  const told: Told[] = [];
  const next = await fillPage(ledger, asked, told);
  const jobs = await viewAll(ledger.ports.store, asked, told);
  const shown = jobs.filter(({ groups, tasks }) => groups.length > 0 || tasks.length > 0);
  const reply = { now, jobs: shown, missing: query.after === undefined ? [...missing] : [] };
  return next === undefined ? reply : { ...reply, next };
}

/** Looks at job after job until the page is full; gives the key of the next one. */
async function fillPage(ledger: Ledger, asked: Asked, told: Told[]): Promise<string | undefined> {
  let room = emptyPage(asked.query.limit);
  for (const array of asked.key.array ? [true] : [false, true]) {
    let from: number | undefined = array === asked.key.array ? Math.max(asked.key.job, 1) : 1;
    while (from !== undefined) {
      const found = await findHistory(ledger, asked.query, asked.named, array, from);
      for (let at = 0; at < found.jobs.length; ) {
        const some = fewOf(found.jobs, at, room.rows);
        const looked = await lookAtJobs(ledger, asked, some, array, room);
        told.push(...looked.told);
        room = looked.room;
        at += some.length;
        if (looked.next !== undefined) return looked.next;
      }
      from = found.next;
    }
  }
  return undefined;
}

/** As many jobs as have about so many tasks together, and one at least. */
function fewOf(jobs: readonly FoundJob[], from: number, tasks: number): readonly FoundJob[] {
  let to = from;
  for (let sum = 0; to < jobs.length && (to === from || sum + jobs[to]!.size <= tasks); to++) sum += jobs[to]!.size;
  return jobs.slice(from, to);
}

/** The stored job with which the next page may go on: its million tasks are not read again for each. */
const unfinished = new WeakMap<Ledger, { readonly id: number; readonly version: string; readonly entry: JobEntry }>();

/** Those that only the store has. */
async function restoreJobs(ledger: Ledger, jobs: readonly FoundJob[]): Promise<ReadonlyMap<number, JobEntry>> {
  const last = unfinished.get(ledger);
  unfinished.delete(ledger);
  const restored = await Promise.all(
    jobs.map(async ({ id, stored }): Promise<[number, JobEntry][]> => {
      if (stored === undefined) return [];
      if (last?.id === id && last.version === stored) return [[id, last.entry]];
      const loaded = await ledger.ports.store.loadJob(id);
      return loaded === undefined ? [] : [[id, restoreJob(loaded)]];
    }),
  );
  return new Map(restored.flat());
}

async function lookAtJobs(
  ledger: Ledger,
  asked: Asked,
  jobs: readonly FoundJob[],
  array: boolean,
  before: Room,
): Promise<{ told: Told[]; room: Room; next?: string }> {
  const restored = await restoreJobs(ledger, jobs);
  return await ledger.read((memory) => {
    const room = { ...before };
    const line = { sessions: openSessions(memory), head: memory.queue.peek() };
    const told: Told[] = [];
    for (const { id, stored } of jobs) {
      const after = id === asked.key.job && array === asked.key.array ? asked.key.position : -1;
      if (!hasRoom(room)) return { told, room, next: historyKey(array, id, after) };
      const entry = memory.jobs.get(id) ?? restored.get(id);
      // Deleted a moment ago.
      if (entry === undefined) continue;
      const runs = namedRuns(entry.job, asked.named);
      const query = { runs, states: asked.states, ended: true, started: true, after };
      const part = lookAtPart(memory, entry, query, line, asked.now, room);
      const again = asked.query.attempts === 'all' ? triedPositions(entry, query, part.end) : [];
      room.rows -= again.length;
      const views = viewStates(memory, entry, again);
      told.push({ part, array, again: new Map(again.map((position, at) => [position, views[at]!])) });
      if (part.end === entry.job.size) continue;
      if (stored !== undefined && entry === restored.get(id)) unfinished.set(ledger, { id, version: stored, entry });
      return { told, room, next: historyKey(array, id, part.end - 1) };
    }
    return { told, room };
  });
}

/** Tasks that wait to run again. */
function triedPositions(
  { job: { table } }: JobEntry,
  { runs, states, after }: { runs: Runs; states: ReadonlySet<number> | undefined; after: number },
  end: number,
): number[] {
  const positions: number[] = [];
  for (const [start, count] of runs) {
    for (let at = Math.max(start, after + 1); at < Math.min(start + count, end); at++) {
      const state = table.state[at]!;
      if (state < TaskState.running && table.attempts[at]! > 0 && (states?.has(state) ?? true)) positions.push(at);
    }
  }
  return positions;
}

/** Reads how the attempts ended, and makes what is shown. */
async function viewAll(store: Store, { query }: Asked, told: readonly Told[]): Promise<HistoryJob[]> {
  const ends: (readonly [TaskView, EndRecord])[] = [];
  const jobs = await Promise.all(
    told.map(async ({ part, again }): Promise<HistoryJob> => {
      const { job } = part.entry;
      const positions = [...part.running.keys(), ...again.keys()].toSorted((a, b) => a - b);
      const ended = await readAttempts(store, job.id, positions);
      const tasks = positions.flatMap((position): HistoryTask[] => {
        const lane = job.table.eligible.laneOf(position);
        const view = part.running.get(position);
        const seen = view ?? again.get(position)!;
        const isOver = view !== undefined && view.state !== 'running';
        const rows: HistoryTask[] = [];
        for (const end of ended.get(position) ?? []) {
          const isLast = isOver && end.attempt === seen.attempt;
          // Newer than the view.
          if (end.attempt > seen.attempt || (!isLast && (query.attempts === 'last' || isRunning(view, end)))) continue;
          const row: HistoryTask = isLast ? { ...view, lane } : { ...earlier(seen, end), lane, again: true };
          ends.push([row, end]);
          rows.push(row);
        }
        const isTold = rows.at(-1)?.again === undefined && rows.length > 0;
        return view === undefined || isTold ? rows : [...rows, { ...view, lane }];
      });
      return { job: part.view, lanes: part.lanes, groups: viewGroups(part, part.end), tasks };
    }),
  );
  await addKnownEnds(store, ends);
  return jobs;
}

const isRunning = (view: TaskView | undefined, end: EndRecord): boolean =>
  view?.state === 'running' && view.attempt === end.attempt;

/** An attempt that another one followed, as far as it is known before its end is added. */
function earlier({ id, jobId, index, rawId }: TaskView, { attempt, outcome }: EndRecord): TaskView {
  const how = decodeOutcome(outcome);
  const state = isOk(how) ? 'completed' : how.kind === 'cancelled' ? 'cancelled' : 'failed';
  return { id, jobId, index, rawId, state, attempt, failures: 0 };
}

/** The ended attempts of some positions, each in the order in which they ended. */
async function readAttempts(
  store: Store,
  jobId: number,
  positions: readonly number[],
): Promise<ReadonlyMap<number, readonly EndRecord[]>> {
  const ends = new Map<number, EndRecord[]>(positions.map((position) => [position, []]));
  if (positions.length === 0) return ends;
  const range = { jobId, fromPosition: positions[0]!, toPosition: positions.at(-1)!, limit: CHUNKS };
  for (let after = 0; ; ) {
    const chunks = await store.findEnds({ ...range, after });
    for (const { data } of chunks) {
      for (const end of unpackEnds(data, (position) => ends.has(position))) ends.get(end.position)!.push(end);
    }
    if (chunks.length < CHUNKS) return ends;
    after = chunks.at(-1)!.id;
  }
}
