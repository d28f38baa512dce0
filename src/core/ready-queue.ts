import { IndexedHeap } from './indexed-heap.ts';
import type { Job } from './job.ts';

/** One owner's jobs in one priority band. */
class OwnerQueue {
  readonly owner: string;
  readonly jobs = new IndexedHeap<Job>(jobBefore);
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

function jobBefore(a: Job, b: Job): boolean {
  if (a.slots !== b.slots) return a.slots < b.slots;
  if (a.turn !== b.turn) return a.turn < b.turn;
  return a.id < b.id;
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
 * Jobs that want a slot, in the order in which they get one: strict priority bands; inside a band the owner with the fewest slots, then
 * the job with the fewest; then whoever waited longest for a turn; then age. Every operation is O(log jobs).
 */
export class ReadyQueue {
  /** Highest priority first. */
  #bands: Band[] = [];
  #turn = 0;
  #owners = 0;

  /** Puts the job where it belongs, or takes it out when it wants nothing. */
  update(job: Job): void {
    const wants = job.wanted > 0;
    if (wants === job.heapAt >= 0) return;
    if (wants) {
      this.#insert(job);
      return;
    }
    job.starvedSince = 0;
    const { band, owner } = this.#take(job);
    this.#prune(band, owner);
  }

  /** Next in line. */
  peek(): Job | undefined {
    for (const band of this.#bands) {
      const job = band.waiting.peek()?.jobs.peek();
      if (job !== undefined) return job;
    }
    return undefined;
  }

  /** Whether another job of the same band waits as well. */
  hasRival(job: Job): boolean {
    const { band, owner } = this.#placeOf(job);
    return band.waiting.size > 1 || owner.jobs.size > 1;
  }

  /** Takes a job out although it wants slots (it fits nowhere now); `update` brings it back, its turn kept. */
  setAside(job: Job): void {
    this.#take(job);
  }

  /** The job's number of slots changes; its place and its owner's follow. */
  addSlots(job: Job, slots: number): void {
    const { band, owner } = this.#placeOf(job);
    job.slots += slots;
    owner.slots += slots;
    if (slots > 0) {
      this.#turn++;
      job.turn = this.#turn;
      owner.turn = this.#turn;
    }
    if (job.heapAt >= 0) owner.jobs.mend(job);
    if (owner.heapAt >= 0) band.waiting.mend(owner);
    this.#prune(band, owner);
  }

  /**
   * Whether `waiting` should get the next slot that `holder` frees, so that `holder` must not be given work ahead: a higher band, or
   * giving it one slot still leaves it with no more than the holder has.
   */
  isEntitled(waiting: Job, holder: Job): boolean {
    if (waiting === holder) return false;
    if (waiting.priority !== holder.priority) return waiting.priority > holder.priority;
    if (waiting.facts.owner === holder.facts.owner) return waiting.slots + 1 <= holder.slots;
    return this.#placeOf(waiting).owner.slots + 1 <= this.#placeOf(holder).owner.slots;
  }

  /** Changes the band of a job. */
  setPriority(job: Job, priority: number): void {
    const { slots } = job;
    if (job.heapAt >= 0) this.setAside(job);
    this.addSlots(job, -slots);
    job.priority = priority;
    this.addSlots(job, slots);
    this.update(job);
  }

  #band(priority: number): Band {
    const at = this.#bands.findIndex((band) => band.priority <= priority);
    const found = this.#bands[at];
    if (found?.priority === priority) return found;
    const band = new Band(priority);
    this.#bands.splice(at < 0 ? this.#bands.length : at, 0, band);
    return band;
  }

  #placeOf(job: Job): { band: Band; owner: OwnerQueue } {
    const band = this.#band(job.priority);
    const name = job.facts.owner;
    let owner = band.owners.get(name);
    if (owner === undefined) {
      owner = new OwnerQueue(name, ++this.#owners, this.#turn);
      band.owners.set(name, owner);
    }
    return { band, owner };
  }

  #insert(job: Job): void {
    const { band, owner } = this.#placeOf(job);
    // Who is new comes after who waits, or a stream of new jobs would keep an old one from ever having a turn.
    if (job.turn === 0) job.turn = this.#turn;
    owner.jobs.add(job);
    if (owner.heapAt < 0) band.waiting.add(owner);
  }

  #take(job: Job): { band: Band; owner: OwnerQueue } {
    const { band, owner } = this.#placeOf(job);
    owner.jobs.remove(job);
    if (owner.jobs.size === 0) band.waiting.remove(owner);
    return { band, owner };
  }

  #prune(band: Band, owner: OwnerQueue): void {
    if (owner.slots > 0 || owner.jobs.size > 0) return;
    band.owners.delete(owner.owner);
    if (band.owners.size === 0) this.#bands = this.#bands.filter((other) => other !== band);
  }
}
