import type { TaskView } from '../api/job.ts';
import type { QueueGroup, QueueJob, QueueLane } from '../api/queue.ts';
import type { Job } from '../core/job.ts';
import type { Lane } from '../core/lane.ts';
import { type Line, type QueueReason, queueReason } from '../core/queue-reason.ts';
import { TASK_STATES, TaskState } from '../core/task-state.ts';
import { stretchesOf, type TaskStretch } from '../core/task-stretches.ts';
import type { Runs } from './cancel.ts';
import type { JobEntry, Memory } from './memory.ts';
import { viewStates } from './tasks.ts';
import { viewJob } from './views.ts';

/** Stretches of tasks that are looked at for one page, and that one page tells of. */
const MAX_STEPS = 200_000;
const MAX_RUNS = 20_000;

/** What one page may still hold. */
export interface Room {
  rows: number;
  steps: number;
  runs: number;
}

export function emptyPage(limit: number): Room {
  return { rows: limit, steps: MAX_STEPS, runs: MAX_RUNS };
}

export function hasRoom({ rows, steps, runs }: Room): boolean {
  return rows > 0 && steps > 0 && runs > 0;
}

/** What is asked of a job. */
export interface PartQuery {
  /** The tasks asked about. */
  readonly runs: Runs;
  /** Numbers of states; undefined: all. */
  readonly states: ReadonlySet<number> | undefined;
  /** Also what has ended. */
  readonly ended: boolean;
  /** Of that, also what had started is told task by task, with what runs. */
  readonly started?: boolean;
  /** Only positions above it. */
  readonly after: number;
}

interface Group {
  readonly stretch: TaskStretch;
  readonly reason: QueueReason;
  readonly runs: [start: number, count: number][];
}

/** What a job looked like at one moment, from which its part of a page is made. */
export interface Part {
  readonly entry: JobEntry;
  readonly view: QueueJob['job'];
  readonly lanes: QueueLane[];
  readonly groups: readonly Group[];
  /** What runs, and has started where that is asked for, by position, ascending. */
  readonly running: ReadonlyMap<number, TaskView>;
  /** The state of each task, when what has ended is asked for. */
  readonly states: Uint8Array | undefined;
  /** Only positions below it were looked at. */
  readonly end: number;
}

/** Looks at a job until its end or until the page is full. */
export function lookAtPart(
  memory: Memory,
  entry: JobEntry,
  query: PartQuery,
  line: Line,
  now: number,
  room: Room,
): Part {
  const { job } = entry;
  const { table } = job;
  const wants = (state: number) => query.states?.has(state) ?? true;
  const groups = new Map<string, Group>();
  const running: number[] = [];
  let end = job.size;
  walk: for (const [start, count] of query.runs) {
    for (const stretch of stretchesOf(job, Math.max(start, query.after + 1), start + count)) {
      if (!hasRoom(room)) {
        end = stretch.start;
        break walk;
      }
      room.steps--;
      const { state } = stretch;
      if (!wants(state)) continue;
      if (state === TaskState.running || (query.started === true && hasStarted(stretch))) {
        const fitting = Math.min(stretch.count, room.rows);
        for (let at = 0; at < fitting; at++) running.push(stretch.start + at);
        room.rows -= fitting;
        if (fitting === stretch.count) continue;
        end = stretch.start + fitting;
        break walk;
      }
      if (state < TaskState.running || (query.ended && state >= TaskState.cancelled && !stretch.tried)) {
        const reason = queueReason(job, stretch, line, now);
        const key = `${state} ${reason} ${stretch.lane} ${state === TaskState.blocked ? stretch.condition : ''}`;
        const group = groups.get(key);
        room.runs--;
        if (group !== undefined) {
          group.runs.push([stretch.start, stretch.count]);
          continue;
        }
        room.rows--;
        groups.set(key, { stretch, reason, runs: [[stretch.start, stretch.count]] });
      }
    }
  }
  return {
    entry,
    view: viewJob(memory, entry),
    lanes: job.lanes.map(viewLane),
    groups: [...groups.values()],
    running: new Map(viewStates(memory, entry, running).map((view, row) => [running[row]!, view])),
    states: query.ended && query.started !== true && table.ended > 0 ? table.state.slice(0, end) : undefined,
    end,
  };
}

function hasStarted({ state, tried }: TaskStretch): boolean {
  return state === TaskState.completed || state === TaskState.failed || (state >= TaskState.cancelled && tried);
}

function viewLane({ priority, terms }: Lane): QueueLane {
  const { cpus, memoryBytes, timeLimitMs, gpus, resources } = terms;
  return {
    priority,
    cpus,
    memoryBytes,
    timeLimitMs,
    ...(gpus === 0 ? {} : { gpus }),
    ...(Object.keys(resources).length === 0 ? {} : { resources }),
  };
}

/** The groups of a part, of tasks at positions below `end`. */
export function viewGroups({ entry: { job }, groups }: Part, end: number): QueueGroup[] {
  return groups.flatMap(({ stretch, reason, runs }): QueueGroup[] => {
    const kept = runs.flatMap(([start, count]): [number, number][] =>
      start < end ? [[start, Math.min(count, end - start)]] : [],
    );
    if (kept.length === 0) return [];
    const indices = job.facts.indices.select(kept);
    return [
      {
        state: TASK_STATES[stretch.state]!,
        reason,
        indices: indices.toString(),
        count: indices.size,
        lane: stretch.lane,
        ...afterOf(job, stretch),
      },
    ];
  });
}

function afterOf(job: Job, { state, condition }: TaskStretch): Pick<QueueGroup, 'after' | 'terms'> {
  const waited = state === TaskState.blocked || state === TaskState.skipped;
  const { text, termStates } = job.conditions[condition]!;
  if (!waited || text === '') return {};
  return { after: text, ...(termStates.every((each) => each === 'pending') ? {} : { terms: [...termStates] }) };
}
