import { GrantRange, GrantStatus } from '../../src/core/grant-range.ts';
import type { Job } from '../../src/core/job.ts';
import { ReadyQueue } from '../../src/core/ready-queue.ts';
import { SCHEDULE_POLICY, type ScheduleActions, schedule } from '../../src/core/schedule.ts';
import { TaskState } from '../../src/core/task-state.ts';
import type { WorkerSession } from '../../src/core/worker-session.ts';

export interface GrantSeen {
  session: WorkerSession;
  job: Job;
  count: number;
  slots: number;
}

/** The books around the scheduler, kept as the coordinator keeps them: jobs and sessions change because a test says so. */
export class CoreSchedule implements ScheduleActions {
  now = 1_000;
  readonly queue = new ReadyQueue();
  readonly jobs: Job[] = [];
  readonly sessions: WorkerSession[] = [];
  readonly topUp = new Set<WorkerSession>();
  readonly seen: GrantSeen[] = [];
  /** What each session was saved for when the last pass began. */
  readonly savedUp = new Map<WorkerSession, Job | undefined>();
  readonly revoked: { session: WorkerSession; job: Job }[] = [];
  /** Called before a grant is booked. */
  before: (grant: GrantSeen) => void = () => {};
  #fence = 1;

  add(...jobs: Job[]): void {
    for (const job of jobs) {
      this.jobs.push(job);
      this.queue.update(job);
    }
  }

  connect(...sessions: WorkerSession[]): void {
    for (const session of sessions) {
      this.sessions.push(session);
      this.topUp.add(session);
    }
  }

  /** One pass; gives what it granted. */
  pass(): GrantSeen[] {
    const before = this.seen.length;
    for (const session of this.sessions) this.savedUp.set(session, session.reservedFor);
    schedule(this.queue, this.sessions, this.topUp, this.now, SCHEDULE_POLICY, this);
    this.topUp.clear();
    return this.seen.slice(before);
  }

  grant(session: WorkerSession, job: Job, start: number, count: number, slots: number): void {
    const grant = { session, job, count, slots };
    this.before(grant);
    this.seen.push(grant);
    const range = new GrantRange(this.#fence, count, job.id, start, session.id);
    this.#fence += count;
    job.table.moveRun(start, count, TaskState.ready, TaskState.leased);
    job.grants.add(range);
    session.addGrant(range, job, slots, this.now);
    if (slots > 0) this.queue.addSlots(job, slots);
  }

  revokeAhead(session: WorkerSession, job: Job): void {
    this.revoked.push({ session, job });
  }

  /** Ends, oldest first, up to `wanted` tasks of a job on a session; gives how many. */
  end(session: WorkerSession, job: Job, wanted: number, to: TaskState = TaskState.completed): number {
    return this.#close([...job.grants], session, job, wanted, to);
  }

  /** The worker gives back, newest first, what has no slot. */
  giveBackAhead(session: WorkerSession, job: Job): number {
    const share = session.shares.get(job.id);
    const ahead = share === undefined ? 0 : share.open - share.slots;
    return this.#close([...job.grants].reverse(), session, job, ahead, TaskState.ready);
  }

  update(job: Job): void {
    this.queue.update(job);
  }

  /** What one session holds of one job without a slot. */
  ahead(session: WorkerSession, job: Job): number {
    const share = session.shares.get(job.id);
    return share === undefined ? 0 : share.open - share.slots;
  }

  #close(ranges: GrantRange[], session: WorkerSession, job: Job, wanted: number, to: TaskState): number {
    let left = wanted;
    for (const range of ranges) {
      for (let at = 0; at < range.count && left > 0; at++) {
        if (range.sessionId !== session.id || range.status[at] === GrantStatus.closed) continue;
        left--;
        range.close(at);
        job.table.move(range.position + at, to);
        const freed = session.closeGrants(job, range.fence + at, 1);
        if (freed > 0) this.queue.addSlots(job, -freed);
        if (range.open === 0) {
          job.grants.delete(range);
          session.rangeClosed();
        }
        this.topUp.add(session);
      }
    }
    this.queue.update(job);
    return wanted - left;
  }
}
