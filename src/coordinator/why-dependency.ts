import type { Blocker } from '../api/insight.ts';
import { formatDependency } from '../core/dependency.ts';
import { asJobId, formatTaskId } from '../core/ids.ts';
import type { Condition, Job } from '../core/job.ts';
import { counted, shownDuration } from '../core/shown.ts';
import { TASK_STATES, TaskState } from '../core/task-state.ts';
import { TaskReason } from '../core/task-table.ts';
import { type JobTerm, partnerOf } from '../core/terms.ts';
import type { Memory } from './memory.ts';
import { timeLeft } from './summary.ts';
import { runningAttempt } from './task-events.ts';
import { timeText } from './times.ts';

/** Which tasks are asked about: one, or all of a job that wait for the same. */
export interface Asked {
  readonly memory: Memory;
  readonly job: Job;
  readonly now: number;
  /** Undefined: the job. */
  readonly position: number | undefined;
}

type Holder = Blocker['holders'][number];
/** What a term says: the sentence without who waits, who holds it, and for how long. */
interface Told {
  readonly text: string;
  readonly holders: Holder[];
  readonly untilAt?: number | undefined;
}

/** What is not decided of the dependencies of the task, or of the blocked tasks of the job. */
export function dependencyBlockers(asked: Asked): Blocker[] {
  const { job, position } = asked;
  if (position !== undefined) {
    const waits = job.table.state[position] === TaskState.blocked;
    return waits ? ofCondition(asked, job.conditionOf(position), { tasks: 1, first: position }) : [];
  }
  const waiting = countWaiting(job);
  return job.conditions.flatMap((condition) => {
    const own = waiting[condition.number]!;
    return own.tasks === 0 ? [] : ofCondition(asked, condition, own);
  });
}

/** The tasks that wait for one condition. */
interface Waiting {
  tasks: number;
  /** Position of the first one. */
  first: number;
}

/** By number of the condition: a look at each task, however many conditions there are. */
function countWaiting({ table, conditions }: Job): Waiting[] {
  const waiting = conditions.map((): Waiting => ({ tasks: 0, first: -1 }));
  for (const [start, count] of table.runsOf(TaskState.blocked)) {
    for (let position = start; position < start + count; position++) {
      const own = waiting[table.conditions?.[position] ?? 0]!;
      if (own.tasks++ === 0) own.first = position;
    }
  }
  return waiting;
}

function ofCondition(asked: Asked, condition: Condition, { tasks, first }: Waiting): Blocker[] {
  const { job, position } = asked;
  const who = position === undefined ? counted(tasks, 'task') : taskId(job, position);
  const wait = tasks === 1 ? 'waits' : 'wait';
  if (job.table.reasonOf(first) === TaskReason.dependencyNeverSatisfied) return [neverBlocker(condition, who, tasks)];
  const terms = condition.dependency?.terms ?? [];
  const any = condition.dependency?.mode === 'any' && terms.length > 1 ? '; any one of its dependencies is enough' : '';
  return terms.flatMap((term, at) => {
    const told = term.type === 'singleton' ? singleton(asked, condition, at) : ofTerm(asked, condition, at, term);
    if (told === undefined) return [];
    const { text, holders, untilAt } = told;
    const until = untilAt === undefined || untilAt <= asked.now ? {} : { untilAt };
    return [{ rule: 'dependency' as const, text: `${who} ${wait} ${text}${any}`, tasks, holders, ...until }];
  });
}

function neverBlocker(condition: Condition, who: string, tasks: number): Blocker {
  const text = `${who} can never run: ${condition.text} cannot be satisfied any more. Cancel, or give another dependency by update`;
  const holders = (condition.dependency?.terms ?? []).flatMap((term) =>
    term.type === 'singleton' ? [] : [jobHolder(term.jobId, condition.predecessors)],
  );
  return { rule: 'dependency', text, tasks, holders: holders.slice(0, 10) };
}

function singleton({ memory, job }: Asked, { termStates }: Condition, at: number): Told | undefined {
  if (termStates[at] !== 'pending') return undefined;
  const before: Job[] = [];
  for (const other of memory.sharersOf(memory.jobs.get(job.id)!)) {
    if (other === job) break;
    before.push(other);
  }
  const [first] = before;
  if (first === undefined) return undefined;
  const more =
    before.length > 1
      ? `; ${counted(before.length, 'job')} of that name ${before.length === 1 ? 'is' : 'are'} before it`
      : '';
  return {
    text: `for job ${first.id}, which has the same name and owner, to end (singleton)${more}`,
    holders: before.slice(0, 10).map((other) => ({ kind: 'job', id: String(other.id), text: progressText(other) })),
  };
}

function ofTerm(asked: Asked, condition: Condition, at: number, term: JobTerm): Told | undefined {
  const { job, position, now } = asked;
  const predecessor = condition.predecessors[at];
  const named = formatDependency({ mode: 'all', terms: [term] });
  if (predecessor === undefined) return undefined;
  if (term.type === 'aftercorr' && position !== undefined) {
    const partner = partnerOf(predecessor, term, job.facts.indices.at(position));
    if (partner >= 0) return ofPartner(predecessor, partner, now);
  }
  if (condition.termStates[at] !== 'pending') return undefined;
  const { role } = asked.memory.jobs.get(predecessor.id)!.fixed.spec;
  if (role?.kind === 'plan' && role.of === job.id) {
    return { text: `for its plan (job ${predecessor.id})`, holders: [jobHolder(predecessor.id, [predecessor])] };
  }
  const due = condition.termDue[at]!;
  if (due > now) {
    const text = `until ${timeText(due)}, ${shownDuration(term.delayMs)} after the start of job ${predecessor.id} (${named})`;
    return { text, holders: [], untilAt: due };
  }
  if (term.type === 'aftercorr' && position === undefined) {
    const text = `each for its partner in job ${predecessor.id} (${named}): ${progressText(predecessor)}`;
    return { text, holders: [holderOf(predecessor)], untilAt: untilEnd(predecessor, now) };
  }
  return ofTasks(predecessor, term, named, now);
}

function ofPartner(predecessor: Job, partner: number, now: number): Told | undefined {
  const { table } = predecessor;
  const state = table.state[partner]!;
  if (state >= TaskState.completed) return undefined;
  const id = taskId(predecessor, partner);
  const running = runningAttempt(predecessor, partner);
  const meanMs = predecessor.meanWallUs / 1000;
  const mean = meanMs === 0 ? '' : `; tasks of job ${predecessor.id} take about ${shownDuration(meanMs)}`;
  const does =
    running === undefined
      ? `which is ${TASK_STATES[state]}`
      : `which runs since ${shownDuration(now - running.startedAt)}`;
  return {
    text: `for ${id} (aftercorr), ${does}${mean}`,
    holders: [{ kind: 'task', id, text: TASK_STATES[state]! }],
    untilAt: running === undefined || meanMs === 0 ? undefined : Math.round(running.startedAt + meanMs),
  };
}

/** The whole array, or the tasks of it that the term names. */
function ofTasks(predecessor: Job, term: JobTerm, named: string, now: number): Told {
  const { id } = predecessor;
  if (term.indices === null) {
    const what = term.type === 'after' ? `for all tasks of job ${id} to start` : `for job ${id} to end`;
    return {
      text: `${what} (${named}): ${progressText(predecessor)}`,
      holders: [holderOf(predecessor)],
      untilAt: term.type === 'after' ? undefined : untilEnd(predecessor, now),
    };
  }
  const holders: Holder[] = [];
  let left = 0;
  for (const [start, count] of predecessor.facts.indices.positionsOf(term.indices)) {
    for (let at = start; at < start + count; at++) {
      const state = predecessor.table.state[at]!;
      if (state >= (term.type === 'after' ? TaskState.running : TaskState.completed)) continue;
      left++;
      if (holders.length < 10) holders.push({ kind: 'task', id: taskId(predecessor, at), text: TASK_STATES[state]! });
    }
  }
  const what = term.type === 'after' ? 'have not started' : 'have not ended';
  return { text: `for tasks of job ${id} (${named}): ${left} of ${term.indices.size} ${what}`, holders };
}

function untilEnd(job: Job, now: number): number | undefined {
  const leftMs = timeLeft(job, now);
  return leftMs === undefined ? undefined : now + leftMs;
}

/** `40 of 100 tasks have not ended, 4 run`. */
function progressText(job: Job): string {
  const { table } = job;
  const running = table.counts[TaskState.running]! + table.counts[TaskState.leased]!;
  const state = running > 0 ? `${running} run` : `it is ${job.state}`;
  return `${table.size - table.ended} of ${counted(table.size, 'task')} have not ended, ${state}`;
}

function holderOf(job: Job): Holder {
  return { kind: 'job', id: String(job.id), text: `${job.facts.name}, ${job.state}` };
}

function jobHolder(id: number, known: readonly (Job | undefined)[]): Holder {
  const job = known.find((each) => each?.id === id);
  return job === undefined ? { kind: 'job', id: String(id), text: 'ended' } : holderOf(job);
}

export function taskId(job: Job, position: number): string {
  return formatTaskId(asJobId(job.id), job.facts.indices.at(position));
}
