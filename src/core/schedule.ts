import type { Lane } from './lane.ts';
import { couldTake, isPlaced, type Place, placeNow } from './place.ts';
import type { ReadyQueue } from './ready-queue.ts';
import { fitting, mayHave, Reservations, releaseReserved } from './reservations.ts';
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
/** Lanes passed over in one pass because they fit nowhere now; bounds the work of a pass when very many wide tasks wait. */
const MAX_PASSED_OVER = 256;

/** What a pass decides; the caller changes its books accordingly before the call returns. */
export interface ScheduleActions {
  /** Grants the tasks start … start+count-1; `slots` of them take resources now. */
  grant(session: WorkerSession, lane: Lane, start: number, count: number, slots: number): void;
  /** Grants one task that is placed as a whole: all its places at once, of which the first one gets the grant. */
  place(places: readonly [Place, ...Place[]], lane: Lane, position: number): void;
  /** Asks unstarted work ahead of this lane back. */
  revokeAhead(session: WorkerSession, lane: Lane): void;
}

/** Decides who gets what; remembers which machines it has seen. */
export class Scheduler {
  readonly queue: ReadyQueue;
  readonly #policy: SchedulePolicy;
  readonly #actions: ScheduleActions;
  readonly #reservations = new Reservations();
  /** Sessions that were open in the last pass. */
  #known: ReadonlySet<WorkerSession> = new Set();
  /** Of lanes that fitted nowhere: the machines that are together large enough for them, as was found out once. */
  readonly #largeEnough = new WeakMap<Lane, ReadonlySet<WorkerSession>>();
  /** Lanes that the last pass passed over, if it came to no end: the next one goes on behind them. */
  #passedOver: Lane[] = [];

  constructor(queue: ReadyQueue, policy: SchedulePolicy, actions: ScheduleActions) {
    this.queue = queue;
    this.#policy = policy;
    this.#actions = actions;
  }

  /**
   * One pass: gives free slots to those next in line, then work ahead to the sessions in `topUp`. False when it came to no end, so
   * that another one is wanted soon.
   */
  pass(sessions: Iterable<WorkerSession>, topUp: Set<WorkerSession>, now: number): boolean {
    const open = [...sessions].filter((session) => session.connected && !session.draining);
    if (open.some((session) => !this.#known.has(session))) this.queue.unparkAll();
    if (open.length !== this.#known.size || open.some((session) => !this.#known.has(session))) {
      this.#known = new Set(open);
    }
    const done = this.#fillSlots(open, topUp, now);
    const next = this.queue.peek();
    for (const session of topUp) {
      if (session.draining || !session.connected) continue;
      for (const share of session.shares.values()) this.#topUpShare(session, share, next, now);
    }
    return done;
  }

  #fillSlots(sessions: readonly WorkerSession[], topUp: Set<WorkerSession>, now: number): boolean {
    const { queue } = this;
    // What a session saved up for was held, cancelled or granted elsewhere.
    for (const session of sessions) if (session.reservedFor?.starvedSince === 0) session.reserve(undefined);
    const free = sessions.filter(({ room }) => room.open);
    const aside = this.#passedOver;
    this.#passedOver = [];
    let passedOver = 0;
    for (let lane = queue.peek(); lane !== undefined && free.length > 0; lane = queue.peek()) {
      if (passedOver === MAX_PASSED_OVER) {
        this.#passedOver = aside;
        return false;
      }
      const taken = isPlaced(lane) ? this.#place(free, lane) : this.#grantRoomiest(free, lane);
      if (taken === undefined) {
        if (!this.#couldTake(sessions, lane)) {
          queue.park(lane);
          continue;
        }
        if (lane.starvedSince === 0) lane.starvedSince = now;
        else if (now - lane.starvedSince >= this.#policy.reserveAfterMs) this.#reserve(sessions, lane);
        queue.setAside(lane);
        aside.push(lane);
        passedOver++;
        continue;
      }
      if (lane.starvedSince !== 0) {
        lane.starvedSince = 0;
        // Whoever was passed over because a session was saved for this lane has another chance.
        if (releaseReserved(sessions, lane)) for (const other of aside.splice(0)) queue.bringBack(other);
      }
      queue.update(lane.job);
      for (const session of taken) {
        topUp.add(session);
        if (!session.room.open) free.splice(free.indexOf(session), 1);
      }
    }
    for (const lane of aside) queue.bringBack(lane);
    return true;
  }

  /** The same answer as long as the machines are the same: with many lanes that wait, every pass would ask for each of them. */
  #couldTake(sessions: readonly WorkerSession[], lane: Lane): boolean {
    if (this.#largeEnough.get(lane) === this.#known) return true;
    if (!couldTake(sessions, lane)) return false;
    this.#largeEnough.set(lane, this.#known);
    return true;
  }

  /** Gives the sessions that got something, undefined when none can take any. */
  #grantRoomiest(free: readonly WorkerSession[], lane: Lane): readonly WorkerSession[] | undefined {
    const session = roomiest(free, lane);
    if (session === undefined) return undefined;
    const fits = Math.min(fitting(session, lane), lane.wanted);
    this.#grantSlots(session, lane, this.queue.hasRival(lane) || free.length > 1 ? Math.min(fits, 1) : fits);
    return [session];
  }

  #place(free: readonly WorkerSession[], lane: Parameters<typeof placeNow>[1]): readonly WorkerSession[] | undefined {
    const [first, ...rest] = placeNow(free, lane, (session) => mayHave(session, lane)) ?? [];
    if (first === undefined) return undefined;
    this.#actions.place([first, ...rest], lane, lane.takeRun(1)![0]);
    return [first, ...rest].map(({ session }) => session);
  }

  #reserve(sessions: readonly WorkerSession[], lane: Lane): void {
    for (const session of this.#reservations.reserve(sessions, lane)) {
      for (const share of session.shares.values()) {
        if (share.open > share.slots) this.#actions.revokeAhead(session, share.lane);
      }
    }
  }

  #grantSlots(session: WorkerSession, lane: Lane, wanted: number): void {
    let left = wanted;
    while (left > 0) {
      const run = lane.takeRun(left)!;
      this.#actions.grant(session, lane, run[0], run[1], run[1]);
      left -= run[1];
    }
  }

  #topUpShare(session: WorkerSession, share: Share, next: Lane | undefined, now: number): void {
    const { queue } = this;
    const { aheadMs, aheadMax, quantumMs } = this.#policy;
    const { lane } = share;
    const ahead = share.open - share.slots;
    if (next !== undefined && next !== lane && session.couldFit(next)) {
      if (now - share.since >= quantumMs && queue.isEntitled(next, lane)) {
        if (ahead > 0) this.#actions.revokeAhead(session, lane);
        return;
      }
    }
    const { meanWallUs } = lane.job;
    // A grant ahead takes the place of whichever task ends first: which GPU that frees would not be known.
    if (session.reservedFor !== undefined || meanWallUs === 0 || lane.needs.gpuShares > 0) return;
    // The next one may be placed elsewhere.
    if (lane.shape !== undefined) return;
    const each = Math.min(aheadMax, Math.floor((aheadMs * 1000) / Math.max(MIN_WALL_US, meanWallUs)));
    const target = each * share.slots;
    if (ahead * 2 > target) return;
    let left = Math.min(target - ahead, lane.wanted);
    while (left > 0) {
      const run = lane.takeRun(left)!;
      this.#actions.grant(session, lane, run[0], run[1], 0);
      left -= run[1];
    }
    queue.update(lane.job);
  }
}

/** The session with most CPUs free that takes the lane: the load spreads. */
function roomiest(sessions: readonly WorkerSession[], lane: Lane): WorkerSession | undefined {
  let best: WorkerSession | undefined;
  for (const session of sessions) {
    if (fitting(session, lane) < 1) continue;
    if (best === undefined || session.freeCpus > best.freeCpus) best = session;
  }
  return best;
}
