import { IndexedHeap } from './indexed-heap.ts';
import type { Lane, LaneJob } from './lane.ts';

/** One owner's lanes in one priority band. */
class OwnerQueue {
  readonly owner: string;
  readonly lanes = new IndexedHeap<Lane>(laneBefore);
  /** Grows with every owner that is made: breaks ties. */
  readonly order: number;
  slots = 0;
  turn: number;
  heapAt = -1;

  constructor(owner: string, order: number, turn: number) {
    this.owner = owner;
    this.order = order;
    this.turn = turn;
  }
}

/** Turns are of jobs: one with two lanes gets no more than one with a single lane. */
function laneBefore(a: Lane, b: Lane): boolean {
  if (a.job.slots !== b.job.slots) return a.job.slots < b.job.slots;
  if (a.turn !== b.turn) return a.turn < b.turn;
  if (a.job !== b.job) return a.job.id < b.job.id;
  return a.number < b.number;
}

function ownerBefore(a: OwnerQueue, b: OwnerQueue): boolean {
  if (a.slots !== b.slots) return a.slots < b.slots;
  if (a.turn !== b.turn) return a.turn < b.turn;
  return a.order < b.order;
}

class Band {
  readonly priority: number;
  readonly owners = new Map<string, OwnerQueue>();
  readonly waiting = new IndexedHeap<OwnerQueue>(ownerBefore);

  constructor(priority: number) {
    this.priority = priority;
  }
}

/**
 * Lanes that want a slot, in the order in which they get one: strict priority bands; inside a band the owner with the fewest slots, then
 * the job with the fewest; then whoever waited longest for a turn; then age. Every operation is O(log lanes).
 */
export class ReadyQueue {
  /** Highest priority first. */
  #bands: Band[] = [];
  /** Grows with every slot that is given. Of a lane, 0 means that it never was in line. */
  #turn = 1;
  #owners = 0;
  /** Lanes that want slots and are too large for every machine of the last pass. */
  readonly #parked = new Set<Lane>();

  /** All lanes of the job: they share its throttle. */
  update(job: LaneJob): void {
    for (const lane of job.lanes) this.updateLane(lane);
  }

  /** Puts the lane where it belongs, or takes it out when it wants nothing. */
  updateLane(lane: Lane): void {
    const wants = lane.wanted > 0;
    if (!wants) {
      lane.starvedSince = 0;
      if (lane.parked) this.#unpark(lane);
    }
    if (lane.parked || lane.aside || wants === lane.heapAt >= 0) return;
    if (wants) this.#insert(lane);
    else this.#remove(lane);
  }

  /** Next in line. */
  peek(): Lane | undefined {
    for (const band of this.#bands) {
      const lane = band.waiting.peek()?.lanes.peek();
      if (lane !== undefined) return lane;
    }
    return undefined;
  }

  /** Whether another lane of the same band waits as well. */
  hasRival(lane: Lane): boolean {
    const { band, owner } = this.#placeOf(lane);
    return band.waiting.size > 1 || owner.lanes.size > 1;
  }

  /** Takes a lane out although it wants slots: it fits nowhere now. */
  setAside(lane: Lane): void {
    this.#take(lane);
    lane.aside = true;
  }

  /** A lane that was set aside is back where it belongs, its turn kept. */
  bringBack(lane: Lane): void {
    lane.aside = false;
    this.updateLane(lane);
  }

  /** Takes a lane out until `unparkAll`: no machine is large enough for it, and looking at it in every pass would cost all others time. */
  park(lane: Lane): void {
    this.#remove(lane);
    lane.starvedSince = 0;
    lane.parked = true;
    this.#parked.add(lane);
  }

  /** A machine came that may be large enough. */
  unparkAll(): void {
    for (const lane of this.#parked) {
      this.#unpark(lane);
      this.updateLane(lane);
    }
  }

  /** The lane's number of slots changes; its job's, its place and its owner's follow. What has an instance of its own takes no turn of others. */
  addSlots(lane: Lane, slots: number): void {
    if (lane.bound) return;
    const { band, owner } = this.#placeOf(lane);
    const { job } = lane;
    // Their keys change together: a heap can be mended after one change only.
    const siblings = job.lanes.length > 1 ? job.lanes.filter((other) => other !== lane && other.heapAt >= 0) : [];
    for (const sibling of siblings) this.#take(sibling);
    job.slots += slots;
    lane.slots += slots;
    owner.slots += slots;
    if (slots > 0) {
      this.#turn++;
      lane.turn = this.#turn;
      owner.turn = this.#turn;
    }
    if (lane.heapAt >= 0) owner.lanes.mend(lane);
    if (owner.heapAt >= 0) band.waiting.mend(owner);
    for (const sibling of siblings) this.#insert(sibling);
    this.#prune(band, owner);
  }

  /**
   * Whether `waiting` should get the next slot that `holder` frees, so that `holder` must not be given work ahead: a higher band, or
   * giving it one slot still leaves it with no more than the holder has.
   */
  isEntitled(waiting: Lane, holder: Lane): boolean {
    if (waiting === holder) return false;
    if (waiting.priority !== holder.priority) return waiting.priority > holder.priority;
    if (waiting.job === holder.job) return waiting.slots + 1 <= holder.slots;
    if (waiting.job.facts.owner === holder.job.facts.owner) return waiting.job.slots + 1 <= holder.job.slots;
    return this.#placeOf(waiting).owner.slots + 1 <= this.#placeOf(holder).owner.slots;
  }

  /** Changes the band of a lane. */
  setPriority(lane: Lane, priority: number): void {
    const { slots } = lane;
    if (lane.parked) this.#unpark(lane);
    if (lane.heapAt >= 0) this.#take(lane);
    this.addSlots(lane, -slots);
    lane.priority = priority;
    this.addSlots(lane, slots);
    this.updateLane(lane);
  }

  #unpark(lane: Lane): void {
    this.#parked.delete(lane);
    lane.parked = false;
  }

  #band(priority: number): Band {
    const at = this.#bands.findIndex((band) => band.priority <= priority);
    const found = this.#bands[at];
    if (found?.priority === priority) return found;
    const band = new Band(priority);
    this.#bands.splice(at < 0 ? this.#bands.length : at, 0, band);
    return band;
  }

  #placeOf(lane: Lane): { band: Band; owner: OwnerQueue } {
    const band = this.#band(lane.priority);
    const name = lane.job.facts.owner;
    let owner = band.owners.get(name);
    if (owner === undefined) {
      owner = new OwnerQueue(name, ++this.#owners, this.#turn);
      band.owners.set(name, owner);
    }
    return { band, owner };
  }

  #insert(lane: Lane): void {
    const { band, owner } = this.#placeOf(lane);
    // Who is new comes after who waits, or a stream of new jobs would keep an old one from ever having a turn.
    if (lane.turn === 0) lane.turn = this.#turn;
    owner.lanes.add(lane);
    if (owner.heapAt < 0) band.waiting.add(owner);
  }

  #take(lane: Lane): { band: Band; owner: OwnerQueue } {
    const { band, owner } = this.#placeOf(lane);
    owner.lanes.remove(lane);
    if (owner.lanes.size === 0) band.waiting.remove(owner);
    return { band, owner };
  }

  #remove(lane: Lane): void {
    const { band, owner } = this.#take(lane);
    this.#prune(band, owner);
  }

  #prune(band: Band, owner: OwnerQueue): void {
    if (owner.slots > 0 || owner.lanes.size > 0) return;
    band.owners.delete(owner.owner);
    if (band.owners.size === 0) this.#bands = this.#bands.filter((other) => other !== band);
  }
}
