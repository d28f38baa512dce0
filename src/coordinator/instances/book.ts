import type { LaunchPlan } from '../../core/instance-plan.ts';
import type { StoredBudget, StoredInstance, StoredJobFixed } from '../../store/store.ts';
import type { Changes } from '../changes.ts';
import type { Clock } from '../clock.ts';
import { type Budget, unpackBudget } from './budget-row.ts';
import { InstanceArray, planOf } from './instance-array.ts';
import { DEFAULT_RETENTION_MS, type InstancePorts, type PublishedNames, placeOf } from './ports.ts';
import { type InstanceRow, isOver, packRow, unpackRow } from './row.ts';

/** What of the coordinator the instances need, besides memory. */
export interface BookSetup {
  readonly ports: InstancePorts | undefined;
  readonly storeId: string;
  /** Versions of this life are larger than those of every earlier one. */
  readonly epoch: number;
  readonly randomHex: (digits: number) => string;
}

/** All instances in memory: those that live, and those that are still listed. Rebuilt with Memory. */
export class InstanceBook {
  readonly arrays = new Map<number, InstanceArray>();
  /** Those of which something lives. */
  readonly liveArrays = new Set<InstanceArray>();
  readonly rows = new Map<string, InstanceRow>();
  /** Live instances by owner and name. */
  readonly #names = new Map<string, InstanceRow>();
  /** All that are listed, by name. */
  readonly #named = new Map<string, InstanceRow[]>();
  /** Addresses of live instances, with how many have each. */
  readonly #addresses = new Map<string, number>();
  /** By zone: no lower slot is free. */
  readonly #lowest = new Map<string, number>();
  /** By `tenant/owner`. */
  readonly budgets = new Map<string, Budget>();
  /** Jobs whose members are to be looked at. */
  readonly dirty = new Set<number>();
  /** To be launched once they are durable. */
  readonly toLaunch = new Set<InstanceRow>();
  /** Nobody answers for them, or they are not yet what they shall be. */
  readonly attention = new Set<InstanceRow>();
  /** They have ended: whatever is left of their machines is to be removed once that is durable. */
  readonly toRemove = new Set<string>();
  /** Who waits for reports. */
  readonly waiting = new Set<() => void>();
  setup: BookSetup | undefined;
  readonly #stored = new Map<string, StoredInstance>();
  /** What the name server is to be told once it is durable, by instance: undefined = it has no name any more. */
  readonly toPublish = new Map<string, PublishedNames | undefined>();
  /** Directives to be looked at. */
  readonly stale = new Set<InstanceRow>();
  readonly #timers = new Map<number, () => void>();
  /** Asks for a commit, before which what is dirty is looked at. */
  poke: () => void = () => {};
  #version = 0;

  /** Called once, before anything else. */
  open(setup: BookSetup): void {
    this.setup = setup;
    this.#version = setup.epoch * 2 ** 32;
  }

  get ports(): InstancePorts | undefined {
    return this.setup?.ports;
  }

  get retentionMs(): number {
    return this.ports?.retentionMs ?? DEFAULT_RETENTION_MS;
  }

  /** Of a directive or a peers document: larger than every one before, in earlier lives too. */
  nextVersion(): number {
    return ++this.#version;
  }

  /** The array of a job; made when it has none. */
  arrayOf(fixed: StoredJobFixed): InstanceArray {
    let array = this.arrays.get(fixed.id);
    if (array === undefined) {
      array = new InstanceArray(fixed, (now) => this.planOnly(now));
      this.arrays.set(fixed.id, array);
    }
    return array;
  }

  /** A row of the store; it takes effect with `load`. */
  restore(stored: StoredInstance): void {
    this.#stored.set(stored.id, stored);
  }

  /** All rows that were restored, of jobs that are known; called once, after `open`. */
  load(fixedOf: (jobId: number) => StoredJobFixed | undefined): void {
    for (const stored of this.#stored.values()) {
      const fixed = fixedOf(stored.jobId);
      if (fixed?.spec.instances !== undefined) this.add(unpackRow(stored), fixed);
    }
    this.#stored.clear();
  }

  /** Jobs of rows that wait for `load`. */
  get restoredJobs(): ReadonlySet<number> {
    return new Set([...this.#stored.values()].map(({ jobId }) => jobId));
  }

  restoreBudget(row: StoredBudget): void {
    if (row.amount < 0) this.budgets.delete(ownerKey(row));
    else this.budgets.set(ownerKey(row), unpackBudget(row));
  }

  add(row: InstanceRow, fixed: StoredJobFixed): void {
    this.rows.set(row.id, row);
    const named = this.#named.get(row.name);
    if (named === undefined) this.#named.set(row.name, [row]);
    else named.push(row);
    const array = this.arrayOf(fixed);
    array.add(row);
    if (isOver(row)) return;
    this.liveArrays.add(array);
    this.dirty.add(row.jobId);
    this.#names.set(nameKey(row, row.name), row);
    if (row.address !== '') this.#addresses.set(row.address, (this.#addresses.get(row.address) ?? 0) + 1);
    this.attention.add(row);
    this.stale.add(row);
  }

  /** It has a name in DNS while it runs: the name server is told with the next commit. */
  publish(row: InstanceRow): void {
    const { plan, fixed } = this.arrays.get(row.jobId)!;
    const { dns } = plan.member(row.position);
    const { generation, address } = row;
    const names = { arrayId: fixed.arrayId, generation, dns, groupDns: plan.groupDns, address };
    this.toPublish.set(row.id, row.state === 'running' && address !== '' ? names : undefined);
  }

  /**
   * The member that a name or an id of an instance means: of those of one name the one that lives, else the newest.
   * @param owner only of this one's
   */
  resolve(text: string, owner?: Owner): { jobId: number; position: number } | undefined {
    const byId = owner === undefined ? this.rows.get(text) : undefined;
    const key = owner === undefined ? undefined : ownerKey(owner);
    const found = byId ?? this.#byName(text, key);
    return found === undefined ? this.#planned(text, key) : { jobId: found.jobId, position: found.position };
  }

  /** A member that has no machine yet, and will have that name. */
  #planned(name: string, owner: string | undefined): { jobId: number; position: number } | undefined {
    const indices = [...name.matchAll(/\d{1,15}/g)].map(([digits]) => Number(digits));
    for (const array of indices.length === 0 ? [] : this.arrays.values()) {
      if (array.members.size >= array.size || (owner !== undefined && array.account !== owner)) continue;
      const position = array.positionNamed(name, indices);
      if (position !== undefined) return { jobId: array.id, position };
    }
    return undefined;
  }

  #byName(name: string, owner: string | undefined): InstanceRow | undefined {
    let best: InstanceRow | undefined;
    for (const row of this.#named.get(name) ?? []) {
      if (owner !== undefined && ownerKey(row) !== owner) continue;
      if (best === undefined || (isOver(best) && (!isOver(row) || row.createdAt >= best.createdAt))) best = row;
    }
    return best;
  }

  #unname(row: InstanceRow): void {
    const left = this.#named.get(row.name)?.filter((other) => other !== row) ?? [];
    if (left.length === 0) this.#named.delete(row.name);
    else this.#named.set(row.name, left);
  }

  /** What its machine says of why a task does not run; undefined: it has none yet, or the task can run there. */
  explain(jobId: number, position: number): string | undefined {
    const row = this.arrays.get(jobId)?.newest(position);
    if (row === undefined) return undefined;
    const what = `its instance ${row.name} (${row.id})`;
    if (row.state === 'running') return undefined;
    if (row.state === 'pending' && row.live.launch === 'no' && row.costShare !== undefined)
      return `${what} waits until others have given up some of their share of the ${row.shareOf === 'budget' ? 'budget' : 'cost limit'}`;
    const why = row.reason === undefined ? '' : `: ${row.reason}`;
    const words = row.message === undefined ? '' : `, ${row.message}`;
    return `${what} is ${row.state}${row.state === 'pending' ? '' : `${why}${words}`}`;
  }

  /** It has ended: its name and its address are free. It stays listed. */
  ended(row: InstanceRow): void {
    const array = this.arrays.get(row.jobId)!;
    array.ended(row);
    if (array.live.size === 0) this.liveArrays.delete(array);
    if (this.#names.get(nameKey(row, row.name)) === row) this.#names.delete(nameKey(row, row.name));
    const users = (this.#addresses.get(row.address) ?? 1) - 1;
    if (users > 0) this.#addresses.set(row.address, users);
    else this.#addresses.delete(row.address);
    this.#lowest.clear();
    this.toLaunch.delete(row);
    this.attention.delete(row);
    this.stale.delete(row);
    this.toRemove.add(row.id);
    this.dirty.add(row.jobId);
  }

  /** Its job is removed for ever, and the rows of its instances with it. */
  forgetJob(jobId: number): void {
    for (const row of [...(this.arrays.get(jobId)?.rows() ?? [])]) {
      this.rows.delete(row.id);
      this.#unname(row);
    }
    this.arrays.delete(jobId);
  }

  /** Listed no more. */
  forget(row: InstanceRow): void {
    this.rows.delete(row.id);
    this.#unname(row);
    const array = this.arrays.get(row.jobId);
    array?.remove(row);
    if (array?.members.size === 0 && array.live.size === 0) this.arrays.delete(row.jobId);
  }

  /** How an array would be launched now. */
  planOnly(fixed: StoredJobFixed): LaunchPlan {
    const { ports, storeId } = this.setup!;
    return planOf(fixed, placeOf(ports, storeId, ownerKey(fixed), fixed.spec.instances!.region));
  }

  /** Whether the owner has live instances at all. */
  hasNames(of: Owner): boolean {
    const account = ownerKey(of);
    for (const array of this.liveArrays) if (array.account === account) return true;
    return false;
  }

  /** The live instance of that owner and name. */
  named(of: Owner, name: string): InstanceRow | undefined {
    return this.#names.get(nameKey(of, name));
  }

  /** Whether instances of the job live: then it stays in memory. */
  isLive(jobId: number): boolean {
    return (this.arrays.get(jobId)?.live.size ?? 0) > 0;
  }

  /** The lowest free address of a zone; undefined when the provider tells it only later, or has none left. */
  freeAddress(region: string, zone: string): string | undefined {
    const { provider } = this.ports!;
    const key = `${region}/${zone}`;
    for (let slot = this.#lowest.get(key) ?? 0; ; slot++) {
      const address = provider.addressOf(region, zone, slot);
      if (address !== undefined && this.#addresses.has(address)) continue;
      if (address !== undefined) this.#lowest.set(key, slot + 1);
      return address;
    }
  }

  /** The array is looked at again in so many ms. */
  wakeIn(clock: Clock, jobId: number, ms: number): void {
    if (this.#timers.has(jobId)) return;
    const cancel = clock.timer(Math.max(1, Math.ceil(ms)), () => {
      this.#timers.delete(jobId);
      const array = this.arrays.get(jobId);
      if (array !== undefined) array.peersStale = true;
      this.dirty.add(jobId);
      this.poke();
    });
    this.#timers.set(jobId, cancel);
  }

  /** Memory is built anew, or the coordinator stops. */
  close(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  /** Live instances of arrays and owners that may cost only so much. */
  *capped(): Generator<InstanceRow> {
    for (const array of this.liveArrays) {
      if (array.part.costLimit === undefined && !this.budgets.has(array.account)) continue;
      yield* array.live.values();
    }
  }

  /** It is written with the next commit. */
  save(changes: Changes, row: InstanceRow): void {
    changes.instances.set(row.id, packRow(row));
  }
}

export interface Owner {
  readonly tenant: string;
  readonly owner: string;
}

export function ownerKey({ tenant, owner }: Owner): string {
  return `${tenant}/${owner}`;
}

function nameKey(of: Owner, name: string): string {
  return `${ownerKey(of)}/${name}`;
}
