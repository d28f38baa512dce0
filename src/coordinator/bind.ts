import type { ExchangeRequest, HelloRequest } from '../api/session.ts';
import { SpawnError } from '../core/errors.ts';
import { repeatRequests } from './exchange.ts';
import { findBound, instanceConnected } from './instances/hooks.ts';
import type { Link } from './link.ts';
import type { Bound, Memory, SessionEntry } from './memory.ts';
import { checkOwner } from './ownership.ts';
import type { Caller } from './use-cases.ts';
import type { World } from './world.ts';

/**
 * What a session that says hello for an instance is bound to, and the session of that instance which it takes over, if one is open.
 *
 * @throws SpawnError BAD_REQUEST without the id of an instance, INSTANCE_NOT_FOUND, NOT_PERMITTED, INSTANCE_SERVED by another session
 */
export function findTask(
  memory: Memory,
  caller: Caller,
  { instance, bound }: HelloRequest,
): { task: Omit<Bound, 'since'>; before: SessionEntry | undefined } {
  if (instance === undefined) {
    throw new SpawnError('BAD_REQUEST', {
      where: 'instance',
      expected: 'the id of an instance with bound',
      found: 'none',
    });
  }
  const { jobId, position } = findBound(memory, instance);
  checkOwner(memory.jobs.get(jobId)!, caller, `serve instance ${instance} of`);
  const before = memory.bound.get(instance);
  if (before !== undefined && before.session.id !== bound?.resume) {
    throw new SpawnError('INSTANCE_SERVED', { ref: instance, session: before.session.id });
  }
  return { task: { instance, jobId, position }, before };
}

/** The same session goes on with another agent: it knows nothing of what was said, and gets all of it again. */
export function resumeSession(world: World, entry: SessionEntry): void {
  const { memory } = world;
  const { session, bound } = entry;
  session.draining = false;
  session.connected = false;
  memory.addSession(entry);
  const { grants } = memory.changes.tell(session.id);
  for (const range of session.grants) {
    if (range.open === 0) continue;
    range.sentN = 0;
    const ranges = grants.get(range.jobId) ?? [];
    if (!ranges.includes(range)) ranges.push(range);
    grants.set(range.jobId, ranges);
    repeatRequests(world, session, range);
  }
  world.count('sessionsResumed');
  instanceConnected(world, bound!.instance);
}

/**
 * Refuses what an agent says that another one has replaced: it cannot have seen a message of the link that this one was given.
 *
 * @throws SpawnError SESSION_UNKNOWN
 */
export function refuseReplaced({ session, bound }: SessionEntry, seen: number): void {
  if (seen >= (bound?.since ?? 0)) return;
  throw new SpawnError('SESSION_UNKNOWN', { session: session.id, why: 'another agent has taken it over' });
}

/** @throws SpawnError BAD_REQUEST when a worker of the pool reports on an instance */
export function checkReport({ bound }: SessionEntry, { instance }: ExchangeRequest): void {
  if (instance === undefined || bound !== undefined) return;
  throw new SpawnError('BAD_REQUEST', {
    where: 'instance',
    expected: 'no report of an instance from a session that is bound to none',
    found: instance.state,
  });
}

/** The number above which messages of a session are numbered from now on: larger than all that any agent of it may have seen. */
export function nextLinkNumber(link: Link | undefined): number {
  return (link?.n ?? 0) + 1;
}
