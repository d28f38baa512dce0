import type { MemberReport, NodeShare, Placement } from '../api/gang.ts';
import { WHOLE_DEVICE } from '../core/gpu-shares.ts';
import type { GrantNode, GrantRange } from '../core/grant-range.ts';
import type { Lane } from '../core/lane.ts';
import { isPlaced, needsOfPlace, type Place } from '../core/place.ts';
import { needsOfRanks } from '../core/resources.ts';
import type { WorkerSession } from '../core/worker-session.ts';
import type { Books } from './books.ts';
import { addFence } from './cancel.ts';
import { Gang, type Member } from './gang-members.ts';
import type { Link } from './link.ts';
import type { Memory } from './memory.ts';

/** A member that has not said where its steps go after this long makes its gang fail. */
const MEMBER_READY_MS = 30_000;
const SECRET_DIGITS = 64;

/** An attempt that was placed as a whole begins: all its sessions hold what it has of them. */
export function beginPlaced(books: Books, range: GrantRange, places: readonly Place[]): void {
  const nodes = places.map(({ session, tasks }) => ({ sessionId: session.id, tasks }));
  range.nodes = nodes;
  for (const { session, needs } of places) session.addPlace(range.fence, needs, range.sessionId);
  if (nodes.length === 1) return;
  range.secret = books.randomHex(SECRET_DIGITS);
  const { gangs, changes } = books.memory;
  gangs.set(range.fence, new Gang(range, nodes));
  for (const { session } of places.slice(1)) changes.tell(session.id).members.push(range);
}

/** The same after a restart, as far as its sessions are there: the others were lost, and it is being stopped. */
export function restorePlaced(memory: Memory, range: GrantRange, lane: Lane): void {
  const { nodes } = range;
  if (nodes === undefined || !isPlaced(lane)) return;
  for (const { sessionId, tasks } of nodes) {
    const session = memory.sessions.get(sessionId)?.session;
    session?.addPlace(range.fence, needsOfPlace(session, lane, tasks), range.sessionId);
  }
  if (nodes.length > 1) memory.gangs.set(range.fence, new Gang(range, nodes));
}

/** It is over: whatever it had of its sessions is free again. */
export function endPlaced({ memory }: Books, range: GrantRange, nodes: readonly GrantNode[]): void {
  memory.gangs.delete(range.fence);
  for (const { sessionId } of nodes) {
    const session = memory.sessions.get(sessionId)?.session;
    if (session === undefined) continue;
    session.removePlace(range.fence);
    memory.changes.topUp.add(session);
    if (sessionId !== range.sessionId) addFence(memory.changes.tell(sessionId).memberEnd, range.fence);
  }
}

/** The session is over, and with it every gang of which it had a member: they are stopped, and end as lost. */
export function breakGangsOf(books: Books, session: WorkerSession): void {
  for (const [fence, { leader }] of session.places) {
    const gang = books.memory.gangs.get(fence);
    if (leader !== session.id && gang !== undefined) breakGang(books, gang, session.worker, 'it is gone');
  }
}

/** The attempt ends as lost once the worker with its grant has stopped it: what came of it meanwhile counts for nothing. */
function breakGang({ memory, now }: Books, { range }: Gang, worker: string, why: string): void {
  if (range.broken) return;
  range.broken = true;
  memory.changes.grants.add(range);
  addFence(memory.changes.tell(range.sessionId).cancel, range.fence);
  const { job } = memory.jobs.get(range.jobId)!;
  const index = job.facts.indices.at(range.position);
  memory.changes.event(now, job.id, 'gangBroken', { index, worker, reason: why });
}

/** What became of members on this session; gives how many are not current any more. */
export function takeMembers(books: Books, session: WorkerSession, reports: readonly MemberReport[]): number {
  const { memory } = books;
  let stale = 0;
  for (const report of reports) {
    const gang = memory.gangs.get(report.fence);
    const member = gang?.members[gang.rankOf(session)];
    if (gang === undefined || member === undefined) {
      stale++;
      addFence(memory.changes.tell(session.id).memberEnd, report.fence);
    } else if ('failed' in report) {
      breakGang(books, gang, session.worker, report.failed);
    } else {
      member.at = { address: report.address, port: report.port };
      memory.changes.tell(gang.range.sessionId).gangs.push(gang.range);
    }
  }
  return stale;
}

/** Brings both sides to the same: members that are only theirs are over, those that are only ours are told again, or were forgotten. */
export function reconcileMembers(books: Books, session: WorkerSession, ack: number, held: readonly number[]): void {
  const { memory } = books;
  const outgoing = memory.changes.tell(session.id);
  const theirs = new Set(held);
  for (const fence of theirs) {
    if (session.places.get(fence)?.leader !== session.id && session.places.has(fence)) continue;
    addFence(outgoing.memberEnd, fence);
  }
  for (const [fence, { leader }] of session.places) {
    const gang = memory.gangs.get(fence);
    if (leader === session.id || gang === undefined) continue;
    const { sentN } = gang.members[gang.rankOf(session)]!;
    if (gang.range.broken) continue;
    if (sentN === 0) outgoing.members.push(gang.range);
    else if (sentN <= ack && !theirs.has(fence)) breakGang(books, gang, session.worker, 'it forgot its part');
  }
}

/** Gangs with a member that is not ready and should be by now. */
export function breakLateGangs(books: Books, steady: number): void {
  const { gangs, sessions } = books.memory;
  for (const gang of gangs.values()) {
    const rank = gang.members.findIndex((member) => isLate(member, steady));
    if (rank < 0) continue;
    const worker = sessions.get(gang.nodes[rank]!.sessionId)?.session.worker ?? '';
    breakGang(books, gang, worker, `it was not ready within ${MEMBER_READY_MS / 1000} s`);
  }
}

export function hasLateGang({ gangs }: Memory, steady: number): boolean {
  for (const { members, range } of gangs.values()) {
    if (!range.broken && members.some((member) => isLate(member, steady))) return true;
  }
  return false;
}

function isLate(member: Member | undefined, steady: number): boolean {
  return member !== undefined && member.sentN > 0 && member.at === undefined && member.dueAt <= steady;
}

/** Nothing was taken in for a while: members have the whole time again. */
export function postponeGangs({ gangs }: Memory, steady: number): void {
  for (const { members } of gangs.values()) {
    for (const member of members) if (member !== undefined) member.dueAt = steady + MEMBER_READY_MS;
  }
}

/** Sessions that have a part of what a range grants, the one with the grant first. */
export function sessionsOf({ sessions }: Memory, { nodes, sessionId }: GrantRange): WorkerSession[] {
  const ids = nodes?.map((node) => node.sessionId) ?? [sessionId];
  return ids.flatMap((id) => sessions.get(id)?.session ?? []);
}

/** Of what was placed as a whole: what it has of each worker that is there. */
export function nodesOf({ sessions }: Memory, { fence, nodes = [] }: GrantRange): NodeShare[] {
  return nodes.flatMap(({ sessionId, tasks }) => {
    const session = sessions.get(sessionId)?.session;
    const place = session?.places.get(fence);
    return session === undefined || place === undefined
      ? []
      : [{ name: session.worker, cpus: place.needs.cpus, tasks }];
  });
}

/** Undefined for what has a share of its session like any other, and for what is over. */
export function placementOf(memory: Memory, range: GrantRange, lane: Lane): Placement | undefined {
  const place = memory.sessions.get(range.sessionId)?.session.places.get(range.fence);
  if (range.nodes === undefined || place === undefined || !isPlaced(lane)) return undefined;
  const { node, rank, exclusive } = lane.shape;
  const { memoryBytes } = needsOfRanks(node, rank, range.nodes[0]!.tasks);
  const { gpuShares } = place.needs;
  return {
    nodes: nodesOf(memory, range),
    // Of a whole worker no more is kept from it than it asked to be.
    memoryBytes: exclusive ? node.memoryBytes : memoryBytes,
    gpus: gpuShares / WHOLE_DEVICE,
    whole: exclusive,
  };
}

/** Prepares what a session is told of its part in a gang; the call that sends it is made once it is durable. */
export function prepareMember(
  memory: Memory,
  sessionId: number,
  range: GrantRange,
  attempt: number,
): ((link: Link, steady: number) => void) | undefined {
  const session = memory.sessions.get(sessionId)?.session;
  const gang = memory.gangs.get(range.fence);
  const place = session?.places.get(range.fence);
  const placed = placementOf(memory, range, memory.jobs.get(range.jobId)!.job.lanes[range.lane]!);
  // It is over already.
  if (session === undefined || gang === undefined || place === undefined || placed === undefined) return undefined;
  const rank = gang.rankOf(session);
  const { cpus, memoryBytes, gpuShares } = place.needs;
  const member = gang.members[rank]!;
  const message = {
    type: 'member' as const,
    fence: range.fence,
    rank,
    job: range.jobId,
    ...(range.lane === 0 ? {} : { lane: range.lane }),
    position: range.position,
    attempt,
    secret: range.secret,
    cpus,
    memoryBytes: placed.whole ? placed.memoryBytes : memoryBytes,
    gpus: gpuShares / WHOLE_DEVICE,
    whole: placed.whole,
    tasks: gang.nodes[rank]!.tasks,
    nodes: placed.nodes,
  };
  return (link, steady) => {
    member.sentN = link.send(message);
    member.dueAt = steady + MEMBER_READY_MS;
  };
}

/** The same of where all nodes of a gang are, for the session with its grant: nothing while one of them is missing, or the grant was not sent. */
export function prepareGang(memory: Memory, range: GrantRange): (link: Link) => void {
  const gang = memory.gangs.get(range.fence);
  if (gang === undefined || !gang.isReady || range.broken) return () => {};
  const shares = nodesOf(memory, range);
  const nodes = shares.map((share, rank) => ({ ...share, ...gang.members[rank]?.at }));
  const message = { type: 'gang' as const, fence: range.fence, secret: range.secret, nodes };
  return (link) => {
    if (range.sentN > 0) link.send(message);
  };
}
