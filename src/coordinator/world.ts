import { GrantRange } from '../core/grant-range.ts';
import type { Job } from '../core/job.ts';
import type { Lane } from '../core/lane.ts';
import { decodeOutcome, exitCodeOf } from '../core/outcome.ts';
import type { Place } from '../core/place.ts';
import { SCHEDULE_POLICY, type ScheduleActions, Scheduler } from '../core/schedule.ts';
import { Settlement, type SettleWorld } from '../core/settle.ts';
import { TaskState } from '../core/task-state.ts';
import { TaskReason } from '../core/task-table.ts';
import type { WorkerSession } from '../core/worker-session.ts';
import { decideCanary, reviveCanary } from './canary.ts';
import { cancelTasks } from './cancel.ts';
import type { Clock } from './clock.ts';
import { beginPlaced, endPlaced } from './gang.ts';
import type { JobEntry, Memory } from './memory.ts';
import { revokeUnstarted } from './revoke.ts';
import { reviveTimes } from './times.ts';
import { stopAfter } from './workflows/stop.ts';

/** Memory with the rules that act on it: the ports through which core's settling and scheduling change it. */
export class World implements SettleWorld, ScheduleActions {
  readonly memory: Memory;
  readonly clock: Clock;
  readonly settlement = new Settlement(this);
  readonly #scheduler: Scheduler;
  /** Reports whose fence was not current, and other facts worth counting; they survive a rebuild of memory. */
  readonly counters: Record<string, number>;
  /** Called when an alarm was set. */
  readonly alarmSet: (due: number) => void;
  readonly chance: () => number;
  readonly randomHex: (digits: number) => string;
  readonly maxTasks: number;

  constructor(
    memory: Memory,
    clock: Clock,
    counters: Record<string, number>,
    alarmSet: (due: number) => void,
    chance: () => number,
    randomHex: (digits: number) => string,
    maxTasks: number,
  ) {
    this.memory = memory;
    this.#scheduler = new Scheduler(memory.queue, SCHEDULE_POLICY, this);
    this.clock = clock;
    this.counters = counters;
    this.alarmSet = alarmSet;
    this.chance = chance;
    this.randomHex = randomHex;
    this.maxTasks = maxTasks;
  }

  get now(): number {
    return this.clock.now();
  }

  count(name: string, by = 1): void {
    this.counters[name] = (this.counters[name] ?? 0) + by;
  }

  entryOf(job: Job): JobEntry {
    return this.memory.jobs.get(job.id)!;
  }

  sharers(job: Job): Iterable<Job> {
    return this.memory.sharersOf(this.entryOf(job));
  }

  changed(job: Job): void {
    this.memory.changes.jobs.add(job);
    if (job.facts.bound) {
      this.memory.changes.binding.add(job.id);
      this.memory.instances.dirty.add(job.id);
    } else {
      this.memory.queue.update(job);
    }
  }

  finished(job: Job): void {
    const entry = this.entryOf(job);
    job.endedAt = this.now;
    job.exitCode = job.state === 'completed' ? 0 : highestExitCode(job);
    this.memory.removeLive(entry, this.clock.steady());
    this.changed(job);
    this.memory.changes.event(job.endedAt, job.id, 'jobEnded', { state: job.state, exitCode: job.exitCode });
    stopAfter(this, job);
  }

  /** An ended job has tasks to run again: it is live again, behind those of its name. */
  revived(job: Job): void {
    if (job.endedAt !== 0) {
      job.endedAt = 0;
      job.exitCode = 0;
      job.pace.since = this.now;
      this.memory.ended.delete(job);
      this.memory.addLive(this.entryOf(job));
    }
    reviveTimes(this, job);
    reviveCanary(job);
    this.changed(job);
  }

  canaryEnded(job: Job): void {
    decideCanary(this, job);
  }

  failedTooOften(job: Job): void {
    const changed = cancelTasks(this, job, [[0, job.size]], TaskReason.maxFailures);
    if (changed > 0) this.memory.changes.event(this.now, job.id, 'maxFailuresReached', { cancelled: changed });
  }

  cannotSucceed(job: Job): void {
    const changed = cancelTasks(this, job, [[0, job.size]], TaskReason.minSuccess);
    const { needed } = job;
    if (changed > 0) this.memory.changes.event(this.now, job.id, 'minSuccessMissed', { needed, cancelled: changed });
  }

  wait(job: Job, due: number): void {
    const { alarms, nextAlarm } = this.memory;
    // When it rings, what the job waits for after that is set: a million failed tasks need one alarm.
    if ((nextAlarm.get(job.id) ?? Number.POSITIVE_INFINITY) <= due) return;
    nextAlarm.set(job.id, due);
    alarms.add(due, job.id);
    this.alarmSet(due);
  }

  /** Gives out what can be given out now; false when there is more to look at. */
  schedule(): boolean {
    const { topUp } = this.memory.changes;
    const done = this.#scheduler.pass(this.memory.pool, topUp, this.now);
    topUp.clear();
    return done;
  }

  grant(session: WorkerSession, lane: Lane, start: number, count: number, slots: number): void {
    this.#grant(session, lane, start, count, slots);
  }

  place(places: readonly [Place, ...Place[]], lane: Lane, position: number): void {
    beginPlaced(this, this.#grant(places[0].session, lane, position, 1, 1), places);
  }

  #grant(session: WorkerSession, lane: Lane, start: number, count: number, slots: number): GrantRange {
    const { memory } = this;
    const { job } = memory.jobs.get(lane.job.id)!;
    const range = new GrantRange(memory.counters.nextFence, count, job.id, start, session.id, lane.number);
    memory.counters.nextFence += count;
    memory.changes.counters = true;
    job.table.moveRun(start, count, TaskState.ready, TaskState.leased);
    job.grants.add(range);
    session.addGrant(range, lane, slots, this.now);
    if (slots > 0) memory.queue.addSlots(lane, slots);
    memory.changes.grants.add(range);
    memory.changes.jobs.add(job);
    const { grants } = memory.changes.tell(session.id);
    const ranges = grants.get(job.id);
    if (ranges === undefined) grants.set(job.id, [range]);
    else ranges.push(range);
    return range;
  }

  revokeAhead(session: WorkerSession, lane: Lane): void {
    const share = session.shares.get(lane)!;
    const ranges = session.grants.filter((range) => range.jobId === lane.job.id && range.lane === lane.number);
    revokeUnstarted(this, session, ranges, share.open - share.slots);
  }

  /** `count` fences from `at` of a range were closed: resources, digest, queue and rows follow. */
  rangeShrank(session: WorkerSession, job: Job, range: GrantRange, at: number, count: number): void {
    const lane = job.lanes[range.lane]!;
    const freed = session.closeGrants(lane, range.fence + at, count);
    if (freed > 0) this.memory.queue.addSlots(lane, -freed);
    if (range.open === 0) {
      job.grants.delete(range);
      session.rangeClosed();
      if (range.nodes !== undefined) endPlaced(this, range, range.nodes);
    }
    this.memory.changes.grantChanged(range);
    if (!session.bound) this.memory.changes.topUp.add(session);
    this.changed(job);
  }
}

/** Of all tasks' last ends: what a waited job gives back. */
function highestExitCode(job: Job): number {
  const { counts, outcomes } = job.table;
  let highest = counts[TaskState.cancelled]! + counts[TaskState.skipped]! + counts[TaskState.failed]! > 0 ? 1 : 0;
  if (outcomes === undefined) return highest;
  for (const [start, length] of job.table.runsOf(TaskState.failed)) {
    for (let position = start; position < start + length; position++) {
      if (outcomes[position] !== 0) highest = Math.max(highest, exitCodeOf(decodeOutcome(outcomes[position]!)));
    }
  }
  return highest;
}
