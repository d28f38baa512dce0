import type { JobView } from '../../api/job.ts';
import type { QueueGroup, QueueJob, QueueLane, QueueTask } from '../../api/queue.ts';
import { IndexSet, type Run } from '../../core/index-set.ts';
import { bitstrLength, indicesText, waitingId } from './array-text.ts';
import { type SlurmReason, type SlurmState, wordsOf } from './words.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * What squeue shows in a line and scontrol in a record: a job, a task, or tasks of an array that have not started and of which the same holds.
 */
export interface QueueRow {
  readonly job: JobView;
  /** What it gets. */
  readonly lane: QueueLane;
  /** The one task that runs or has ended; undefined: nothing of the row ever started. */
  readonly task: QueueTask | undefined;
  /** Of an array: the indices that have not started; undefined for a task, for a job that is no array, and for what Slurm keeps of neither. */
  readonly set: IndexSet | undefined;
  /** One of the set, named by its index alone. */
  readonly single: boolean;
  /** Shown behind the set; 0: none. */
  readonly throttle: number;
  readonly state: SlurmState;
  /** The first one counts where there is room for one. */
  readonly reasons: readonly [SlurmReason, ...SlurmReason[]];
  /** `code:signal` */
  readonly exitCode: string;
  /** Dependencies that are not decided, in the grammar of docs/dependencies.md. */
  readonly after: string | undefined;
  /** What became of each term of it; absent: nothing yet. */
  readonly terms?: QueueGroup['terms'];
  /** A worker has been given it and has not said that it runs: shown as waiting, and soon to be gone. */
  readonly leased: boolean;
}

/** The rows of what `client.allQueue` tells: one for each group of tasks that have not started, one for each task that has. */
export async function readRows(parts: AsyncIterable<QueueJob> | Iterable<QueueJob>): Promise<QueueRow[]> {
  const rows: QueueRow[] = [];
  // There may be more of them than a call has room for.
  for await (const part of wholeJobs(parts)) for (const row of rowsOf(part)) rows.push(row);
  return rows;
}

/** Jobs of which several pages tell, put together again. */
async function* wholeJobs(parts: AsyncIterable<QueueJob> | Iterable<QueueJob>): AsyncGenerator<QueueJob> {
  let same: QueueJob[] = [];
  for await (const part of parts) {
    if (same.length > 0 && same[0]!.job.id !== part.job.id) {
      yield joinParts(same);
      same = [];
    }
    same.push(part);
  }
  if (same.length > 0) yield joinParts(same);
}

function joinParts(parts: readonly QueueJob[]): QueueJob {
  if (parts.length === 1) return parts[0]!;
  return {
    ...parts.at(-1)!,
    groups: joinGroups(parts.flatMap(({ groups }) => groups)),
    tasks: parts.flatMap(({ tasks }) => tasks),
  };
}

/** A group goes on where another one of the same was left. */
function joinGroups(groups: readonly QueueGroup[]): QueueGroup[] {
  const joined = Map.groupBy(groups, ({ state, reason, lane, after }) => JSON.stringify([state, reason, lane, after]));
  return [...joined.values()].map((same) => ({
    ...same.at(-1)!,
    indices: unite(same.map(({ indices }) => IndexSet.fromString(indices))).toString(),
    count: same.reduce((sum, { count }) => sum + count, 0),
  }));
}

/** The rows of one job: what has not started first. */
export function rowsOf({ job, lanes, groups, tasks }: QueueJob): QueueRow[] {
  const most = Math.max(0, ...groups.map(({ count }) => count));
  return [
    ...groups.map((group) => groupRow(job, lanes[group.lane]!, group, group.count < most)),
    ...tasks.map((task) => taskRow(job, lanes[task.lane]!, task)),
  ];
}

function groupRow(
  job: JobView,
  lane: QueueLane,
  { state, reason, indices, after, terms }: QueueGroup,
  isSplit: boolean,
): QueueRow {
  const words = wordsOf({ state, waits: reason });
  const set = job.array === undefined ? undefined : IndexSet.fromString(indices);
  return {
    job,
    lane,
    task: undefined,
    set,
    // Until the scheduler has looked at the last task that was not split off, Slurm keeps it in brackets.
    single: set?.size === 1 && words.state === 'PENDING' && (isSplit || !UNSEEN.has(reason)),
    throttle: job.throttle,
    state: words.state,
    reasons: [words.reason],
    exitCode: words.exitCode,
    after,
    terms,
    leased: state === 'leased',
  };
}

const UNSEEN: ReadonlySet<SlurmReason> = new Set([
  'JobHeldUser',
  'Dependency',
  'DependencyNeverSatisfied',
  'BeginTime',
]);

function taskRow(job: JobView, lane: QueueLane, task: QueueTask): QueueRow {
  // Slurm says of what runs that it is held, where it is.
  const held = job.held && task.state === 'running';
  const { state, reason, exitCode } = wordsOf(held ? { ...task, waits: 'JobHeldUser' } : task);
  const none = { set: undefined, single: false, throttle: 0, after: undefined, leased: false };
  return { job, lane, task, ...none, state, reasons: [reason], exitCode };
}

/**
 * One line for all that waits of an array, as squeue shows it: what most of the tasks wait for comes first among the reasons, and when they wait for
 * several the throttle is left out.
 */
export function mergeWaiting(rows: readonly QueueRow[]): QueueRow[] {
  const waiting = Map.groupBy(rows.filter(isWaiting), ({ job }) => job.id);
  return rows.flatMap((row) => {
    if (!isWaiting(row)) return [row];
    const all = waiting.get(row.job.id)!;
    return all[0] === row ? [mergedRow(all)] : [];
  });
}

const isWaiting = ({ state, set }: QueueRow): boolean => state === 'PENDING' && set !== undefined;

function mergedRow(rows: readonly QueueRow[]): QueueRow {
  if (rows.length === 1) return rows[0]!;
  // Those that are about to start say nothing of the others.
  const settled = rows.filter(({ leased }) => !leased);
  const telling = (settled.length === 0 ? rows : settled).toSorted((a, b) => b.set!.size - a.set!.size);
  const [first] = telling as [QueueRow];
  const [reason, ...more] = new Set(telling.flatMap(({ reasons }) => reasons));
  const set = unite(rows.map((row) => row.set!));
  return {
    ...first,
    set,
    single: false,
    throttle: telling.length > 1 ? 0 : first.throttle,
    reasons: [reason!, ...more],
  };
}

function unite(sets: readonly IndexSet[]): IndexSet {
  return IndexSet.fromRuns(sets.flatMap((set): Run[] => [...set.ranges()]));
}

/**
 * Of tasks that were cancelled before they started Slurm keeps one record, and that only when all of an array that waited was cancelled: with its
 * indices where nothing of it had started, else under the number of the array.
 */
export function forgetCancelled(rows: readonly QueueRow[]): QueueRow[] {
  const forgotten = Map.groupBy(rows.filter(isForgotten), ({ job }) => job.id);
  return rows.flatMap((row) => {
    if (!isForgotten(row)) return [row];
    const all = forgotten.get(row.job.id)!;
    const { counts, startedAt } = row.job;
    if (all[0] !== row || counts.blocked + counts.ready + counts.leased > 0) return [];
    const set = startedAt === undefined ? unite(all.map((one) => one.set!)) : undefined;
    return [{ ...row, set, single: set?.size === 1 && row.job.size > 1, throttle: 0 }];
  });
}

const isForgotten = ({ task, set, state }: QueueRow): boolean =>
  task === undefined && set !== undefined && state !== 'PENDING';

/** A row for each task of a row, made when it is asked for: a million of them need no room. */
export function* eachTask(row: QueueRow): Generator<QueueRow> {
  if (row.set === undefined) {
    yield row;
    return;
  }
  for (const { start, step, count } of row.set.ranges()) {
    for (let n = 0; n < count; n++) {
      const set = IndexSet.fromRuns([{ start: start + n * step, step: 1, count: 1 }]);
      yield { ...row, set, single: true, throttle: 0 };
    }
  }
}

/** Its id as `%i` of squeue shows it: `12`, `12_7`, `12_[1-3%2]`. */
export function rowId({ job, task, set, single, throttle }: QueueRow, env: Env): string {
  if (task !== undefined) return job.array === undefined ? String(job.id) : task.id;
  if (set === undefined) return String(job.id);
  return single ? `${job.id}_${set.min}` : waitingId(job.id, set, throttle, env);
}

/** Its one number, as `%A` of squeue and `JobId` of scontrol show it: what has not started has that of its job. */
export function rowNumber({ job, task }: QueueRow): number {
  return task?.rawId ?? job.id;
}

/** Its indices as `%K` of squeue and `ArrayTaskId` of scontrol show them; undefined for what is no part of an array. @param throttle whether to show it */
export function rowIndices({ job, task, set, ...row }: QueueRow, env: Env, throttle = true): string | undefined {
  if (job.array === undefined) return undefined;
  if (task !== undefined) return String(task.index);
  if (set === undefined) return undefined;
  return row.single ? String(set.min) : indicesText(set, throttle ? row.throttle : 0, bitstrLength(env));
}

/** Where a row comes among others: by its number, tasks of an array in the order of their indices, what waits behind them. */
export function compareIds(a: QueueRow, b: QueueRow): number {
  const place = ({ task, set, single }: QueueRow) => task?.index ?? (single ? set!.min : Number.MAX_SAFE_INTEGER);
  return a.job.id - b.job.id || place(a) - place(b);
}

/** When it started, epoch ms. */
export function startOf({ task, state, job }: QueueRow): number | undefined {
  if (task !== undefined) return task.startedAt;
  // Slurm: what was cancelled while it waited started and ended then.
  return state === 'PENDING' ? undefined : job.endedAt;
}

/** When it ended, epoch ms. */
export function endOf({ task, job, state }: QueueRow): number | undefined {
  if (task !== undefined) return task.endedAt;
  return state === 'PENDING' ? undefined : job.endedAt;
}

/** How long it has run, ms, without the time that it stood still. @param now by the coordinator's clock */
export function ranFor(row: QueueRow, now: number): number {
  const start = startOf(row);
  if (start === undefined) return 0;
  const { suspendedAt, suspendedMs = 0 } = row.task ?? {};
  return Math.max(0, (endOf(row) ?? suspendedAt ?? now) - start - suspendedMs);
}

/** What Slurm's commands call it. */
export function jobName({ slurm, name }: JobView): string {
  return slurm?.name ?? name;
}
