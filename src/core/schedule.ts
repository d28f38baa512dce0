import type { Job } from './job.ts';
import type { ReadyQueue } from './ready-queue.ts';
import type { Share, WorkerSession } from './worker-session.ts';

export interface SchedulePolicy {
  /** Measured work that may wait at a worker for each of its slots, ms. */
  aheadMs: number;
  /** Most tasks granted ahead for each slot. */
  aheadMax: number;
  /** How long a job keeps a slot before another that is entitled to it takes its work ahead back, ms. */
  quantumMs: number;
  /** A task that fits nowhere for this long makes a worker save up for it, ms. */
  reserveAfterMs: number;
}

export const SCHEDULE_POLICY: SchedulePolicy = { aheadMs: 50, aheadMax: 10_000, quantumMs: 100, reserveAfterMs: 2_000 };

/** A measured duration is never taken to be shorter than this, microseconds. */
const MIN_WALL_US = 5;
/**
 * Jobs passed over in one pass because they fit nowhere now; bounds the work of a pass when very many wide jobs wait. Those for which no
 * machine is large enough do not count: they would keep all others from ever being looked at.
 */
const MAX_PASSED_OVER = 256;

/** What a pass decides; the caller changes its books accordingly before the call returns. */
export interface ScheduleActions {
  /** Grants the tasks start … start+count-1; `slots` of them take resources now. */
  grant(session: WorkerSession, job: Job, start: number, count: number, slots: number): void;
  /** Asks unstarted work ahead of this job back. */
  revokeAhead(session: WorkerSession, job: Job): void;
}

/** Gives free slots to those next in line, then work ahead to the sessions in `topUp`. */
export function schedule(
  queue: ReadyQueue,
  sessions: Iterable<WorkerSession>,
  topUp: Set<WorkerSession>,
  now: number,
  policy: SchedulePolicy,
  actions: ScheduleActions,
): void {
  const open = [...sessions].filter((session) => session.connected && !session.draining);
  fillSlots(queue, open, topUp, now, policy, actions);
  const next = queue.peek();
  for (const session of topUp) {
    if (session.draining || !session.connected) continue;
    for (const share of session.shares.values()) topUpShare(queue, session, share, next, now, policy, actions);
  }
}

function fillSlots(
  queue: ReadyQueue,
  sessions: WorkerSession[],
  topUp: Set<WorkerSession>,
  now: number,
  policy: SchedulePolicy,
  actions: ScheduleActions,
): void {
  // What a session saved up for was held, cancelled or granted elsewhere.
  for (const session of sessions) if (session.reservedFor?.starvedSince === 0) session.reservedFor = undefined;
  const free = sessions.filter((session) => session.freeCpus > 1e-6);
  const aside: Job[] = [];
  let passedOver = 0;
  while (free.length > 0 && passedOver < MAX_PASSED_OVER) {
    const job = queue.peek();
    if (job === undefined) break;
    const session = roomiest(free, job);
    if (session === undefined) {
      if (job.starvedSince === 0) job.starvedSince = now;
      else if (now - job.starvedSince >= policy.reserveAfterMs) reserve(sessions, job, actions);
      if (sessions.some((session) => session.couldFit(job))) passedOver++;
      queue.setAside(job);
      aside.push(job);
      continue;
    }
    if (job.starvedSince !== 0) {
      job.starvedSince = 0;
      // Whoever was passed over because a session was saved for this job has another chance.
      if (release(sessions, job)) for (const other of aside.splice(0)) queue.update(other);
    }
    const fits = Math.min(session.fits(job), job.wanted);
    grantSlots(session, job, queue.hasRival(job) || free.length > 1 ? Math.min(fits, 1) : fits, actions);
    queue.update(job);
    topUp.add(session);
    if (session.freeCpus <= 1e-6) free.splice(free.indexOf(session), 1);
  }
  for (const job of aside) queue.update(job);
}

/** The session with most CPUs free that takes the job: the load spreads. What is saved up for a job stays open to higher bands. */
function roomiest(sessions: readonly WorkerSession[], job: Job): WorkerSession | undefined {
  let best: WorkerSession | undefined;
  for (const session of sessions) {
    const { reservedFor } = session;
    if (reservedFor !== undefined && reservedFor !== job && reservedFor.priority >= job.priority) continue;
    if (session.fits(job) < 1) continue;
    if (best === undefined || session.freeCpus > best.freeCpus) best = session;
  }
  return best;
}

function grantSlots(session: WorkerSession, job: Job, wanted: number, actions: ScheduleActions): void {
  let left = wanted;
  while (left > 0) {
    const run = job.table.eligible.takeRun(0, left)!;
    actions.grant(session, job, run[0], run[1], run[1]);
    left -= run[1];
  }
}

/** Makes the machine with most free CPUs among those large enough save up for a wide job. */
function reserve(sessions: readonly WorkerSession[], job: Job, actions: ScheduleActions): void {
  let best: WorkerSession | undefined;
  for (const session of sessions) {
    if (session.reservedFor === job) return;
    if (session.reservedFor !== undefined || !session.couldFit(job)) continue;
    if (best === undefined || session.freeCpus > best.freeCpus) best = session;
  }
  if (best === undefined) return;
  best.reservedFor = job;
  for (const share of best.shares.values()) if (share.open > share.slots) actions.revokeAhead(best, share.job);
}

/** Nothing is saved up for the job any more; true when something was. */
function release(sessions: readonly WorkerSession[], job: Job): boolean {
  const saving = sessions.filter((session) => session.reservedFor === job);
  for (const session of saving) session.reservedFor = undefined;
  return saving.length > 0;
}

function topUpShare(
  queue: ReadyQueue,
  session: WorkerSession,
  share: Share,
  next: Job | undefined,
  now: number,
  policy: SchedulePolicy,
  actions: ScheduleActions,
): void {
  const { job } = share;
  const ahead = share.open - share.slots;
  if (next !== undefined && next !== job && session.couldFit(next)) {
    if (now - share.since >= policy.quantumMs && queue.isEntitled(next, job)) {
      if (ahead > 0) actions.revokeAhead(session, job);
      return;
    }
  }
  if (session.reservedFor !== undefined || job.meanWallUs === 0) return;
  const each = Math.min(policy.aheadMax, Math.floor((policy.aheadMs * 1000) / Math.max(MIN_WALL_US, job.meanWallUs)));
  const target = each * share.slots;
  if (ahead * 2 > target) return;
  let left = Math.min(target - ahead, job.wanted);
  while (left > 0) {
    const run = job.table.eligible.takeRun(0, left)!;
    actions.grant(session, job, run[0], run[1], 0);
    left -= run[1];
  }
  queue.update(job);
}
