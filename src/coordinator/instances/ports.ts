import { accountLabel, accountOf } from '../../core/account-label.ts';
import type { LaunchPlace } from '../../core/launch-spec.ts';
import { zonesOf } from '../../core/zones.ts';
import type { InstanceProvider } from '../../providers/provider.ts';

/** What the name server knows of one instance that runs. */
export interface PublishedNames {
  readonly arrayId: string;
  /** Of a position the newest machine has the name. */
  readonly generation: number;
  /** Its own full name, and the one that it shares with its array. */
  readonly dns: string;
  readonly groupDns: string;
  readonly address: string;
}

/** Where names of instances are made known. A record belongs to its owner: the removal of an old owner leaves a new one alone. */
export interface NamesPort {
  set(ownerId: string, names: PublishedNames): void;
  remove(ownerId: string): void;
}

/** What a coordinator needs so that it can have instances. */
export interface InstancePorts {
  readonly provider: InstanceProvider;
  readonly names?: NamesPort;
  /** What DNS names end in; default spore.host. */
  readonly domain?: string;
  /** Where the DNS server listens, as instances reach it; told at each launch. */
  readonly dnsServer?: () => { readonly address: string; readonly port: number } | undefined;
  /** For how long terminated instances are listed, ms; default 7 days. */
  readonly retentionMs?: number;
}

export const DEFAULT_DOMAIN = 'spore.host';
export const DEFAULT_RETENTION_MS = 7 * 24 * 3_600_000;

/** Where the instances of an owner are launched. */
export function placeOf(ports: InstancePorts | undefined, storeId: string, owner: string, region: string): LaunchPlace {
  return {
    capacity: ports?.provider.capacity(),
    zones: ports?.provider.zonesOf(region) ?? zonesOf(region),
    account: accountLabel(accountOf(owner, storeId)),
    domain: ports?.domain ?? DEFAULT_DOMAIN,
  };
}
