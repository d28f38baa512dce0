import type { Job } from '../../src/core/job.ts';
import { type RearmWorld, rearmFollowers } from '../../src/core/rearm.ts';
import { Settlement, type SettleWorld } from '../../src/core/settle.ts';
import { TaskState } from '../../src/core/task-state.ts';
import { TaskReason } from '../../src/core/task-table.ts';

/** Holds jobs of the core as the coordinator does, without sessions, store or clock: tasks start and end because a test says so. */
export class CoreWorld implements SettleWorld, RearmWorld {
  now = 1;
  readonly settlement = new Settlement(this);
  readonly jobs: Job[] = [];
  readonly alarms: { due: number; job: Job }[] = [];
  /** Numbers of the jobs that ended, each time. */
  readonly ends: number[] = [];
  /** Numbers of the jobs whose canary ended, each time. */
  readonly canaries: number[] = [];
  readonly #live: Job[] = [];

  submit(job: Job): void {
    this.jobs.push(job);
    this.#live.push(job);
    if (!job.isConditional) return;
    const [condition] = job.conditions;
    for (const [term, named] of condition.dependency!.terms.entries()) {
      if (named.type === 'singleton') continue;
      const predecessor = this.jobs.find(({ id }) => id === named.jobId)!;
      condition.predecessors[term] = predecessor;
      predecessor.waiters.push({ job, condition, term, hint: -1 });
    }
    this.settlement.evaluate(job);
    this.settlement.run();
  }

  /** As after a restart: everything that waits is decided anew. */
  resume(): void {
    for (const job of this.jobs) {
      if (job.isConditional && job.table.counts[TaskState.blocked]! > 0) this.settlement.evaluate(job);
    }
    this.settlement.run();
  }

  start(job: Job, position: number): void {
    const { table } = job;
    table.move(position, TaskState.leased);
    table.attempts[position]!++;
    table.move(position, TaskState.running);
    this.settlement.started(job);
    this.settlement.run();
  }

  end(job: Job, position: number, to: TaskState): void {
    const { table } = job;
    table.move(position, to);
    table.touch(position);
    if (to === TaskState.ready) job.retried++;
    else this.settlement.ended(job, position, 1);
    this.settlement.run();
  }

  cancel(job: Job, start: number, count: number): void {
    this.#cancel(job, start, count, TaskReason.cancelledByUser);
    this.settlement.run();
  }

  /** Tasks of a job that have ended and ran before run again. */
  retry(job: Job, positions: readonly number[]): void {
    const [condition] = job.conditions;
    const behind = job.endedAt !== 0 && condition.isSingleton;
    if (behind) condition.queueAgain();
    for (const position of positions) {
      job.table.move(position, behind ? TaskState.blocked : TaskState.ready);
      job.table.setReason(position, 1, TaskReason.none);
    }
    job.retried += positions.length;
    this.revived(job);
    const followers = rearmFollowers(
      job,
      positions.map((position) => [position, 1] as const),
      this,
    );
    if (behind) this.settlement.evaluate(job);
    for (const follower of followers) this.settlement.evaluate(follower);
    this.settlement.run();
  }

  pass(ms: number): void {
    this.now += ms;
    for (const { job } of this.alarms.filter(({ due }) => due <= this.now)) {
      if (job.table.counts[TaskState.blocked]! > 0) this.settlement.evaluate(job);
    }
    this.settlement.run();
  }

  sharers(job: Job): readonly Job[] {
    return this.#live.filter(({ facts }) => facts.owner === job.facts.owner && facts.name === job.facts.name);
  }

  changed(): void {}

  finished(job: Job): void {
    if (job.endedAt !== 0) throw new Error(`job ${job.id} ended twice`);
    job.endedAt = this.now;
    this.ends.push(job.id);
    this.#live.splice(this.#live.indexOf(job), 1);
  }

  revived(job: Job): void {
    if (job.endedAt === 0) return;
    job.endedAt = 0;
    this.#live.push(job);
  }

  failedTooOften(job: Job): void {
    if (job.finished) throw new Error(`job ${job.id} has nothing left to cancel`);
    this.#cancel(job, 0, job.size, TaskReason.maxFailures);
  }

  cannotSucceed(job: Job): void {
    if (job.finished) throw new Error(`job ${job.id} has nothing left to cancel`);
    this.#cancel(job, 0, job.size, TaskReason.minSuccess);
  }

  canaryEnded(job: Job): void {
    job.canary!.state = 'passed';
    this.canaries.push(job.id);
  }

  wait(job: Job, due: number): void {
    this.alarms.push({ due, job });
  }

  #cancel(job: Job, start: number, count: number, reason: TaskReason): void {
    const ended = (at: number, length: number) => this.settlement.ended(job, at, length);
    for (const state of [TaskState.ready, TaskState.blocked]) {
      job.table.moveAll(state, TaskState.cancelled, reason, ended, start, count);
    }
  }
}
