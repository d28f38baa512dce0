import type { Lane } from './lane.ts';
import { isPlaced, placeOnIdle } from './place.ts';
import type { WorkerSession } from './worker-session.ts';

/**
 * Which sessions save up their resources for a task that fits nowhere for so long that it would starve: one for a wide task, all that a gang
 * needs for a gang. A gang gets all of them or none, so that no two ever hold what the other waits for; and who began to starve later gets
 * none while one that could not be given all of its own waits, so that sessions are not saved for others for ever.
 */
export class Reservations {
  /** It needs more sessions than were left unreserved. */
  #waiting: Lane | undefined;

  /** Makes sessions save up for a starving lane; gives those that do from now on. */
  reserve(sessions: readonly WorkerSession[], lane: Lane): readonly WorkerSession[] {
    const waiting = this.#waiting;
    if (waiting !== undefined && waiting !== lane && waiting.starvedSince > 0 && comesAfter(lane, waiting)) return [];
    if (waiting === lane || waiting?.starvedSince === 0) this.#waiting = undefined;
    return isPlaced(lane) ? this.#reserveSet(sessions, lane) : reserveNearest(sessions, lane);
  }

  #reserveSet(sessions: readonly WorkerSession[], lane: Lane & Parameters<typeof placeOnIdle>[1]) {
    const own = sessions.filter(({ reservedFor }) => reservedFor === lane);
    if (own.length > 0 && placeOnIdle(own, lane) !== undefined) return [];
    // One of them has left, or takes nothing more.
    for (const session of own) session.reserve(undefined);
    const places = placeOnIdle(
      sessions.filter(({ reservedFor }) => reservedFor === undefined),
      lane,
    );
    if (places === undefined) {
      this.#waiting = lane;
      return [];
    }
    for (const { session, needs } of places) session.reserve(lane, needs);
    return places.map(({ session }) => session);
  }
}

function comesAfter(lane: Lane, waiting: Lane): boolean {
  if (lane.priority !== waiting.priority) return lane.priority < waiting.priority;
  return lane.starvedSince >= waiting.starvedSince;
}

/** The machine that is nearest to taking it, unless there is one already. */
function reserveNearest(sessions: readonly WorkerSession[], lane: Lane): WorkerSession[] {
  let best: WorkerSession | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const session of sessions) {
    if (session.reservedFor === lane) return [];
    if (session.reservedFor !== undefined || !session.couldFit(lane)) continue;
    const lacks = session.room.lacks(lane.needs);
    if (lacks > least || (lacks === least && session.freeCpus <= best!.freeCpus)) continue;
    best = session;
    least = lacks;
  }
  best?.reserve(lane);
  return best === undefined ? [] : [best];
}

/** Nothing is saved up for the lane any more; true when something was. */
export function releaseReserved(sessions: readonly WorkerSession[], lane: Lane): boolean {
  const saving = sessions.filter(({ reservedFor }) => reservedFor === lane);
  for (const session of saving) session.reserve(undefined);
  return saving.length > 0;
}

/** How many tasks of a lane a session takes. Of what it saves up, only higher bands get any. */
export function fitting(session: WorkerSession, lane: Lane): number {
  const { reservedFor } = session;
  if (mayHave(session, lane)) return session.fits(lane);
  return session.fitsBeside(lane, reservedFor!);
}

/** All that is free there, also what it saves up. */
export function mayHave({ reservedFor }: WorkerSession, lane: Lane): boolean {
  return reservedFor === undefined || reservedFor === lane || reservedFor.priority < lane.priority;
}
