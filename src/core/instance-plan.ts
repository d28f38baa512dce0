import { checkDnsLabel } from './dns-label.ts';
import { SpawnError } from './errors.ts';
import type { IndexSet } from './index-set.ts';
import { type CostEstimate, estimateCost } from './instance-estimate.ts';
import { checkNames, expandName, parseNameTemplate } from './instance-name.ts';
import type { Rates } from './instance-prices.ts';
import { findType, type InstanceType, ratesOf } from './instance-types.ts';
import type { LaunchPlace, LaunchSpec } from './launch-spec.ts';
import { type PlanNote, planNotes } from './plan-notes.ts';

/** Members that one instance array may have, unless the caller says otherwise. */
export const MAX_INSTANCES = 100_000;
/** A shorter life than this ends before the instance is up, ms. */
const SHORTEST_TTL_MS = 1_000;

export interface PlannedMember {
  readonly index: number;
  readonly rank: number;
  readonly name: string;
  readonly zone: string;
  /** Full name. */
  readonly dns: string;
}

/** What a launch will do, before anything is done: what a dry run shows, what the coordinator carries out, what the end sums up. */
export interface LaunchPlan {
  readonly name: string;
  readonly size: number;
  readonly standalone: boolean;
  readonly type: InstanceType;
  readonly region: string;
  readonly spot: boolean;
  /** Of one member; `rate` is the one of both that it is charged. */
  readonly rates: Rates;
  readonly rate: number;
  readonly estimate: CostEstimate;
  /** Name with every running member's address. */
  readonly groupDns: string;
  /** `{account}.{domain}`. */
  readonly dnsSuffix: string;
  readonly notes: readonly PlanNote[];
  /** The member at a position, 0 to size - 1. Made when it is asked for: a plan costs the same for any number of members. */
  member(rank: number): PlannedMember;
}

/**
 * Checks a launch and works out its members and what they cost.
 *
 * @throws BAD_REQUEST, BAD_NAME, ARRAY_TOO_LARGE: nothing of it may be launched
 */
export function planLaunch(spec: LaunchSpec, indices: IndexSet, place: LaunchPlace): LaunchPlan {
  const { instances } = spec;
  checkSize(spec, indices, place.maxInstances ?? MAX_INSTANCES);
  const type = findType(instances.type);
  const rates = ratesOf(instances.type, instances.region);
  checkSpot(instances, rates);
  checkTtl(instances.ttlMs);
  const zones = zonesFor(instances.zone, instances.region, place.zones);
  if (instances.strict) checkStrict(spec, type, indices.size, place.capacity);
  const template = parseNameTemplate(instances.names);
  checkDnsLabel(spec.name, 'name of the array');
  checkNames(template, indices, { arrayName: spec.name });
  const label = instances.dns ?? spec.name;
  const dnsSuffix = `${place.account}.${place.domain}`;
  const labelOf = (index: number) => (instances.standalone ? label : `${label}-${index}`);
  checkDnsLabel(labelOf(indices.max), 'DNS name');
  return {
    name: spec.name,
    size: indices.size,
    standalone: instances.standalone,
    type,
    region: instances.region,
    spot: instances.spot,
    rates,
    rate: instances.spot ? rates.spot : rates.onDemand,
    estimate: estimateCost(indices.size, rates, instances),
    groupDns: `${label}.${dnsSuffix}`,
    dnsSuffix,
    notes: planNotes(spec, type, indices.size, place.capacity),
    member(rank) {
      const index = indices.at(rank);
      const name = expandName(template, { index, arrayName: spec.name });
      return { index, rank, name, zone: zones[index % zones.length]!, dns: `${labelOf(index)}.${dnsSuffix}` };
    },
  };
}

/** All members in order of index, one at a time. */
export function* plannedMembers(plan: LaunchPlan, from = 0, to = plan.size): IterableIterator<PlannedMember> {
  for (let rank = from; rank < Math.min(to, plan.size); rank++) yield plan.member(rank);
}

function refuse(where: string, expected: string, found: unknown): never {
  throw new SpawnError('BAD_REQUEST', { where, expected, found });
}

function checkSize({ instances }: LaunchSpec, { size }: IndexSet, max: number): void {
  if (size === 0) refuse('array', 'at least 1 instance', 0);
  if (size > max) throw new SpawnError('ARRAY_TOO_LARGE', { size, max });
  if (instances.standalone && size > 1) refuse('array', '1 index for an instance that is no array', size);
  if ((instances.minViable ?? 0) > size)
    refuse('minViable', `at most ${size}, the size of the array`, instances.minViable);
  const rows = instances.params?.length ?? size;
  if (rows !== size) refuse('params', `${size} entries, one a member`, rows);
}

function checkSpot({ spot, spotMaxPrice, type, region }: LaunchSpec['instances'], rates: Rates): void {
  if (spotMaxPrice === undefined) return;
  if (!spot) refuse('spotMaxPrice', 'it only with spot', spotMaxPrice);
  if (rates.spot > spotMaxPrice) {
    refuse('spotMaxPrice', `at least ${rates.spot}, the spot price of ${type} in ${region}, USD/hour`, spotMaxPrice);
  }
}

function checkTtl(ttlMs: number): void {
  if (ttlMs > 0 && ttlMs < SHORTEST_TTL_MS) refuse('ttl', 'at least 1s', `${ttlMs}ms`);
}

function zonesFor(zone: string | undefined, region: string, zones: readonly string[]): readonly string[] {
  if (zone === undefined) return zones;
  if (!zones.includes(zone)) refuse('zone', `a zone of region ${region}: ${zones.join(', ')}`, zone);
  return [zone];
}

function checkStrict(spec: LaunchSpec, type: InstanceType, size: number, capacity: LaunchPlace['capacity']): void {
  if (capacity === undefined) return;
  const atOnce = spec.throttle > 0 ? Math.min(spec.throttle, size) : size;
  const members = `${atOnce} x ${type.name}`;
  if (type.vcpus * atOnce > capacity.vcpus)
    refuse('strict', `at most the ${capacity.vcpus} vCPUs of this machine`, `${members} with ${type.vcpus * atOnce}`);
  if (type.memoryBytes * atOnce > capacity.memoryBytes) {
    const gib = (bytes: number) => Math.round((bytes / 1024 ** 3) * 10) / 10;
    const found = `${members} with ${gib(type.memoryBytes * atOnce)} GiB`;
    refuse('strict', `at most the ${gib(capacity.memoryBytes)} GiB of this machine`, found);
  }
}
