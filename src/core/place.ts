import type { Shape } from './gang.ts';
import type { Lane } from './lane.ts';
import { type Needs, needsOfRanks } from './resources.ts';
import type { WorkerSession } from './worker-session.ts';

/** What one session has of a task that is placed as a whole. */
export interface Place {
  readonly session: WorkerSession;
  /** Ranks there. */
  readonly tasks: number;
  readonly needs: Needs;
}

/** A session, and how many ranks it could take. */
interface Candidate {
  readonly session: WorkerSession;
  readonly ranks: number;
}

type Placed = Lane & { readonly shape: Shape };

export function isPlaced(lane: Lane): lane is Placed {
  return lane.shape !== undefined;
}

/**
 * The sessions that a task gets now, in the order of its ranks; undefined when they are too few. All of them or none.
 * @param mayHave false for sessions that are saved for somebody else
 */
export function placeNow(
  sessions: readonly WorkerSession[],
  lane: Placed,
  mayHave: (session: WorkerSession) => boolean,
): Place[] | undefined {
  const free = sessions.filter(
    (session) => lane.minApi <= session.api && (!lane.shape.exclusive || session.isIdle) && mayHave(session),
  );
  return layOut(
    lane,
    byRanks(free, (session) => session.room.fitsRanks(lane.shape.node, lane.shape.rank)),
    true,
  );
}

/** The sessions that a task would get if they were idle: those first that are nearest to it. As few as it may have. */
export function placeOnIdle(sessions: readonly WorkerSession[], lane: Placed): Place[] | undefined {
  const able = sessions.filter((session) => lane.minApi <= session.api);
  const lacks = new Map(able.map((session) => [session, session.room.lacks(lane.needs)]));
  const order = byRanks(able, ({ idle }) => idle.fitsRanks(lane.shape.node, lane.shape.rank));
  order.sort((a, b) => b.ranks - a.ranks || lacks.get(a.session)! - lacks.get(b.session)!);
  return layOut(lane, order, false);
}

/** Whether these sessions could take a task of the lane at all, if nothing else ran. */
export function couldTake(sessions: readonly WorkerSession[], lane: Lane): boolean {
  if (isPlaced(lane)) return firstCouldTake(sessions, lane) || placeOnIdle(sessions, lane) !== undefined;
  return sessions.some((session) => session.couldFit(lane));
}

/** Whether the first ones do that could take any of it: lists ask for every job, and where machines are alike a few of them answer. */
function firstCouldTake(sessions: readonly WorkerSession[], { shape, minApi }: Placed): boolean {
  const { nodes, tasks = 0, perNode = 1 } = shape;
  let count = 0;
  let sum = 0;
  for (const session of sessions) {
    const ranks = minApi <= session.api ? session.idle.fitsRanks(shape.node, shape.rank) : 0;
    if (ranks < perNode) continue;
    count++;
    sum += ranks;
    if (count >= nodes.min && sum >= tasks) return true;
    if (count === nodes.max) return false;
  }
  return false;
}

/** Whether a task of the lane finds its place now, on sessions that save nothing up for another. */
export function isFreeFor(sessions: readonly WorkerSession[], lane: Lane): boolean {
  const isOpen = ({ reservedFor }: WorkerSession) => reservedFor === undefined || reservedFor === lane;
  if (isPlaced(lane)) return placeNow(sessions, lane, isOpen) !== undefined;
  return sessions.some((session) => isOpen(session) && session.fits(lane) > 0);
}

/** Those that take most first, so that no set of as many takes more. */
function byRanks(sessions: readonly WorkerSession[], ranksOf: (session: WorkerSession) => number): Candidate[] {
  const candidates = sessions.map((session) => ({ session, ranks: ranksOf(session) }));
  return candidates.filter(({ ranks }) => ranks > 0).toSorted((a, b) => b.ranks - a.ranks || inOrder(a, b));
}

/** @param eager as many sessions as there are where it may have more than the fewest */
function layOut(lane: Placed, candidates: readonly Candidate[], eager: boolean): Place[] | undefined {
  const { shape } = lane;
  const each = shape.perNode ?? 1;
  const able = candidates.filter(({ ranks }) => ranks >= each);
  const count = countOf(shape, able, eager);
  if (count === undefined) return undefined;
  const chosen = able.slice(0, count).toSorted(inOrder);
  const tasks = ranksOf(shape, chosen);
  return chosen.map(({ session }, at) => ({ session, tasks: tasks[at]!, needs: needsOn(session, shape, tasks[at]!) }));
}

/** Of the first so many candidates it gets every one; undefined when they are not enough. */
function countOf({ nodes, fewest, tasks = 0 }: Shape, able: readonly Candidate[], eager: boolean): number | undefined {
  const most = Math.min(nodes.max, able.length);
  let sum = 0;
  for (let count = 1; count <= most; count++) {
    sum += able[count - 1]!.ranks;
    if (count >= nodes.min && sum >= tasks && (fewest || !eager || count === most)) return count;
  }
  return undefined;
}

/** Slurm fills one node after the other, but leaves a rank for each of the rest; ranks of exclusive ones are spread evenly. */
function ranksOf({ tasks, perNode, exclusive }: Shape, chosen: readonly Candidate[]): number[] {
  if (perNode !== undefined) return chosen.map(() => perNode);
  if (tasks === undefined) return chosen.map(({ ranks }) => (exclusive ? ranks : 1));
  const given = chosen.map(() => 1);
  let left = tasks - chosen.length;
  for (let at = 0; left > 0; at = (at + 1) % chosen.length) {
    const more = Math.min(chosen[at]!.ranks - given[at]!, exclusive ? Math.min(1, left) : left);
    given[at]! += more;
    left -= more;
  }
  return given;
}

function needsOn({ room }: WorkerSession, { exclusive, node, rank }: Shape, tasks: number): Needs {
  return exclusive ? room.whole : needsOfRanks(node, rank, tasks);
}

/** By name, numbers in it counted: `n2` before `n10`. */
function inOrder({ session: a }: Candidate, { session: b }: Candidate): number {
  const [left, right] = [a.nameParts, b.nameParts];
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const [x, y] = [left[at]!, right[at]!];
    if (x === y) continue;
    // Every second part is a number.
    const byNumber = at % 2 === 1 ? Number(x) - Number(y) : 0;
    return byNumber || (x < y ? -1 : 1);
  }
  return left.length - right.length || a.id - b.id;
}

/** What a session has of a task of so many ranks there: the same again, whenever it is asked. */
export function needsOfPlace(session: WorkerSession, lane: Placed, tasks: number): Needs {
  return needsOn(session, lane.shape, tasks);
}
