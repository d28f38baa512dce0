import type { ExchangeReply, ExchangeRequest, FenceRun } from '../api/session.ts';
import { type GrantRange, GrantStatus } from '../core/grant-range.ts';
import { TaskFlag } from '../core/task-table.ts';
import type { WorkerSession } from '../core/worker-session.ts';
import type { Books } from './books.ts';
import { addFence } from './cancel.ts';
import { takePlanned } from './data/grow.ts';
import { takeProgress } from './data/progress.ts';
import { reconcileMembers, takeMembers } from './gang.ts';
import { takeInstanceReport } from './instances/hooks.ts';
import { tellLimit } from './limits.ts';
import type { Link } from './link.ts';
import { loseAttempt } from './lose.ts';
import type { SessionEntry } from './memory.ts';
import { giveBack, takeEnds, takeReturned, takeStarts } from './reports.ts';
import { repeatSuspension } from './suspend.ts';
import type { World } from './world.ts';

/** Whether there is anything to take in; an exchange without is a renewal and changes nothing durable. */
export function hasNews(request: ExchangeRequest): boolean {
  return (
    (request.ends?.runs.length ?? 0) > 0 ||
    (request.starts?.fences.length ?? 0) > 0 ||
    (request.returned?.length ?? 0) > 0 ||
    (request.planned?.length ?? 0) > 0 ||
    request.heldRuns !== undefined ||
    (request.members?.length ?? 0) > 0 ||
    request.instance !== undefined ||
    request.draining === true
  );
}

/** Takes in what a worker reports, and compares what it holds with what it should. */
export function takeExchange(
  world: World,
  { session, bound }: SessionEntry,
  link: Link,
  request: ExchangeRequest,
  leaseMs: number,
): ExchangeReply {
  const books: Books = world;
  let stale = 0;
  if (request.draining === true) session.draining = true;
  if (request.starts !== undefined) stale += takeStarts(books, session, request.starts);
  if (request.planned !== undefined) stale += takePlanned(books, session, request.planned);
  if (request.progress !== undefined) takeProgress(world.memory, session, request.progress);
  if (request.ends !== undefined) stale += takeEnds(books, session, request.ends);
  if (request.returned !== undefined) stale += takeReturned(books, session, request.returned);
  if (request.members !== undefined) stale += takeMembers(books, session, request.members);
  books.settlement.run();
  // After the ends: a task that completed before its instance had to go is completed.
  if (request.instance !== undefined) takeInstanceReport(world, bound!.instance, request.instance);
  if (stale > 0) books.count('staleReports', stale);
  if (request.heldRuns !== undefined) {
    reconcile(books, session, link, request.ack, request.heldRuns, request.startedRuns ?? []);
    reconcileMembers(books, session, request.ack, request.heldMembers ?? []);
  }
  return {
    seq: request.seq,
    leaseMs,
    stale,
    resync: request.heldRuns === undefined && differs(session, link, request),
    deferred: false,
  };
}

/** Whether the worker, having seen every message, holds something else than it should. */
function differs(session: WorkerSession, link: Link, request: ExchangeRequest): boolean {
  if (link.resync) return true;
  if (request.ack !== link.n || session.grants.some((range) => range.open > 0 && range.sentN === 0)) return false;
  return request.held.count !== session.heldCount || request.held.sum !== session.heldSum;
}

/** Brings both sides to the same: what is only ours is granted again, what is only theirs is dropped. */
function reconcile(
  books: Books,
  session: WorkerSession,
  link: Link,
  ack: number,
  held: readonly FenceRun[],
  started: readonly FenceRun[],
): void {
  const theirs = expand(held);
  const running = expand(started);
  const ours = new Set<number>();
  const missing: number[] = [];
  const unreported: number[] = [];
  for (const range of session.grants) {
    if (range.open === 0) continue;
    if (range.sentN === 0) repeatRequests(books, session, range);
    for (let at = 0; at < range.count; at++) {
      if (range.status[at] === GrantStatus.closed) continue;
      const fence = range.fence + at;
      ours.add(fence);
      if (theirs.has(fence)) {
        if (running.has(fence) && range.status[at] === GrantStatus.leased) unreported.push(fence);
      } else if (range.sentN > 0 && range.sentN <= ack) missing.push(fence);
      // An agent that took over knows only what it was told since: it is told again, and goes on with what runs in its machine.
      else if (range.sentN === 0 && range.status[at] === GrantStatus.running && !session.bound) missing.push(fence);
    }
    if (range.sentN === 0) sendAgain(books, session, range.fence, theirs);
  }
  if (unreported.length > 0) takeStarts(books, session, { fences: unreported });
  giveUp(books, session, missing);
  const { drop } = books.memory.changes.tell(session.id);
  for (const fence of theirs) if (!ours.has(fence)) addFence(drop, fence);
  link.acknowledge(ack);
  link.resync = false;
  books.settlement.run();
}

/**
 * What was asked of an earlier life's grants may have been durable and yet never sent, or was sent ahead of a grant that is sent again: it
 * goes after that.
 */
export function repeatRequests(books: Books, session: WorkerSession, range: GrantRange): void {
  const { job } = books.memory.jobs.get(range.jobId)!;
  const granted = job.lanes[range.lane]!;
  const { cancel, revoke } = books.memory.changes.tell(session.id);
  for (let at = 0; at < range.count; at++) {
    const fence = range.fence + at;
    if (range.status[at] === GrantStatus.closed) continue;
    const position = range.position + at;
    const lane = job.laneOf(position);
    // Also when it is the one it was granted with: it may have had another one meanwhile.
    if (job.lanes.length > 1) tellLimit(books, session, fence, lane.terms.timeLimitMs);
    repeatSuspension(books, job, range, at);
    if (job.table.hasFlag(position, TaskFlag.cancelRequested | TaskFlag.requeueRequested) || range.broken)
      addFence(cancel, fence);
    else if (
      range.status[at] === GrantStatus.leased &&
      (job.held || job.shut || lane !== granted || job.table.hasFlag(position, TaskFlag.held))
    )
      addFence(revoke, fence);
  }
}

/** A range of an earlier life, or of one whose message was never sent: the worker ignores what it already holds. */
function sendAgain(books: Books, session: WorkerSession, fence: number, theirs: ReadonlySet<number>): void {
  const range = session.find(fence)!;
  if (range.nodes !== undefined) books.memory.changes.tell(session.id).gangs.push(range);
  let complete = true;
  for (let at = 0; at < range.count && complete; at++) {
    complete = range.status[at] === GrantStatus.closed || theirs.has(range.fence + at);
  }
  if (complete) {
    range.sentN = 1;
    return;
  }
  const { grants } = books.memory.changes.tell(session.id);
  const ranges = grants.get(range.jobId) ?? [];
  if (!ranges.includes(range)) ranges.push(range);
  grants.set(range.jobId, ranges);
}

/** Fences whose grant the worker took in and yet does not hold: unstarted ones are ready again, others are lost attempts. */
function giveUp(books: Books, session: WorkerSession, fences: readonly number[]): void {
  if (fences.length === 0) return;
  books.count('forgottenGrants', fences.length);
  for (const fence of fences) {
    const range = session.find(fence)!;
    const { job } = books.memory.jobs.get(range.jobId)!;
    const at = fence - range.fence;
    if (range.status[at] === GrantStatus.running) loseAttempt(books, session, job, range, at);
    else giveBack(books, session, job, range, at);
  }
}

function expand(runs: readonly FenceRun[]): Set<number> {
  const fences = new Set<number>();
  for (const [base, count] of runs) for (let at = 0; at < count; at++) fences.add(base + at);
  return fences;
}

/** Tasks of a session by state, for people. */
export function countGrants(session: WorkerSession): { running: number; leased: number } {
  let running = 0;
  let leased = 0;
  for (const range of session.grants) {
    running += range.running;
    leased += range.leased;
  }
  return { running, leased };
}
