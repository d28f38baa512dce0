import { type GrantRange, GrantStatus } from './grant-range.ts';
import type { Job } from './job.ts';

const SUM_MODULUS = 2 ** 48;

/** What one session has of one job: `slots` of the `open` grants hold resources, the rest was granted ahead and takes over as they end. */
export interface Share {
  job: Job;
  open: number;
  slots: number;
  /** Since when it has slots here, epoch ms: others wait a quantum before they take its turn. */
  since: number;
}

/** One connected spored, as the scheduler sees it. */
export class WorkerSession {
  readonly id: number;
  readonly worker: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  freeCpus: number;
  freeMemoryBytes: number;
  readonly shares = new Map<number, Share>();
  /** Ascending by fence; closed ones are dropped from time to time. */
  grants: GrantRange[] = [];
  /** On the lease clock (ms): everything it holds is lost then. */
  leaseUntil = 0;
  draining = false;
  connected = false;
  /** Starved job whose wide task this session saves its resources for. */
  reservedFor: Job | undefined;
  /** Open fences and their sum modulo 2^48: the digest the worker must agree with. */
  heldCount = 0;
  heldSum = 0;
  #closedRanges = 0;

  constructor(id: number, worker: string, cpus: number, memoryBytes: number) {
    this.id = id;
    this.worker = worker;
    this.cpus = cpus;
    this.memoryBytes = memoryBytes;
    this.freeCpus = cpus;
    this.freeMemoryBytes = memoryBytes;
  }

  /** How many tasks of a job the free resources take. */
  fits(job: Job): number {
    const { cpus, memoryBytes } = job.facts;
    // Fractions of a CPU add up with rounding errors; a millionth of one is none.
    const byCpus = Math.floor((this.freeCpus + 1e-6) / cpus);
    return memoryBytes === 0 ? byCpus : Math.min(byCpus, Math.floor(this.freeMemoryBytes / memoryBytes));
  }

  /** Whether an idle machine like this could run a task of the job at all. */
  couldFit(job: Job): boolean {
    return job.facts.cpus <= this.cpus + 1e-6 && job.facts.memoryBytes <= this.memoryBytes;
  }

  addGrant(range: GrantRange, job: Job, slots: number, now: number): void {
    this.grants.push(range);
    let share = this.shares.get(job.id);
    if (share === undefined) {
      share = { job, open: 0, slots: 0, since: now };
      this.shares.set(job.id, share);
    }
    share.open += range.open;
    share.slots += slots;
    this.freeCpus -= slots * job.facts.cpus;
    this.freeMemoryBytes -= slots * job.facts.memoryBytes;
    for (let at = 0; at < range.count; at++) if (range.status[at] !== GrantStatus.closed) this.#hold(range.fence + at);
  }

  /** Gives free resources to grants of a share that have none; tells how many. */
  promote(share: Share): number {
    const slots = Math.min(share.open - share.slots, Math.max(0, this.fits(share.job)));
    share.slots += slots;
    this.freeCpus -= slots * share.job.facts.cpus;
    this.freeMemoryBytes -= slots * share.job.facts.memoryBytes;
    return slots;
  }

  /** One or more fences of a job were closed; gives how many slots that frees. */
  closeGrants(job: Job, fence: number, count: number): number {
    this.heldCount -= count;
    const sum = count * fence + (count * (count - 1)) / 2;
    this.heldSum = (((this.heldSum - sum) % SUM_MODULUS) + SUM_MODULUS) % SUM_MODULUS;
    const share = this.shares.get(job.id)!;
    share.open -= count;
    const freed = share.slots - Math.min(share.slots, share.open);
    share.slots -= freed;
    this.freeCpus += freed * job.facts.cpus;
    this.freeMemoryBytes += freed * job.facts.memoryBytes;
    if (share.open === 0) this.shares.delete(job.id);
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

  #hold(fence: number): void {
    this.heldCount++;
    this.heldSum = (this.heldSum + fence) % SUM_MODULUS;
  }
}
