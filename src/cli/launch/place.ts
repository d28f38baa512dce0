import { availableParallelism, totalmem } from 'node:os';
import { SpawnError } from '../../core/errors.ts';
import type { LaunchPlace } from '../../core/launch-spec.ts';
import type { World } from '../world.ts';
import type { Given } from './options.ts';

/** Zones of a region of the local provider, which is the only one; the coordinator has the last word. */
const ZONE_LETTERS = ['a', 'b', 'c'];
const DEFAULT_REGION = 'local';

export interface Place {
  readonly region: string;
  readonly zone: string | undefined;
}

/**
 * Region and zone. `us-east-1a`, as a cloud writes it, is zone `us-east-1-a` of region us-east-1; a zone alone tells its region.
 * @throws SpawnError USAGE when the zone is none of the region
 */
export function placeOf({ region, az }: Pick<Given, 'region' | 'az'>): Place {
  if (az === undefined) return { region: region ?? DEFAULT_REGION, zone: undefined };
  const [, base, letter] = /^(.+?)-?([abc])$/.exec(az) ?? [];
  const own = region ?? base ?? DEFAULT_REGION;
  const zones = zonesOf(own);
  const zone = base === own ? `${own}-${letter}` : az;
  if (!zones.includes(zone)) {
    const expected = `a zone of region ${own} (${zones.join(', ')})`;
    throw new SpawnError('BAD_REQUEST', { where: '--az', expected, found: az });
  }
  return { region: own, zone };
}

function zonesOf(region: string): readonly string[] {
  return ZONE_LETTERS.map((letter) => `${region}-${letter}`);
}

/** What a plan needs to know of the place; the coordinator plans with its own figures, and with the names it gives. */
export function launchPlace({ region }: Place, env: World['env']): LaunchPlace {
  // With a coordinator elsewhere only that knows the machine.
  const capacity = env.SPAWN_SERVER ? undefined : { vcpus: availableParallelism(), memoryBytes: totalmem() };
  return { capacity, zones: zonesOf(region), account: 'account', domain: 'domain' };
}
