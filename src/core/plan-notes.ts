import { formatDuration } from './duration.ts';
import { shownUsd } from './instance-cost.ts';
import { estimateCost } from './instance-estimate.ts';
import { hasPrices, REFERENCE_REGION } from './instance-prices.ts';
import { type InstanceType, ratesOf } from './instance-types.ts';
import type { LaunchPlace, LaunchSpec } from './launch-spec.ts';

/** Something that a person should know of a launch, that does not stop it. */
export interface PlanNote {
  readonly kind:
    | 'no-ttl'
    | 'shared-cpus'
    | 'shared-memory'
    | 'no-gpus'
    | 'no-prices'
    | 'barrier'
    | 'cost-limit'
    | 'min-viable'
    | 'signal';
  readonly text: string;
}

/** In the order in which they are shown. */
export function planNotes(
  spec: LaunchSpec,
  type: InstanceType,
  size: number,
  capacity: LaunchPlace['capacity'],
): readonly PlanNote[] {
  const atOnce = spec.throttle > 0 ? Math.min(spec.throttle, size) : size;
  return [
    ...(capacity === undefined ? [] : sharedNotes(type, atOnce, capacity)),
    ...regionNotes(spec),
    ...lifeNotes(spec, size),
    ...barrierNotes(spec, size),
    ...costNotes(spec, size),
  ];
}

function sharedNotes(type: InstanceType, atOnce: number, capacity: { vcpus: number; memoryBytes: number }): PlanNote[] {
  const notes: PlanNote[] = [];
  const have = atOnce === 1 ? `${type.name} has` : `${atOnce} x ${type.name} have`;
  const share = (what: string): string => (atOnce === 1 ? 'it gets no more' : `they share ${what}`);
  const vcpus = type.vcpus * atOnce;
  if (vcpus > capacity.vcpus) {
    const text = `${have} ${vcpus} vCPUs and this machine ${capacity.vcpus}: ${share('them')} (--strict refuses this)`;
    notes.push({ kind: 'shared-cpus', text });
  }
  const memory = type.memoryBytes * atOnce;
  if (memory > capacity.memoryBytes) {
    const text = `${have} ${gib(memory)} GiB of memory and this machine ${gib(capacity.memoryBytes)}: ${share('it')}`;
    notes.push({ kind: 'shared-memory', text });
  }
  if (type.gpus > 0) {
    const text = `${type.name} has ${type.gpus} GPU; none is set apart for an instance on this machine`;
    notes.push({ kind: 'no-gpus', text });
  }
  return notes;
}

/** A region is any name; one that was mistyped would go unseen. */
function regionNotes({ instances: { region } }: LaunchSpec): PlanNote[] {
  if (hasPrices(region)) return [];
  return [
    { kind: 'no-prices', text: `no prices are known for region ${region}: those of ${REFERENCE_REGION} are taken` },
  ];
}

/** Who would end them. */
function lifeNotes({ run, instances }: LaunchSpec, size: number): PlanNote[] {
  const { ttlMs, idleTimeoutMs, onComplete, onIdle } = instances;
  const notes: PlanNote[] = [];
  if (ttlMs === 0) {
    const others = [
      ...(idleTimeoutMs > 0 ? [`idle for ${formatDuration(idleTimeoutMs)}: ${onIdle}`] : []),
      ...(onComplete === 'none' ? [] : [`on completion: ${onComplete}`]),
    ];
    const until = size === 1 ? 'it runs until you end it' : 'they run until you end them';
    const text = `no TTL: ${until}${others.length > 0 ? `, or ${others.join(', ')}` : ''}`;
    notes.push({ kind: 'no-ttl', text });
  }
  if (run.kind === 'signal' && onComplete !== 'none') {
    const text = `no command: ${onComplete} follows when \`spored complete\` is called inside`;
    notes.push({ kind: 'signal', text });
  }
  return notes;
}

/** The peers file comes when all have been running at some time. */
function barrierNotes({ throttle, canary, instances }: LaunchSpec, size: number): PlanNote[] {
  if (size === 1) return [];
  const notes: PlanNote[] = [];
  const less = throttle > 0 && throttle < size ? `only ${throttle} of ${size} run at once` : undefined;
  const first = canary > 0 && canary < size ? `${canary} of ${size} run first, to the end` : undefined;
  const why = less ?? first;
  if (why !== undefined) {
    const text = `${why}, and the peers file is written when all have run: a member that waits for its peers holds up the others`;
    notes.push({ kind: 'barrier', text });
  }
  const { minViable } = instances;
  if (minViable !== undefined && minViable < size) {
    const text = `a success when ${minViable} of ${size} run; peers are then those that do`;
    notes.push({ kind: 'min-viable', text });
  }
  return notes;
}

function costNotes({ instances }: LaunchSpec, size: number): PlanNote[] {
  const { costLimit, ttlMs } = instances;
  if (costLimit === undefined || ttlMs === 0) return [];
  const { cost } = estimateCost(size, ratesOf(instances.type, instances.region), instances);
  if (cost <= costLimit) return [];
  const text = `until their TTL they would cost ${shownUsd(cost)}: the limit of ${shownUsd(costLimit)} ends them before`;
  return [{ kind: 'cost-limit', text }];
}

/** `1.5`: in GiB, to a tenth. */
function gib(bytes: number): number {
  return Math.round((bytes / 1024 ** 3) * 10) / 10;
}
