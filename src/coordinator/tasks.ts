import type { EndCause, TasksQuery, TaskView } from '../api/job.ts';
import { type EndRecord, unpackEnds } from '../core/end-chunk.ts';
import { GrantStatus } from '../core/grant-range.ts';
import { asJobId, formatTaskId } from '../core/ids.ts';
import type { Job } from '../core/job.ts';
import { decodeOutcome, exitCodeOf, outcomeText, processEndOf } from '../core/outcome.ts';
import { reasonText } from '../core/task-reason.ts';
import { TASK_STATES, TaskState } from '../core/task-state.ts';
import { TaskFlag, TaskReason, type TaskTable } from '../core/task-table.ts';
import type { Store } from '../store/store.ts';
import type { Runs } from './cancel.ts';
import { nodesOf } from './gang.ts';
import { taskRawId } from './job-row.ts';
import type { JobEntry, Memory } from './memory.ts';
import { parseStates } from './selection.ts';

/** Chunks of ends read at a time. */
const CHUNKS = 512;

/** One page of positions that fit the query, in order. */
export function pagePositions(
  job: Job,
  runs: Runs,
  query: TasksQuery,
): { positions: number[]; next: number | undefined } {
  const states = query.state === undefined ? null : parseStates(query.state);
  const positions: number[] = [];
  for (const [start, count] of runs) {
    for (let position = Math.max(start, query.after + 1); position < start + count; position++) {
      if (states !== null && !states.has(job.table.state[position]!)) continue;
      if (positions.length === query.limit) return { positions, next: positions.at(-1) };
      positions.push(position);
    }
  }
  return { positions, next: undefined };
}

/** The ended attempts of some positions, `take` called in the order in which they were reported. */
export async function readEnds(
  store: Store,
  jobId: number,
  positions: readonly number[],
  take: (end: EndRecord) => void,
): Promise<void> {
  if (positions.length === 0) return;
  const wanted = new Set(positions);
  const [fromPosition, toPosition] = [positions[0]!, positions.at(-1)!];
  for (let after = 0; ; ) {
    const chunks = await store.findEnds({ jobId, fromPosition, toPosition, after, limit: CHUNKS });
    for (const { data } of chunks) for (const end of unpackEnds(data)) if (wanted.has(end.position)) take(end);
    if (chunks.length < CHUNKS) return;
    after = chunks.at(-1)!.id;
  }
}

/** Views of a page of tasks as far as memory knows them. */
export function viewStates(memory: Memory, entry: JobEntry, positions: readonly number[]): TaskView[] {
  const views = positions.map((position) => viewState(entry, position));
  addRunning(memory, entry.job, positions, views);
  return views;
}

/** Adds the measurements of the last attempts that had ended when the views were made. */
export async function addEnds(
  store: Store,
  jobId: number,
  positions: readonly number[],
  views: readonly TaskView[],
): Promise<void> {
  const rows = new Map(positions.map((position, at) => [position, views[at]!]));
  const sessions = new Map<number, TaskView[]>();
  await readEnds(store, jobId, positions, (end) => addEnd(rows.get(end.position)!, end, sessions));
  await nameWorkers(store, sessions);
}

/** The same where the last end of each is known. */
export async function addKnownEnds(store: Store, ends: readonly (readonly [TaskView, EndRecord])[]): Promise<void> {
  const sessions = new Map<number, TaskView[]>();
  for (const [view, end] of ends) addEnd(view, end, sessions);
  await nameWorkers(store, sessions);
}

async function nameWorkers(store: Store, sessions: ReadonlyMap<number, TaskView[]>): Promise<void> {
  if (sessions.size === 0) return;
  for (const { id, worker } of await store.findSessions([...sessions.keys()])) {
    for (const view of sessions.get(id)!) view.worker ??= worker;
  }
}

function viewState({ job, fixed }: JobEntry, position: number): TaskView {
  const { table, facts } = job;
  const suspension = suspensionOf(job, position);
  const index = facts.indices.at(position);
  const isHeld = table.hasFlag(position, TaskFlag.held);
  const reason = suspension.suspended ? 'suspended by a user' : isHeld ? 'held by a user' : reasonText(table, position);
  return {
    id: formatTaskId(asJobId(job.id), index),
    jobId: job.id,
    index,
    rawId: taskRawId(fixed, position),
    state: TASK_STATES[table.state[position]!]!,
    ...(reason === '' ? {} : { reason }),
    ...(isStopping(table, position) ? { stopping: true } : {}),
    ...causeOf(table, position),
    ...suspension,
    ...progressOf(job, position),
    attempt: table.attempts[position]!,
    failures: table.failures?.[position] ?? 0,
  };
}

/** Of what runs. */
function progressOf({ progress }: Job, position: number): Pick<TaskView, 'progress'> {
  const told = progress?.of(position);
  return told === undefined ? {} : { progress: { ...told } };
}

function isStopping(table: TaskTable, position: number): boolean {
  return table.hasFlag(position, TaskFlag.cancelRequested) || table.hasFlag(position, TaskFlag.requeueRequested);
}

/** Of what runs. */
function suspensionOf({ suspensions }: Job, position: number): Partial<TaskView> {
  const { since, stoodMs } = suspensions.of(position) ?? { since: 0, stoodMs: 0 };
  return {
    ...(since === 0 ? {} : { suspended: true, suspendedAt: since }),
    ...(stoodMs === 0 ? {} : { suspendedMs: stoodMs }),
  };
}

/** Of what did not end by itself. */
function causeOf(table: TaskTable, position: number): { cause?: EndCause } {
  const state = table.state[position];
  if (state === TaskState.skipped) return { cause: 'dependency' };
  if (state !== TaskState.cancelled) return {};
  const reason = table.reasonOf(position);
  if (reason === TaskReason.deadline) return { cause: 'deadline' };
  return { cause: reason === TaskReason.dependencyNeverSatisfied ? 'dependency' : 'cancelled' };
}

function addRunning(memory: Memory, job: Job, positions: readonly number[], views: readonly TaskView[]): void {
  const at = new Map(positions.map((position, i) => [position, i]));
  for (const range of job.grants) {
    const { worker } = memory.sessions.get(range.sessionId)!.session;
    for (let offset = 0; offset < range.count; offset++) {
      const i = range.status[offset] === GrantStatus.closed ? undefined : at.get(range.position + offset);
      if (i === undefined) continue;
      views[i]!.worker = worker;
      if (range.nodes !== undefined) views[i]!.nodes = nodesOf(memory, range);
      if (range.status[offset] === GrantStatus.running) views[i]!.startedAt = range.startedAt![offset]!;
    }
  }
}

/** A later attempt's end replaces an earlier one's; of a running task only how the attempt before ended is kept. */
function addEnd(view: TaskView, end: EndRecord, sessions: Map<number, TaskView[]>): void {
  // The view is older than this end.
  if (end.attempt > view.attempt || (end.attempt === view.attempt && view.state === 'running')) return;
  const outcome = decodeOutcome(end.outcome);
  view.outcome = outcomeText(outcome);
  view.exitCode = exitCodeOf(outcome);
  if (outcome.kind === 'signalled') view.signal = outcome.signal;
  else delete view.signal;
  if (view.state !== 'cancelled' && view.state !== 'skipped') view.cause = outcome.kind;
  const exit = processEndOf(outcome);
  if (exit === undefined) delete view.process;
  else view.process = exit.kind === 'exited' ? { code: exit.code } : { signal: exit.signal };
  if (end.attempt < view.attempt && TASK_STATES.indexOf(view.state) < TaskState.completed) return;
  view.startedAt = Math.round(end.endedAt - end.suspendedMs - end.wallUs / 1000);
  view.endedAt = end.endedAt;
  view.wallMs = end.wallUs / 1000;
  if (end.suspendedMs > 0) view.suspendedMs = end.suspendedMs;
  else delete view.suspendedMs;
  view.cpuMs = end.cpuUs / 1000;
  view.maxRssBytes = end.maxRssKb * 1024;
  view.outBytes = end.outBytes;
  view.errBytes = end.errBytes;
  if (end.cutBytes > 0) view.cutBytes = end.cutBytes;
  if (end.missingBytes > 0) view.missingBytes = end.missingBytes;
  const views = sessions.get(end.sessionId);
  if (views === undefined) sessions.set(end.sessionId, [view]);
  else views.push(view);
}
