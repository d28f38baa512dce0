import type { Ends, FenceRun, Starts } from '../api/session.ts';
import { type Measured, NOTHING_MEASURED } from '../core/end-chunk.ts';
import { type GrantRange, GrantStatus } from '../core/grant-range.ts';
import type { Job } from '../core/job.ts';
import { decodeOutcome, encodeOutcome, withoutProcess } from '../core/outcome.ts';
import { decideEnd, type EndDecision } from '../core/retry.ts';
import { TaskState } from '../core/task-state.ts';
import { TaskFlag, TaskReason } from '../core/task-table.ts';
import type { WorkerSession } from '../core/worker-session.ts';
import type { Books } from './books.ts';
import { growPlanned, planProblem } from './data/grow.ts';
import { outcomeOf } from './instances/pass-on.ts';
import { runLength } from './revoke.ts';

/** Of an attempt that is over without a word. */
export const LOST: Measured = { ...NOTHING_MEASURED, outcome: encodeOutcome({ kind: 'lost' }) };

const FAILED = encodeOutcome({ kind: 'exited', code: 1 });

/** Weight of the newest report in the smoothed duration of a job's attempts. */
const MEAN_WEIGHT = 0.2;

/** Calls `take` for each stretch of fences that lies in one range the session holds; gives how many fences no range holds. */
function eachStretch(
  session: WorkerSession,
  runs: readonly FenceRun[],
  take: (range: GrantRange, at: number, count: number, done: number) => void,
): number {
  let unknown = 0;
  let done = 0;
  for (const [base, length] of runs) {
    for (let fence = base; fence < base + length; ) {
      const range = session.find(fence);
      const count = range === undefined ? 1 : Math.min(base + length, range.fence + range.count) - fence;
      // A closed range may be of a job that has left memory: nothing in it is current.
      if (range === undefined || range.open === 0) unknown += count;
      else take(range, fence - range.fence, count, done);
      fence += count;
      done += count;
    }
  }
  return unknown;
}

export function takeStarts(books: Books, session: WorkerSession, starts: Starts): number {
  let stale = 0;
  for (const [at, fence] of starts.fences.entries()) {
    const range = session.find(fence);
    const offset = range === undefined ? 0 : fence - range.fence;
    // The agent of an instance that took over from another tells again what runs.
    if (session.bound && range?.status[offset] === GrantStatus.running) continue;
    if (range === undefined || range.status[offset] !== GrantStatus.leased) {
      stale++;
      continue;
    }
    const job = books.memory.jobs.get(range.jobId)!.job;
    const position = range.position + offset;
    // Not before its job, whatever a worker says: times are shown to people, and most numbers are none.
    const startedAt = Math.max(job.facts.createdAt, books.now - Math.round(starts.agoMs?.[at] ?? 0));
    const attempt = ++job.table.attempts[position]!;
    range.start(offset, attempt, startedAt, starts.logSegment?.[at] ?? 0, starts.logOffset?.[at] ?? 0);
    job.table.move(position, TaskState.running);
    if (job.startedAt === 0) job.startedAt = startedAt;
    books.memory.changes.grants.add(range);
    books.changed(job);
    books.settlement.started(job);
  }
  return stale;
}

/** Attempts that ended. Exactly one end is taken for each fence; all others are stale. */
export function takeEnds(books: Books, session: WorkerSession, ends: Ends): number {
  let stale = 0;
  stale += eachStretch(session, ends.runs, (range, at, count, done) => {
    const job = books.memory.jobs.get(range.jobId)!.job;
    if (takeCompletedStretch(books, session, job, range, at, count, done, ends)) return;
    for (let offset = at; offset < at + count; offset++) {
      if (range.status[offset] === GrantStatus.closed) stale++;
      else endAttempt(books, session, job, range, offset, measuredAt(ends, done + offset - at));
    }
  });
  return stale;
}

/** The common case in bulk: unstarted as far as we know, exit 0, and nothing asked of any of them. False when it is not that. */
function takeCompletedStretch(
  books: Books,
  session: WorkerSession,
  job: Job,
  range: GrantRange,
  at: number,
  count: number,
  done: number,
  ends: Ends,
): boolean {
  const { table } = job;
  if (count < 2 || table.flags !== undefined || range.status[at] !== GrantStatus.leased) return false;
  if (runLength(range.status, at) < count) return false;
  if (ends.outcome?.slice(done, done + count).some((outcome) => outcome !== 0)) return false;
  const { now, memory } = books;
  const position = range.position + at;
  let wallUs = 0;
  for (let i = 0; i < count; i++) {
    const own = ends.wallUs?.[done + i] ?? 0;
    wallUs += own;
    const attempt = ++table.attempts[position + i]!;
    if (own <= job.slowest.least) continue;
    const measured = measuredAt(ends, done + i);
    job.slowest.add({ position: position + i, attempt, sessionId: session.id, endedAt: now, ...measured });
  }
  const run = { position, fence: range.fence + at, count, sessionId: session.id };
  memory.changes.endsOf(job.id, now).addCompleted(run, table.attempts, ends, done);
  table.outcomes?.fill(0, position, position + count);
  if (job.startedAt === 0) job.startedAt = now;
  noteWall(job, wallUs / count, count);
  job.pace.note(now, count);
  table.moveRun(position, count, TaskState.leased, TaskState.completed);
  table.setReason(position, count, TaskReason.none);
  table.touchRun(position, count);
  range.closeLeased(at, count);
  job.progress?.over(position, count);
  books.rangeShrank(session, job, range, at, count);
  books.settlement.ended(job, position, count);
  return true;
}

function measuredAt(ends: Ends, at: number): Measured {
  return {
    outcome: ends.outcome?.[at] ?? 0,
    wallUs: ends.wallUs?.[at] ?? 0,
    cpuUs: ends.cpuUs?.[at] ?? 0,
    maxRssKb: ends.maxRssKb?.[at] ?? 0,
    logSegment: ends.logSegment?.[at] ?? 0,
    logOffset: ends.logOffset?.[at] ?? 0,
    logEndSegment: ends.logEndSegment?.[at] ?? 0,
    logEndOffset: ends.logEndOffset?.[at] ?? 0,
    outBytes: ends.outBytes?.[at] ?? 0,
    errBytes: ends.errBytes?.[at] ?? 0,
    cutBytes: ends.cutBytes?.[at] ?? 0,
    missingBytes: ends.missingBytes?.[at] ?? 0,
    resultSegment: ends.resultSegment?.[at] ?? 0,
    resultOffset: ends.resultOffset?.[at] ?? 0,
    resultBytes: ends.resultBytes?.[at] ?? 0,
  };
}

function noteWall(job: Job, meanUs: number, count: number): void {
  const mean = Math.max(1, meanUs);
  const weight = job.meanWallUs === 0 ? 1 : 1 - (1 - MEAN_WEIGHT) ** count;
  job.meanWallUs += (mean - job.meanWallUs) * weight;
}

/** Ends one attempt that was not ended before, started or not: an end implies the start. */
export function endAttempt(
  books: Books,
  session: WorkerSession,
  job: Job,
  range: GrantRange,
  at: number,
  reported: Measured,
): void {
  const { now, memory } = books;
  const { table } = job;
  const position = range.position + at;
  const fence = range.fence + at;
  const said = trueOutcome(books, session, job, range, position, reported.outcome);
  const problem = said === 0 ? planProblem(books, job, fence) : TaskReason.none;
  const measured = { ...reported, outcome: problem === TaskReason.none ? said : FAILED };
  if (range.status[at] === GrantStatus.leased) table.attempts[position]!++;
  if (job.startedAt === 0) job.startedAt = now;
  const suspendedMs = job.suspensions.end(position, now);
  job.progress?.over(position, 1);
  const end = { position, attempt: table.attempts[position]!, fence, sessionId: session.id, suspendedMs, ...measured };
  memory.changes.endsOf(job.id, now).add(end);
  if (measured.wallUs > job.slowest.least) job.slowest.add({ ...end, endedAt: now });
  const outcome = decodeOutcome(measured.outcome);
  const decided = decideEnd({
    outcome,
    failures: table.failures?.[position] ?? 0,
    losses: table.losses?.[position] ?? 0,
    policy: job.facts.retryPolicy,
    chance: books.chance(),
    cancelRequested: table.hasFlag(position, TaskFlag.cancelRequested),
    requeueRequested: table.hasFlag(position, TaskFlag.requeueRequested),
  });
  const decision = problem === TaskReason.none ? decided : { ...decided, reason: problem };
  table.setCounters(position, decision.failures, decision.losses);
  table.setOutcome(position, withoutProcess(measured.outcome));
  if (outcome.kind === 'exited' || outcome.kind === 'signalled') noteWall(job, measured.wallUs, 1);
  range.close(at);
  books.rangeShrank(session, job, range, at, 1);
  if (decision.disposition === 'completed') growPlanned(books, job);
  dispose(books, job, position, decision);
}

/** What became of an attempt where its worker alone could not know it. */
function trueOutcome(
  books: Books,
  session: WorkerSession,
  job: Job,
  range: GrantRange,
  position: number,
  reported: number,
): number {
  if (session.bound) return outcomeOf(books, job.id, position, reported);
  // It was stopped because a node of its gang was lost; one that had completed before that was known is completed.
  return range.broken && reported !== 0 ? LOST.outcome : reported;
}

function dispose(books: Books, job: Job, position: number, decision: EndDecision): void {
  const { table } = job;
  const { disposition, retryAfterMs } = decision;
  if (disposition !== 'cancelled') table.setReason(position, 1, decision.reason);
  table.setFlag(position, TaskFlag.cancelRequested, false);
  table.setFlag(position, TaskFlag.requeueRequested, false);
  switch (disposition) {
    case 'retry':
    case 'requeue':
      job.retried++;
      if (retryAfterMs > 0) delay(books, job, position, retryAfterMs);
      table.move(position, TaskState.ready);
      break;
    case 'completed':
    case 'failed':
    case 'cancelled':
      table.move(position, TaskState[disposition]);
      job.pace.note(books.now, 1);
      books.settlement.ended(job, position, 1);
      break;
  }
  table.touch(position);
  books.changed(job);
}

function delay(books: Books, job: Job, position: number, ms: number): void {
  // Somebody may have set the clock to before the job was made, and a tick has 32 bits.
  const tick = Math.min(Math.max(1, Math.ceil((books.now + ms - job.facts.createdAt) / 10) + 1), 2 ** 32 - 1);
  job.table.setRetryTick(position, tick);
  job.table.setReason(position, 1, TaskReason.retryDelay);
  const due = job.facts.createdAt + (tick - 1) * 10;
  job.delayed.add(due, position);
  books.wait(job, due);
}

/** Unstarted grants that the worker gave back. */
export function takeReturned(books: Books, session: WorkerSession, runs: readonly FenceRun[]): number {
  let stale = 0;
  stale += eachStretch(session, runs, (range, at, count) => {
    const job = books.memory.jobs.get(range.jobId)!.job;
    for (let offset = at; offset < at + count; offset++) {
      if (range.status[offset] === GrantStatus.leased) giveBack(books, session, job, range, offset);
      else stale++;
    }
  });
  return stale;
}

/** An unstarted grant is over: the task is ready again, or cancelled if that was asked for. */
export function giveBack(books: Books, session: WorkerSession, job: Job, range: GrantRange, at: number): void {
  const { table } = job;
  const position = range.position + at;
  const cancelled = table.hasFlag(position, TaskFlag.cancelRequested);
  // A node of its gang was lost. It counts, or a gang whose nodes always are would be tried for ever.
  if (range.broken && !cancelled) {
    endAttempt(books, session, job, range, at, LOST);
    return;
  }
  range.close(at);
  table.setFlag(position, TaskFlag.cancelRequested, false);
  table.setFlag(position, TaskFlag.requeueRequested, false);
  if (cancelled || table.ground !== TaskState.ready) table.touch(position);
  table.move(position, cancelled ? TaskState.cancelled : TaskState.ready);
  books.rangeShrank(session, job, range, at, 1);
  if (cancelled) books.settlement.ended(job, position, 1);
}
