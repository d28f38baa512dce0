import { GrantRange, GrantStatus } from '../../src/core/grant-range.ts';
import type { Job } from '../../src/core/job.ts';
import type { Lane } from '../../src/core/lane.ts';
import type { Place } from '../../src/core/place.ts';
import { ReadyQueue } from '../../src/core/ready-queue.ts';
import { SCHEDULE_POLICY, type ScheduleActions, Scheduler } from '../../src/core/schedule.ts';
import { TaskState } from '../../src/core/task-state.ts';
import type { WorkerSession } from '../../src/core/worker-session.ts';

export interface GrantSeen {
  session: WorkerSession;
  job: Job;
  lane: Lane;
  count: number;
  slots: number;
  /** Of a task that was placed as a whole. */
  places?: readonly Place[];
}

/** The books around the scheduler, kept as the coordinator keeps them: jobs and sessions change because a test says so. */
export class CoreSchedule implements ScheduleActions {
  now = 1_000;
  readonly queue = new ReadyQueue();
  readonly scheduler = new Scheduler(this.queue, SCHEDULE_POLICY, this);
  readonly jobs: Job[] = [];
  readonly sessions: WorkerSession[] = [];
  readonly topUp = new Set<WorkerSession>();
  readonly seen: GrantSeen[] = [];
  /** What each session was saved for when the last pass began. */
  readonly savedUp = new Map<WorkerSession, Lane | undefined>();
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
    this.scheduler.pass(this.sessions, this.topUp, this.now);
    this.topUp.clear();
    return this.seen.slice(before);
  }

  grant(session: WorkerSession, lane: Lane, start: number, count: number, slots: number): void {
    this.#grant({ session, job: this.jobOf(lane), lane, count, slots }, start);
  }

  place(places: readonly [Place, ...Place[]], lane: Lane, position: number): void {
    const [{ session }] = places;
    const range = this.#grant({ session, job: this.jobOf(lane), lane, count: 1, slots: 1, places }, position);
    range.nodes = places.map((place) => ({ sessionId: place.session.id, tasks: place.tasks }));
    for (const each of places) each.session.addPlace(range.fence, each.needs, session.id);
  }

  jobOf(lane: Lane): Job {
    return this.jobs.find(({ lanes }) => lanes.includes(lane))!;
  }

  #grant(grant: GrantSeen, start: number): GrantRange {
    const { session, job, lane, count, slots } = grant;
    this.before(grant);
    this.seen.push(grant);
    const range = new GrantRange(this.#fence, count, job.id, start, session.id, lane.number);
    this.#fence += count;
    job.table.moveRun(start, count, TaskState.ready, TaskState.leased);
    job.grants.add(range);
    session.addGrant(range, lane, slots, this.now);
    if (slots > 0) this.queue.addSlots(lane, slots);
    return range;
  }

  revokeAhead(session: WorkerSession, lane: Lane): void {
    this.revoked.push({ session, job: this.jobOf(lane) });
  }

  /** Ends, oldest first, up to `wanted` tasks of a job on a session; gives how many. */
  end(session: WorkerSession, job: Job, wanted: number, to: TaskState = TaskState.completed): number {
    return this.#close([...job.grants], session, job, wanted, to);
  }

  /** The worker gives back, newest first, what has no slot. */
  giveBackAhead(session: WorkerSession, job: Job): number {
    return this.#close([...job.grants].reverse(), session, job, this.ahead(session, job), TaskState.ready);
  }

  update(job: Job): void {
    this.queue.update(job);
  }

  /** What one session holds of one job without a slot. */
  ahead(session: WorkerSession, job: Job): number {
    const shares = [...session.shares.values()].filter(({ lane }) => job.lanes.includes(lane));
    return shares.reduce((sum, { open, slots }) => sum + open - slots, 0);
  }

  #close(ranges: GrantRange[], session: WorkerSession, job: Job, wanted: number, to: TaskState): number {
    let left = wanted;
    for (const range of ranges) {
      for (let at = 0; at < range.count && left > 0; at++) {
        if (range.sessionId !== session.id || range.status[at] === GrantStatus.closed) continue;
        left--;
        range.close(at);
        job.table.move(range.position + at, to);
        const lane = job.lanes[range.lane]!;
        const freed = session.closeGrants(lane, range.fence + at, 1);
        if (freed > 0) this.queue.addSlots(lane, -freed);
        for (const node of range.nodes ?? []) {
          this.sessions.find(({ id }) => id === node.sessionId)!.removePlace(range.fence);
        }
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
