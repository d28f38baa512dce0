import { combine, decideTask, decideWhole, type Term, type TermState, type TermSummary } from './dependency.ts';
import type { Job, Waiter } from './job.ts';
import { TaskState } from './task-state.ts';
import { TaskReason } from './task-table.ts';

export type JobTerm = Exclude<Term, { type: 'singleton' }>;

/** What settling needs from whoever holds the jobs. */
export interface SettleWorld {
  /** Epoch ms. */
  readonly now: number;
  /** Live jobs of the same owner and name, in the order in which singletons run. */
  sharers(job: Job): Iterable<Job>;
  /** Tasks of the job became ready, or it changed otherwise. */
  changed(job: Job): void;
  /** All its tasks have ended. */
  finished(job: Job): void;
  /** More tasks failed than the job allows. */
  failedTooOften(job: Job): void;
  /** A term becomes satisfied at `due`, epoch ms. */
  wait(job: Job, due: number): void;
}

interface Step {
  job: Job;
  start: number;
  count: number;
}

/**
 * Carries ends and starts of tasks to whoever waits for them, and on from there, until nothing changes any more. A queue, not a
 * recursion: a chain of jobs may be as long as the store is large.
 */
export class Settlement {
  readonly #world: SettleWorld;
  #steps: Step[] = [];
  #running = false;

  constructor(world: SettleWorld) {
    this.#world = world;
  }

  /** Tasks start … start+count-1 have just ended. */
  ended(job: Job, start: number, count: number): void {
    this.#steps.push({ job, start, count });
  }

  /** Tasks have just started: only `after` cares. */
  started(job: Job): void {
    for (const waiter of job.waiters) this.#decideAfter(job, waiter);
  }

  /** Works until nothing is left; what the world does meanwhile may add to it. */
  run(): void {
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#steps.length > 0) {
        // Taken as a whole: to shift half a million of them one by one moves the rest each time.
        const steps = this.#steps;
        this.#steps = [];
        for (const step of steps) this.#settle(step);
      }
    } finally {
      this.#running = false;
    }
  }

  /** Decides all that can be decided of a job that waits: at submit, at load, and when a delay has passed. */
  evaluate(job: Job): void {
    for (const [term, { type }] of job.facts.dependency!.terms.entries()) {
      const predecessor = job.predecessors[term];
      if (type === 'singleton') this.#decideSingleton(job, term);
      else if (predecessor !== undefined) this.#decide(predecessor, { job, term, hint: -1 });
    }
    this.#evaluateAll(job);
  }

  #settle({ job, start, count }: Step): void {
    for (const waiter of job.waiters) {
      if (waiter.job.table.counts[TaskState.blocked] === 0) continue;
      const term = waiter.job.facts.dependency!.terms[waiter.term] as JobTerm;
      if (term.type === 'aftercorr') this.#settlePartners(job, waiter, start, count);
      if (this.#decide(job, waiter)) this.#evaluateAll(waiter.job);
    }
    const { table, facts } = job;
    // Only a new failure ends the job: what is retried of one that failed too often may run.
    const hasFailed = table.state[start] === TaskState.failed;
    if (hasFailed && table.counts[TaskState.failed]! > facts.maxFailures && !job.finished)
      this.#world.failedTooOften(job);
    if (job.finished && job.endedAt === 0) {
      this.#world.finished(job);
      const [next] = this.#world.sharers(job);
      if (next !== undefined) this.#settleSharer(next);
    }
  }

  #settleSharer(job: Job): void {
    let decided = false;
    for (const [term, { type }] of (job.facts.dependency?.terms ?? []).entries()) {
      if (type === 'singleton' && this.#decideSingleton(job, term)) decided = true;
    }
    if (decided) this.#evaluateAll(job);
  }

  #settlePartners(job: Job, waiter: Waiter, start: number, count: number): void {
    const follower = waiter.job;
    for (let position = start; position < start + count; position++) {
      const partner = follower.facts.indices.positionOf(job.facts.indices.at(position));
      if (partner >= 0 && follower.table.state[partner] === TaskState.blocked) this.#evaluateTask(follower, partner);
    }
  }

  #decideAfter(job: Job, waiter: Waiter): void {
    const term = waiter.job.facts.dependency!.terms[waiter.term] as JobTerm;
    if (term.type !== 'after' || waiter.job.table.counts[TaskState.blocked] === 0) return;
    if (this.#decide(job, waiter)) this.#evaluateAll(waiter.job);
  }

  /** Decides a term as far as it speaks of all the tasks it names; true when that changed something. */
  #decide(predecessor: Job, waiter: Waiter): boolean {
    const { job } = waiter;
    if (job.termStates[waiter.term] !== 'pending') return false;
    const term = job.facts.dependency!.terms[waiter.term] as JobTerm;
    const summary = summarise(predecessor, term, waiter);
    if (summary === undefined) return false;
    const state = this.#delay(job, waiter.term, term, decideWhole(term.type, summary));
    if (state === 'pending') return false;
    job.termStates[waiter.term] = state;
    this.#world.changed(job);
    return true;
  }

  #delay(job: Job, at: number, term: JobTerm, state: TermState): TermState {
    if (state !== 'satisfied' || term.delayMs === 0) return state;
    if (job.termDue[at] === 0) {
      job.termDue[at] = this.#world.now + term.delayMs;
      this.#world.changed(job);
    }
    if (job.termDue[at]! <= this.#world.now) return state;
    this.#world.wait(job, job.termDue[at]!);
    return 'pending';
  }

  #decideSingleton(job: Job, term: number): boolean {
    if (job.termStates[term] !== 'pending') return false;
    const [first] = this.#world.sharers(job);
    if (first !== job) return false;
    job.termStates[term] = 'satisfied';
    this.#world.changed(job);
    return true;
  }

  #evaluateAll(job: Job): void {
    const { mode, terms } = job.facts.dependency!;
    const pairs = terms.some(({ type }) => type === 'aftercorr');
    const whole = combine(
      mode,
      job.termStates.filter((_, at) => terms[at]!.type !== 'aftercorr'),
    );
    const decides = mode === 'all' ? 'failed' : 'satisfied';
    if (!pairs || whole === decides) {
      this.#applyAll(job, whole);
      return;
    }
    for (const [start, count] of [...job.table.runsOf(TaskState.blocked)]) {
      for (let position = start; position < start + count; position++) this.#evaluateTask(job, position);
    }
  }

  #applyAll(job: Job, decision: TermState): void {
    if (decision === 'satisfied') {
      job.table.moveAll(TaskState.blocked, TaskState.ready, TaskReason.none, () => {});
      this.#world.changed(job);
    } else if (decision === 'failed') {
      this.#fail(job, 0, job.size);
    }
  }

  #evaluateTask(job: Job, position: number): void {
    // What is never satisfied under the policy of waiting stays so, also when the partner is retried.
    if (job.table.reasonOf(position) === TaskReason.dependencyNeverSatisfied) return;
    const { mode, terms } = job.facts.dependency!;
    const index = job.facts.indices.at(position);
    const states = terms.map((term, at) =>
      term.type === 'aftercorr' ? partnerState(job, at, term, index) : job.termStates[at]!,
    );
    const decision = combine(mode, states);
    if (decision === 'satisfied') {
      job.table.move(position, TaskState.ready);
      job.table.touch(position);
      this.#world.changed(job);
    } else if (decision === 'failed') {
      this.#fail(job, position, 1);
    }
  }

  #fail(job: Job, start: number, count: number): void {
    const { table } = job;
    const reason = TaskReason.dependencyNeverSatisfied;
    if (job.facts.invalidDependency === 'skip') {
      const ended = (at: number, length: number) => this.ended(job, at, length);
      table.moveAll(TaskState.blocked, TaskState.skipped, reason, ended, start, count);
    } else {
      table.setReason(start, count, reason);
    }
    this.#world.changed(job);
  }
}

/** What holds for one task of a follower: its partner's state, or that of the whole array when it has no partner. */
function partnerState(job: Job, at: number, term: JobTerm, index: number): TermState {
  const predecessor = job.predecessors[at]!;
  const partner = partnerOf(predecessor, term, index);
  return partner < 0 ? job.termStates[at]! : decideTask('aftercorr', predecessor.table.state[partner] as TaskState);
}

/** Position of the task that an index of a follower is paired with by an aftercorr term, or -1. */
export function partnerOf(predecessor: Job, term: JobTerm, index: number): number {
  if (term.indices?.has(index) === false) return -1;
  return predecessor.facts.indices.positionOf(index);
}

/** Undefined: cannot be decided yet. */
function summarise(job: Job, term: JobTerm, waiter: Waiter): TermSummary | undefined {
  const { table } = job;
  if (term.indices === null) {
    return {
      total: table.size,
      ended: table.ended,
      completed: table.counts[TaskState.completed]!,
      startedOrEnded: term.type === 'after' && allStarted(job) ? table.size : 0,
    };
  }
  if (term.type !== 'after' && waiter.hint >= 0 && table.state[waiter.hint]! < TaskState.completed) return undefined;
  const summary = { total: 0, ended: 0, completed: 0, startedOrEnded: 0 };
  for (const [start, count] of job.facts.indices.positionsOf(term.indices)) {
    for (let position = start; position < start + count; position++) {
      const state = table.state[position]!;
      summary.total++;
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
