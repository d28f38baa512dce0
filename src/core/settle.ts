import { combine, decideWhole, type TermState } from './dependency.ts';
import type { Condition, Job, Waiter } from './job.ts';
import { TaskState } from './task-state.ts';
import { TaskReason } from './task-table.ts';
import { type JobTerm, partnerState, type Runs, runsOfCondition, summarise, termOf } from './terms.ts';

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
  /** Too few tasks can still complete for the job to succeed. */
  cannotSucceed(job: Job): void;
  /** Every task that was to run first has ended. */
  canaryEnded(job: Job): void;
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
  /** Tasks of these have failed or were skipped since it was looked at last whether they still can succeed. */
  readonly #missed = new Set<Job>();

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
        if (this.#steps.length === 0) this.#endHopeless();
      }
    } finally {
      this.#running = false;
    }
  }

  /**
   * Ends the first job that cannot succeed any more. Only when all dependencies are decided: what is skipped because of the same failure is
   * skipped, in whatever order that is found, and a job before those that wait for it.
   */
  #endHopeless(): void {
    for (const job of [...this.#missed].sort((a, b) => a.id - b.id)) {
      this.#missed.delete(job);
      if (!job.isHopeless || job.finished) continue;
      this.#world.cannotSucceed(job);
      if (this.#steps.length > 0) return;
    }
  }

  /** Decides all that can be decided of a job that waits: at submit, at load, and when a delay has passed. */
  evaluate(job: Job): void {
    for (const condition of job.conditions) {
      for (const [term, { type }] of (condition.dependency?.terms ?? []).entries()) {
        const predecessor = condition.predecessors[term];
        if (type === 'singleton') this.#decideSingleton(job, condition, term);
        else if (predecessor !== undefined) this.#decide(predecessor, { job, condition, term, hint: -1 });
      }
      this.#evaluateAll(job, condition);
    }
  }

  #settle({ job, start, count }: Step): void {
    for (const waiter of job.waiters) {
      if (waiter.job.table.counts[TaskState.blocked] === 0) continue;
      if (termOf(waiter).type === 'aftercorr') this.#settlePartners(job, waiter, start, count);
      if (this.#decide(job, waiter)) this.#evaluateAll(waiter.job, waiter.condition);
    }
    const { table } = job;
    // Only a new failure ends the job: what is retried of one that failed too often may run.
    const hasFailed = table.state[start] === TaskState.failed;
    if (hasFailed && table.counts[TaskState.failed]! > job.maxFailures && !job.finished)
      this.#world.failedTooOften(job);
    const hasMissed = hasFailed || table.state[start] === TaskState.skipped;
    if (hasMissed && job.mayMiss) this.#missed.add(job);
    if (job.canary?.state === 'running' && job.canary.hasEnded(table.state)) this.#world.canaryEnded(job);
    if (job.finished && job.endedAt === 0) {
      this.#world.finished(job);
      const [next] = this.#world.sharers(job);
      if (next !== undefined) this.#settleSharer(next);
    }
  }

  #settleSharer(job: Job): void {
    for (const condition of job.conditions) {
      let decided = false;
      for (const [term, { type }] of (condition.dependency?.terms ?? []).entries()) {
        if (type === 'singleton' && this.#decideSingleton(job, condition, term)) decided = true;
      }
      if (decided) this.#evaluateAll(job, condition);
    }
  }

  #settlePartners(job: Job, waiter: Waiter, start: number, count: number): void {
    const follower = waiter.job;
    for (let position = start; position < start + count; position++) {
      const partner = follower.facts.indices.positionOf(job.facts.indices.at(position));
      if (partner < 0 || follower.table.state[partner] !== TaskState.blocked) continue;
      if (follower.conditionOf(partner) === waiter.condition) this.#evaluateTask(follower, waiter.condition, partner);
    }
  }

  #decideAfter(job: Job, waiter: Waiter): void {
    if (termOf(waiter).type !== 'after' || waiter.job.table.counts[TaskState.blocked] === 0) return;
    if (this.#decide(job, waiter)) this.#evaluateAll(waiter.job, waiter.condition);
  }

  /** Decides a term as far as it speaks of all the tasks it names; true when that changed something. */
  #decide(predecessor: Job, waiter: Waiter): boolean {
    const { job, condition } = waiter;
    if (condition.termStates[waiter.term] !== 'pending') return false;
    const term = termOf(waiter);
    const summary = summarise(predecessor, term, waiter);
    if (summary === undefined) return false;
    const state = this.#delay(job, condition, waiter.term, term, decideWhole(term.type, summary));
    if (state === 'pending') return false;
    condition.termStates[waiter.term] = state;
    this.#world.changed(job);
    return true;
  }

  #delay(job: Job, { termDue }: Condition, at: number, term: JobTerm, state: TermState): TermState {
    if (state !== 'satisfied' || term.delayMs === 0) return state;
    if (termDue[at] === 0) {
      termDue[at] = this.#world.now + term.delayMs;
      this.#world.changed(job);
    }
    if (termDue[at]! <= this.#world.now) return state;
    this.#world.wait(job, termDue[at]!);
    return 'pending';
  }

  #decideSingleton(job: Job, { termStates }: Condition, term: number): boolean {
    if (termStates[term] !== 'pending') return false;
    const [first] = this.#world.sharers(job);
    if (first !== job) return false;
    termStates[term] = 'satisfied';
    this.#world.changed(job);
    return true;
  }

  #evaluateAll(job: Job, condition: Condition): void {
    if (condition.dependency === null) {
      this.#applyAll(job, condition, 'satisfied');
      return;
    }
    const { mode, terms } = condition.dependency;
    const whole = combine(
      mode,
      condition.termStates.filter((_, at) => terms[at]!.type !== 'aftercorr'),
    );
    const decides = mode === 'all' ? 'failed' : 'satisfied';
    if (!condition.hasPairs || whole === decides) {
      this.#applyAll(job, condition, whole);
      return;
    }
    for (const [start, count] of runsOfCondition(job, condition, TaskState.blocked)) {
      for (let position = start; position < start + count; position++) this.#evaluateTask(job, condition, position);
    }
  }

  #applyAll(job: Job, condition: Condition, decision: TermState): void {
    if (decision === 'pending') return;
    // All at once where all wait for the same: a million tasks then cost one fill.
    const runs: Runs =
      job.table.conditions === undefined && condition.number === 0
        ? [[0, job.size]]
        : runsOfCondition(job, condition, TaskState.blocked);
    for (const [start, count] of runs) {
      if (decision === 'failed') this.#fail(job, start, count);
      else job.table.moveAll(TaskState.blocked, TaskState.ready, TaskReason.none, () => {}, start, count);
    }
    this.#world.changed(job);
  }

  #evaluateTask(job: Job, condition: Condition, position: number): void {
    // What is never satisfied under the policy of waiting stays so, also when the partner is retried.
    if (job.table.reasonOf(position) === TaskReason.dependencyNeverSatisfied) return;
    const { mode, terms } = condition.dependency!;
    const index = job.facts.indices.at(position);
    const states = terms.map((term, at) =>
      term.type === 'aftercorr' ? partnerState(condition, at, term, index) : condition.termStates[at]!,
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
