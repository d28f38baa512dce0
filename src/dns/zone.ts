import { isIPv4 } from 'node:net';
import { isDnsLabel } from '../core/dns-label.ts';
import type { NameOwner, NameZone, OwnedName } from './dns.ts';

interface Claim {
  readonly arrayId: string;
  readonly generation: number;
  readonly address: string;
  readonly shared: boolean;
}

/** One name, with all who want it in the order in which they came. */
interface Entry {
  readonly claims: Map<string, Claim>;
  /** Addresses in force, made when they are asked for. */
  addresses: readonly string[] | undefined;
  /** How often it was asked for: answers begin at another address each time. */
  turn: number;
  readonly name: string;
}

/** What there is under a name. */
export type Found =
  /** At least one address. The same array until a change. */
  | { readonly kind: 'addresses'; readonly addresses: readonly string[]; readonly turn: number }
  /** It exists, because it or a name below it has something. */
  | { readonly kind: 'no-data' }
  | { readonly kind: 'no-name' };

const NO_DATA: Found = { kind: 'no-data' };
const NO_NAME: Found = { kind: 'no-name' };

/** The names of running instances in memory. What is in force is a function of who has which names, and in which order they came. */
export class Zone implements NameZone {
  readonly domain: string;
  /** Grows with each change, as the serial of the zone (RFC 1982: 32 bits, round and round). */
  serial = 1;
  readonly #entries = new Map<string, Entry>();
  readonly #owners = new Map<string, ReadonlySet<string>>();
  /** Names between the domain and a name that is there, to how many names are below each. */
  readonly #between = new Map<string, number>();

  /** @param domain its apex, checked by `checkDomain` */
  constructor(domain: string) {
    this.domain = domain;
  }

  set(owner: NameOwner, names: readonly OwnedName[]): readonly string[] {
    for (const name of names) this.#check(name);
    const had = this.#owners.get(owner.id) ?? new Set();
    const has = new Set(names.map(({ name }) => name));
    for (const name of had) if (!has.has(name)) this.#drop(owner.id, name);
    for (const name of names) this.#claim(owner, name);
    if (has.size > 0) this.#owners.set(owner.id, has);
    else this.#owners.delete(owner.id);
    return names
      .filter(({ name, address }) => !this.#inForce(this.#entries.get(name)!).includes(address))
      .map(({ name }) => name);
  }

  remove(ownerId: string): void {
    for (const name of this.#owners.get(ownerId) ?? []) this.#drop(ownerId, name);
    this.#owners.delete(ownerId);
  }

  /** How many names there are. */
  get size(): number {
    return this.#entries.size;
  }

  /** @param name in lower case, without a dot at its end, in the zone */
  find(name: string): Found {
    const entry = this.#entries.get(name);
    if (entry === undefined) return name === this.domain || this.#between.has(name) ? NO_DATA : NO_NAME;
    entry.turn = (entry.turn + 1) >>> 0;
    return { kind: 'addresses', addresses: this.#inForce(entry), turn: entry.turn };
  }

  #check({ name, address }: OwnedName): void {
    const labels = name.endsWith(`.${this.domain}`) ? name.slice(0, -this.domain.length - 1).split('.') : [];
    if (labels.length === 0 || !labels.every(isDnsLabel)) throw new RangeError(`${name} is no name in ${this.domain}`);
    if (!isIPv4(address)) throw new RangeError(`${address} of ${name} is no IPv4 address`);
  }

  #claim({ id, arrayId, generation }: NameOwner, { name, address, shared }: OwnedName): void {
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      entry = { claims: new Map(), addresses: undefined, turn: 0, name };
      this.#entries.set(name, entry);
      for (const above of this.#above(name)) this.#between.set(above, (this.#between.get(above) ?? 0) + 1);
    }
    const last = entry.claims.get(id);
    if (
      last?.address === address &&
      last.shared === shared &&
      last.generation === generation &&
      last.arrayId === arrayId
    )
      return;
    entry.claims.set(id, { arrayId, generation, address, shared });
    this.#changed(entry);
  }

  #drop(ownerId: string, name: string): void {
    const entry = this.#entries.get(name)!;
    entry.claims.delete(ownerId);
    this.#changed(entry);
    if (entry.claims.size > 0) return;
    this.#entries.delete(name);
    for (const above of this.#above(name)) {
      const left = this.#between.get(above)! - 1;
      if (left > 0) this.#between.set(above, left);
      else this.#between.delete(above);
    }
  }

  #changed(entry: Entry): void {
    entry.addresses = undefined;
    this.serial = (this.serial + 1) >>> 0 || 1;
  }

  /** Names between the domain and this one, both left out. */
  *#above(name: string): IterableIterator<string> {
    let at = name.indexOf('.');
    while (name.length - at - 1 > this.domain.length) {
      yield name.slice(at + 1);
      at = name.indexOf('.', at + 1);
    }
  }

  /** Addresses of those who have the name: of the array that came first, all of them or the latest machine. */
  #inForce(entry: Entry): readonly string[] {
    if (entry.addresses !== undefined) return entry.addresses;
    const claims = [...entry.claims.values()];
    const first = claims[0]!;
    const same = claims.filter(({ arrayId, shared }) => arrayId === first.arrayId && shared === first.shared);
    const latest = same.reduce((best, claim) => (claim.generation >= best.generation ? claim : best));
    entry.addresses = first.shared ? [...new Set(same.map(({ address }) => address))] : [latest.address];
    return entry.addresses;
  }
}
