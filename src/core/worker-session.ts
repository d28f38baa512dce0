import { WHOLE_DEVICE } from './gpu-shares.ts';
import { type GrantRange, GrantStatus } from './grant-range.ts';
import type { Lane } from './lane.ts';
import { type Needs, type Offer, Room } from './resources.ts';

const SUM_MODULUS = 2 ** 48;

/** What one session has of one lane: `slots` of the `open` grants hold resources, the rest was granted ahead and takes over as they end. */
export interface Share {
  lane: Lane;
  open: number;
  slots: number;
  /** Since when it has slots here, epoch ms: others wait a quantum before they take its turn. */
  since: number;
}

/** What a session has of an attempt that was placed as a whole. */
interface PlaceHeld {
  readonly needs: Needs;
  readonly devices: readonly number[];
  /** Session that has the grant; it may be this one. */
  readonly leader: number;
}

/** One connected spored, as the scheduler sees it. */
export class WorkerSession {
  readonly id: number;
  readonly worker: string;
  /** Version of the API that it speaks. */
  readonly api: number;
  /** What is free of what it offers. */
  readonly room: Room;
  /** The same when nothing runs. */
  readonly idle: Room;
  /** Its name, cut where numbers begin and end; every second part is one. */
  readonly nameParts: readonly string[];
  readonly shares = new Map<Lane, Share>();
  /** Ascending by fence; closed ones are dropped from time to time. */
  grants: GrantRange[] = [];
  /** On the lease clock (ms): everything it holds is lost then. */
  leaseUntil = 0;
  draining = false;
  connected = false;
  /** It serves the one task of its instance, and is no part of the pool. */
  bound = false;
  /** Starved lane whose wide task this session saves its resources for. */
  reservedFor: Lane | undefined;
  /** How much of them; undefined: what the lane needs. */
  savedNeeds: Needs | undefined;
  /** By fence, parts of attempts that were placed as a whole: with their grant, or without it. */
  readonly places = new Map<number, PlaceHeld>();
  /** Open fences and their sum modulo 2^48: the digest the worker must agree with. */
  heldCount = 0;
  heldSum = 0;
  /** Which GPUs each grant has that needs any. */
  readonly #devices = new Map<number, number[]>();
  #closedRanges = 0;

  constructor(id: number, worker: string, offer: Offer, api: number) {
    this.id = id;
    this.worker = worker;
    this.api = api;
    this.room = new Room(offer);
    this.idle = new Room(offer);
    this.nameParts = worker.split(/(\d+)/);
  }

  /** It has nothing at all. */
  get isIdle(): boolean {
    return this.heldCount === 0 && this.places.size === 0;
  }

  get freeCpus(): number {
    return this.room.cpus;
  }

  /** How many tasks of a lane the free resources take; of one whose tasks are placed as a whole, whether they take the least part of one. */
  fits(lane: Lane): number {
    return lane.minApi > this.api ? 0 : this.room.fits(lane.needs);
  }

  /** How many it takes of a lane without touching what it saves up for another. */
  fitsBeside(lane: Lane, saved: Lane): number {
    return lane.minApi > this.api ? 0 : this.room.fitsBeside(lane.needs, this.savedNeeds ?? saved.needs);
  }

  /** Whether an idle machine like this could run a task of the lane at all. */
  couldFit(lane: Lane): boolean {
    return lane.minApi <= this.api && this.room.isLargeEnough(lane.needs);
  }

  /** It saves its resources for a lane: so much of them, or what the lane needs. */
  reserve(lane: Lane | undefined, needs?: Needs): void {
    this.reservedFor = lane;
    this.savedNeeds = needs;
  }

  /** Takes what an attempt has here that was placed as a whole; the session with the grant has it besides. */
  addPlace(fence: number, needs: Needs, leader: number): void {
    this.room.take(needs, 1);
    const devices = needs.gpuShares > 0 ? this.room.gpus.take(needs.gpuShares) : [];
    this.places.set(fence, { needs, devices, leader });
  }

  /** That attempt is over. */
  removePlace(fence: number): void {
    const { needs, devices } = this.places.get(fence)!;
    this.room.take(needs, -1);
    this.room.gpus.give(devices, needs.gpuShares);
    this.places.delete(fence);
  }

  /** Of a lane that needs GPUs each grant has its devices from the start, whether it has a slot or not: so it is known which they are. */
  addGrant(range: GrantRange, lane: Lane, slots: number, now: number): void {
    this.grants.push(range);
    let share = this.shares.get(lane);
    if (share === undefined) {
      share = { lane, open: 0, slots: 0, since: now };
      this.shares.set(lane, share);
    }
    share.open += range.open;
    share.slots += slots;
    if (lane.shape === undefined) this.#takeShare(range, lane, slots);
    for (let at = 0; at < range.count; at++) if (range.status[at] !== GrantStatus.closed) this.#hold(range.fence + at);
  }

  #takeShare(range: GrantRange, lane: Lane, slots: number): void {
    this.room.take(lane.needs, slots);
    if (lane.needs.gpuShares > 0) this.#takeDevices(range, lane.needs.gpuShares);
  }

  /** Gives free resources to grants of a share that have none; tells how many. */
  promote(share: Share): number {
    const { needs, shape } = share.lane;
    // What is placed as a whole has its place besides.
    const all = this.bound || shape !== undefined;
    const most = all ? share.open : Math.max(0, this.room.fitsBesideDevices(needs));
    const slots = Math.min(share.open - share.slots, most);
    share.slots += slots;
    if (shape === undefined) this.room.take(needs, slots);
    return slots;
  }

  /** One or more fences of a lane were closed; gives how many slots that frees. */
  closeGrants(lane: Lane, fence: number, count: number): number {
    this.heldCount -= count;
    const sum = count * fence + (count * (count - 1)) / 2;
    this.heldSum = (((this.heldSum - sum) % SUM_MODULUS) + SUM_MODULUS) % SUM_MODULUS;
    const share = this.shares.get(lane)!;
    share.open -= count;
    const freed = share.slots - Math.min(share.slots, share.open);
    share.slots -= freed;
    if (share.open === 0) this.shares.delete(lane);
    if (lane.shape !== undefined) return freed;
    this.room.take(lane.needs, -freed);
    if (lane.needs.gpuShares > 0) this.#giveDevices(fence, count, lane.needs.gpuShares);
    return freed;
  }

  /** The range that holds a fence, closed ones included as long as they are remembered. */
  find(fence: number): GrantRange | undefined {
    let low = 0;
    let high = this.grants.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const range = this.grants[middle]!;
      if (fence < range.fence) high = middle - 1;
      else if (fence >= range.fence + range.count) low = middle + 1;
      else return range;
    }
    return undefined;
  }

  /** To be called when a range has no open fence left. */
  rangeClosed(): void {
    this.#closedRanges++;
    if (this.#closedRanges > 32 && this.#closedRanges * 2 > this.grants.length) {
      this.grants = this.grants.filter((range) => range.open > 0);
      this.#closedRanges = 0;
    }
  }

  /** A share of a device stays where it was when the range was stored: other shares there would not find their place elsewhere. */
  #takeDevices(range: GrantRange, shares: number): void {
    const { gpus } = this.room;
    const stored = range.devices;
    if (shares < WHOLE_DEVICE) range.devices ??= new Uint16Array(range.count);
    for (let at = 0; at < range.count; at++) {
      if (range.status[at] === GrantStatus.closed) continue;
      const devices = stored === undefined ? gpus.take(shares) : gpus.put([stored[at]!], shares);
      if (range.devices !== undefined) range.devices[at] = devices[0]!;
      this.#devices.set(range.fence + at, devices);
    }
  }

  #giveDevices(fence: number, count: number, shares: number): void {
    for (let at = fence; at < fence + count; at++) {
      this.room.gpus.give(this.#devices.get(at)!, shares);
      this.#devices.delete(at);
    }
  }

  #hold(fence: number): void {
    this.heldCount++;
    this.heldSum = (this.heldSum + fence) % SUM_MODULUS;
  }
}
