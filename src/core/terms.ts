import { decideTask, type Term, type TermState, type TermSummary } from './dependency.ts';
import type { Condition, Job, Waiter } from './job.ts';
import { TaskState } from './task-state.ts';

export type JobTerm = Exclude<Term, { type: 'singleton' }>;

export function termOf({ condition, term }: Waiter): JobTerm {
  return condition.dependency!.terms[term] as JobTerm;
}

/** What holds for one task of a follower: its partner's state, or that of the whole array when it has no partner. */
export function partnerState(condition: Condition, at: number, term: JobTerm, index: number): TermState {
  const predecessor = condition.predecessors[at];
  // It was removed from history: what was known of it as a whole is all there is.
  if (predecessor === undefined) return condition.termStates[at]!;
  const partner = partnerOf(predecessor, term, index);
  return partner < 0
    ? condition.termStates[at]!
    : decideTask('aftercorr', predecessor.table.state[partner] as TaskState);
}

/** Position of the task that an index of a follower is paired with by an aftercorr term, or -1. */
export function partnerOf(predecessor: Job, term: JobTerm, index: number): number {
  if (term.indices?.has(index) === false) return -1;
  return predecessor.facts.indices.positionOf(index);
}

/** Undefined: cannot be decided yet. */
export function summarise(job: Job, term: JobTerm, waiter: Waiter): TermSummary | undefined {
  const { table } = job;
  if (term.indices === null) {
    return {
      total: table.size,
      ended: table.ended,
      completed: table.counts[TaskState.completed]!,
      needed: job.needed,
      startedOrEnded: term.type === 'after' && allStarted(job) ? table.size : 0,
    };
  }
  if (term.type !== 'after' && waiter.hint >= 0 && table.state[waiter.hint]! < TaskState.completed) return undefined;
  const summary = { total: 0, ended: 0, completed: 0, needed: 0, startedOrEnded: 0 };
  for (const [start, count] of job.facts.indices.positionsOf(term.indices)) {
    for (let position = start; position < start + count; position++) {
      const state = table.state[position]!;
      summary.total++;
      summary.needed++;
      if (state >= TaskState.completed) summary.ended++;
      else waiter.hint = position;
      if (state === TaskState.completed) summary.completed++;
      if (state >= TaskState.running || table.attempts[position]! > 0) summary.startedOrEnded++;
    }
  }
  return summary;
}

function allStarted(job: Job): boolean {
  const { table } = job;
  const { counts } = table;
  const waiting = counts[TaskState.blocked]! + counts[TaskState.ready]! + counts[TaskState.leased]!;
  if (waiting === 0) return true;
  // Only a task that was retried or requeued can wait and have started before.
  if (job.retried === 0) return false;
  for (const state of [TaskState.blocked, TaskState.ready, TaskState.leased]) {
    for (const [start, count] of table.runsOf(state)) {
      for (let position = start; position < start + count; position++) if (table.attempts[position] === 0) return false;
    }
  }
  return true;
}

export type Runs = readonly (readonly [start: number, count: number])[];

/** Runs of tasks in a state for which the condition holds. */
export function runsOfCondition({ table }: Job, { number }: Condition, state: TaskState): Runs {
  const runs = [...table.runsOf(state)];
  const { conditions } = table;
  if (conditions === undefined) return number === 0 ? runs : [];
  const found: [number, number][] = [];
  for (const [start, count] of runs) {
    for (let position = start; position < start + count; position++) {
      if (conditions[position] !== number) continue;
      const last = found.at(-1);
      if (last !== undefined && last[0] + last[1] === position) last[1]++;
      else found.push([position, 1]);
    }
  }
  return found;
}
