import type { TaskView } from '../api/job.ts';
import type { QueueJob, QueueQuery, QueueReply, QueueTask } from '../api/queue.ts';
import type { EndRecord } from '../core/end-chunk.ts';
import { TaskState } from '../core/task-state.ts';
import type { Ledger } from './ledger.ts';
import type { JobEntry } from './memory.ts';
import { findQueued, type Named, namedRuns, parseKey, resolveIds } from './queue-jobs.ts';
import { emptyPage, hasRoom, lookAtPart, type Part, type PartQuery, type Room, viewGroups } from './queue-part.ts';
import { lookAt } from './reading.ts';
import { recentEnds } from './recent-ends.ts';
import { restoreJob } from './restore.ts';
import { parseStates } from './selection.ts';
import { openSessions } from './shortage.ts';
import { addKnownEnds, viewStates } from './tasks.ts';

/** Jobs that are looked at together; those of which ended tasks are wanted cost a look at the store each. */
const BATCH = 1_000;
const BATCH_WITH_ENDED = 50;

interface Asked {
  readonly query: QueueQuery;
  readonly named: Named | undefined;
  readonly states: ReadonlySet<number> | undefined;
  /** Tasks that ended then or later are shown, epoch ms; undefined: none. */
  readonly since: number | undefined;
  readonly now: number;
  readonly key: { readonly job: number; readonly position: number };
}

/**
 * What waits, runs and has just ended, a page at a time. What waits is told in groups: a million tasks that wait for the same are one, and
 * cost no more than a look at the columns of their job.
 *
 * @param own says what an asker means by a name
 */
export async function readQueue(ledger: Ledger, query: QueueQuery, own: (ref: string) => string): Promise<QueueReply> {
  const states = query.states === undefined ? undefined : parseStates(query.states);
  const key = parseKey(query.after);
  const now = ledger.ports.clock.now();
  const { jobs: named, missing } = await resolveIds(ledger, query.ids, own);
  const since = query.ended === undefined ? undefined : now - query.ended * 1_000;
  const asked: Asked = { query, named, states, since, now, key };
  const found = await findQueued(ledger, query, named, key.job, since);
  const size = since === undefined ? BATCH : BATCH_WITH_ENDED;
  const jobs: QueueJob[] = [];
  const reply = { now, jobs, missing: query.after === undefined ? [...missing] : [] };
  let room = emptyPage(query.limit);
  for (let from = 0; from < found.ids.length; from += size) {
    const looked = await lookAtJobs(ledger, asked, found.ids.slice(from, from + size), found.stored, room);
    const isLast = from + looked.jobs >= found.ids.length;
    let rows = room.rows;
    for (const [at, part] of looked.parts.entries()) {
      const shown = await showPart(ledger, asked, part, rows);
      if (isShown(asked, shown.job)) jobs.push(shown.job);
      rows -= shown.job.groups.length + shown.job.tasks.length;
      const isDone = isLast && at === looked.parts.length - 1 && shown.end === part.entry.job.size;
      const isFull = rows <= 0 || (at === looked.parts.length - 1 && !hasRoom(looked.room));
      if (!isDone && (isFull || shown.end < part.entry.job.size)) {
        return { ...reply, next: `${part.view.id}:${shown.end - 1}` };
      }
    }
    room = { ...looked.room, rows };
  }
  return reply;
}

/** One of which nothing is shown is told of only where it was named: that it is there is what was asked. */
function isShown({ query, key }: Asked, { job, groups, tasks }: QueueJob): boolean {
  if (groups.length > 0 || tasks.length > 0) return true;
  return query.ids !== undefined && query.states === undefined && job.id !== key.job;
}

/** Jobs as they are at one moment, until the page is full; `jobs` says how many that were. */
async function lookAtJobs(
  ledger: Ledger,
  asked: Asked,
  ids: readonly number[],
  stored: ReadonlySet<number>,
  before: Room,
): Promise<{ parts: Part[]; jobs: number; room: Room }> {
  const restored = new Map<number, JobEntry>();
  for (const id of ids.filter((each) => stored.has(each))) {
    const loaded = await ledger.ports.store.loadJob(id);
    if (loaded !== undefined) restored.set(id, restoreJob(loaded));
  }
  return await ledger.read((memory) => {
    const room = { ...before };
    const line = { sessions: openSessions(memory), head: memory.queue.peek() };
    const parts: Part[] = [];
    let jobs = 0;
    for (const id of ids) {
      if (!hasRoom(room)) break;
      jobs++;
      const entry = memory.jobs.get(id) ?? restored.get(id);
      if (entry === undefined) continue;
      parts.push(lookAtPart(memory, entry, partQuery(asked, entry), line, asked.now, room));
    }
    return { parts, jobs, room };
  });
}

function partQuery({ named, states, since, key }: Asked, { job }: JobEntry): PartQuery {
  const after = job.id === key.job ? key.position : -1;
  return { runs: namedRuns(job, named), states, ended: since !== undefined, after };
}

/** The part with no more than `rows` rows, but one; `end` says up to which position it is told. */
async function showPart(
  ledger: Ledger,
  asked: Asked,
  part: Part,
  rows: number,
): Promise<{ job: QueueJob; end: number }> {
  const { entry, running } = part;
  const { job } = entry;
  const ended = await findEnded(ledger, asked, part);
  const positions = [...running.keys(), ...ended.keys()].toSorted((x, y) => x - y);
  const fitting = positions.slice(0, Math.max(1, rows - part.groups.length));
  const end = positions[fitting.length] ?? part.end;
  const views = await viewEnded(ledger, job.id, new Map([...ended].filter(([position]) => position < end)));
  const tasks = fitting.map((position): QueueTask => {
    const view = running.get(position) ?? views.get(position)!;
    return { ...view, lane: job.table.eligible.laneOf(position) };
  });
  return { job: { job: part.view, lanes: part.lanes, groups: viewGroups(part, end), tasks }, end };
}

async function viewEnded(
  ledger: Ledger,
  jobId: number,
  ended: ReadonlyMap<number, EndRecord>,
): Promise<ReadonlyMap<number, TaskView>> {
  if (ended.size === 0) return new Map();
  const positions = [...ended.keys()];
  const views = await lookAt(ledger, jobId, (entry, memory) => viewStates(memory, entry, positions));
  await addKnownEnds(
    ledger.ports.store,
    views.map((view, at) => [view, ended.get(positions[at]!)!] as const),
  );
  return new Map(views.map((view, at) => [positions[at]!, view]));
}

/** The last ends of the tasks of a part that had ended when it was looked at, by position. */
async function findEnded(ledger: Ledger, asked: Asked, part: Part): Promise<ReadonlyMap<number, EndRecord>> {
  const { states, entry, end } = part;
  if (states === undefined) return new Map();
  const { job } = entry;
  // Of a job that was named, whenever that was.
  const since = asked.named === undefined ? asked.since! : 0;
  const { after, runs } = partQuery(asked, entry);
  const isWanted = (position: number) =>
    position > after &&
    position < end &&
    states[position]! >= TaskState.completed &&
    (asked.states?.has(states[position]!) ?? true) &&
    runs.some(([start, count]) => position >= start && position < start + count);
  const ends = await recentEnds(ledger.ports.store, job.id, since);
  return new Map([...ends].filter(([position]) => isWanted(position)));
}
