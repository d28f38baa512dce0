import { GpuShares, WHOLE_DEVICE } from './gpu-shares.ts';

/** Fractions of a CPU add up with rounding errors; a millionth of one is none. */
const ROUNDING = 1e-6;
/** As many as a gang may ask for: of what needs hardly any CPU there would be no end of them. */
const MOST_RANKS = 1_000_000;
/** GPUs and named amounts are counted in ten-thousandths, as integers: fractions of them add up exactly. */
const PARTS = WHOLE_DEVICE;

/** What a task asks for, or a lane, in the units of JobSpec. */
export interface Amounts {
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Devices: a whole number, or a fraction of one. */
  readonly gpus: number;
  readonly resources: Readonly<Record<string, number>>;
}

/** The same as it is counted. */
export interface Needs {
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Ten-thousandths of a device. */
  readonly gpuShares: number;
  /** Ten-thousandths by name; none is 0. */
  readonly named: ReadonlyMap<string, number>;
}

/** What a machine offers. */
export interface Offer {
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Whole devices; absent: none. */
  readonly gpus?: number | undefined;
  readonly named?: Readonly<Record<string, number>> | undefined;
  /** Most tasks at once; absent: as the rest allows. */
  readonly slots?: number | undefined;
}

export function needsOf({ cpus, memoryBytes, gpus, resources }: Amounts): Needs {
  return { cpus, memoryBytes, gpuShares: toParts(gpus), named: partsOf(resources) };
}

/** Of one node with so many ranks: what a node needs and, besides, what each rank does. */
export function needsOfRanks(node: Needs, rank: Needs, ranks: number): Needs {
  return {
    cpus: node.cpus + ranks * rank.cpus,
    memoryBytes: node.memoryBytes + ranks * rank.memoryBytes,
    gpuShares: node.gpuShares + ranks * rank.gpuShares,
    named: node.named,
  };
}

function toParts(amount: number): number {
  return Math.round(amount * PARTS);
}

function partsOf(named: Readonly<Record<string, number>>): Map<string, number> {
  return new Map(
    Object.entries(named)
      .map(([name, amount]) => [name, toParts(amount)] as const)
      .filter(([, parts]) => parts > 0),
  );
}

/** What is free on one machine. */
export class Room {
  readonly offer: Offer;
  cpus: number;
  memoryBytes: number;
  slots: number;
  readonly gpus: GpuShares;
  readonly #named: Map<string, number>;
  readonly #offered: ReadonlyMap<string, number>;

  constructor(offer: Offer) {
    this.offer = offer;
    this.cpus = offer.cpus;
    this.memoryBytes = offer.memoryBytes;
    this.slots = offer.slots ?? Number.POSITIVE_INFINITY;
    this.gpus = new GpuShares(offer.gpus ?? 0);
    this.#offered = partsOf(offer.named ?? {});
    this.#named = new Map(this.#offered);
  }

  /** Whether the smallest of tasks may find its place. */
  get open(): boolean {
    return this.cpus > ROUNDING && this.slots > 0;
  }

  /** Free named amounts, as they were offered. */
  get named(): Record<string, number> {
    return Object.fromEntries([...this.#named].map(([name, parts]) => [name, parts / PARTS]));
  }

  /** How many tasks with these needs it takes; below 1 when it takes none. */
  fits(needs: Needs): number {
    const most = this.fitsBesideDevices(needs);
    return needs.gpuShares > 0 ? Math.min(most, this.gpus.fits(needs.gpuShares)) : most;
  }

  /** The same of tasks that have their devices already. */
  fitsBesideDevices(needs: Needs): number {
    let most = Math.min(this.slots, Math.floor((this.cpus + ROUNDING) / needs.cpus));
    if (needs.memoryBytes > 0) most = Math.min(most, Math.floor(this.memoryBytes / needs.memoryBytes));
    if (needs.named.size === 0) return most;
    for (const [name, parts] of needs.named) most = Math.min(most, Math.floor((this.#named.get(name) ?? 0) / parts));
    return most;
  }

  /** How many it takes while all that is saved up for a task with the needs `saved` stays. */
  fitsBeside(needs: Needs, saved: Needs): number {
    let most = Math.min(this.slots - 1, Math.floor((this.cpus - saved.cpus + ROUNDING) / needs.cpus));
    if (needs.memoryBytes > 0) {
      most = Math.min(most, Math.floor((this.memoryBytes - saved.memoryBytes) / needs.memoryBytes));
    }
    // Which devices are left would matter: nothing that needs any starts before it.
    if (needs.gpuShares > 0) most = saved.gpuShares > 0 ? 0 : Math.min(most, this.gpus.fits(needs.gpuShares));
    for (const [name, parts] of needs.named) {
      const left = (this.#named.get(name) ?? 0) - (saved.named.get(name) ?? 0);
      most = Math.min(most, Math.floor(left / parts));
    }
    return most;
  }

  /** How many ranks, at most MOST_RANKS, find their place beside what their node needs, which names no CPUs; each rank needs some, and nothing by name. */
  fitsRanks(node: Needs, rank: Needs): number {
    const memoryBytes = this.memoryBytes - node.memoryBytes;
    const gpuShares = this.gpus.idle * WHOLE_DEVICE - node.gpuShares;
    if (this.slots < 1 || memoryBytes < 0 || (node.gpuShares > 0 && gpuShares < 0)) return 0;
    for (const [name, parts] of node.named) if (parts > (this.#named.get(name) ?? 0)) return 0;
    let most = Math.min(MOST_RANKS, Math.floor((this.cpus + ROUNDING) / rank.cpus));
    if (rank.memoryBytes > 0) most = Math.min(most, Math.floor(memoryBytes / rank.memoryBytes));
    if (rank.gpuShares > 0) most = Math.min(most, Math.floor(gpuShares / rank.gpuShares));
    return Math.max(0, most);
  }

  /** All that is offered. */
  get whole(): Needs {
    const { cpus, memoryBytes } = this.offer;
    return { cpus, memoryBytes, gpuShares: this.gpus.devices * WHOLE_DEVICE, named: this.#offered };
  }

  /** Whether it could take one when it is idle. */
  isLargeEnough(needs: Needs): boolean {
    if (needs.cpus > this.offer.cpus + ROUNDING || needs.memoryBytes > this.offer.memoryBytes) return false;
    if (needs.gpuShares > this.gpus.devices * WHOLE_DEVICE) return false;
    for (const [name, parts] of needs.named) if (parts > (this.#offered.get(name) ?? 0)) return false;
    return true;
  }

  /** Of what it has too little free for one task now. */
  busy(needs: Needs): string[] {
    const busy: string[] = [];
    if (this.slots < 1) busy.push('slots');
    if (needs.cpus > this.cpus + ROUNDING) busy.push('cpus');
    if (needs.memoryBytes > this.memoryBytes) busy.push('memory');
    if (needs.gpuShares > 0 && this.gpus.fits(needs.gpuShares) < 1) busy.push('gpus');
    for (const [name, parts] of needs.named) if (parts > (this.#named.get(name) ?? 0)) busy.push(name);
    return busy;
  }

  /** How far it is from taking one task: the largest part of any of its needs that is not free, 0 to 1. */
  lacks(needs: Needs): number {
    let most = this.slots > 0 ? 0 : 1;
    const lack = (need: number, free: number) => {
      if (need > 0) most = Math.max(most, (need - free) / need);
    };
    lack(needs.cpus, this.cpus);
    lack(needs.memoryBytes, this.memoryBytes);
    if (needs.gpuShares >= WHOLE_DEVICE) lack(needs.gpuShares, this.gpus.idle * WHOLE_DEVICE);
    else if (needs.gpuShares > 0 && this.gpus.fits(needs.gpuShares) === 0) most = 1;
    for (const [name, parts] of needs.named) lack(parts, this.#named.get(name) ?? 0);
    return most;
  }

  /** Takes what `count` tasks need, their devices aside; a negative number gives it back. */
  take(needs: Needs, count: number): void {
    this.cpus -= count * needs.cpus;
    this.memoryBytes -= count * needs.memoryBytes;
    this.slots -= count;
    for (const [name, parts] of needs.named) this.#named.set(name, this.#named.get(name)! - count * parts);
  }
}
