import { WHOLE_DEVICE } from './gpu-shares.ts';
import { type GrantRange, GrantStatus } from './grant-range.ts';
import type { Lane } from './lane.ts';
import { type Offer, Room } from './resources.ts';

const SUM_MODULUS = 2 ** 48;

/** What one session has of one lane: `slots` of the `open` grants hold resources, the rest was granted ahead and takes over as they end. */
export interface Share {
  lane: Lane;
  open: number;
  slots: number;
  /** Since when it has slots here, epoch ms: others wait a quantum before they take its turn. */
  since: number;
}

/** One connected spored, as the scheduler sees it. */
export class WorkerSession {
  readonly id: number;
  readonly worker: string;
  /** Version of the API that it speaks. */
  readonly api: number;
  /** What is free of what it offers. */
  readonly room: Room;
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
  }

  get freeCpus(): number {
    return this.room.cpus;
  }

  /** How many tasks of a lane the free resources take. */
  fits(lane: Lane): number {
    return lane.minApi > this.api ? 0 : this.room.fits(lane.needs);
  }

  /** How many it takes of a lane without touching what it saves up for another. */
  fitsBeside(lane: Lane, saved: Lane): number {
    return lane.minApi > this.api ? 0 : this.room.fitsBeside(lane.needs, saved.needs);
  }

  /** Whether an idle machine like this could run a task of the lane at all. */
  couldFit(lane: Lane): boolean {
    return lane.minApi <= this.api && this.room.isLargeEnough(lane.needs);
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
    this.room.take(lane.needs, slots);
    if (lane.needs.gpuShares > 0) this.#takeDevices(range, lane.needs.gpuShares);
    for (let at = 0; at < range.count; at++) if (range.status[at] !== GrantStatus.closed) this.#hold(range.fence + at);
  }

  /** Gives free resources to grants of a share that have none; tells how many. */
  promote(share: Share): number {
    const most = this.bound ? share.open : Math.max(0, this.room.fitsBesideDevices(share.lane.needs));
    const slots = Math.min(share.open - share.slots, most);
    share.slots += slots;
    this.room.take(share.lane.needs, slots);
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
    this.room.take(lane.needs, -freed);
    if (lane.needs.gpuShares > 0) this.#giveDevices(fence, count, lane.needs.gpuShares);
    if (share.open === 0) this.shares.delete(lane);
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
