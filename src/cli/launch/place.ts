import { availableParallelism, totalmem } from 'node:os';
import { SpawnError } from '../../core/errors.ts';
import type { LaunchPlace } from '../../core/launch-spec.ts';
import { regionOf, zonesOf } from '../../core/zones.ts';
import type { World } from '../world.ts';
import type { Given } from './options.ts';

const DEFAULT_REGION = 'local';

export interface Place {
  readonly region: string;
  readonly zone: string | undefined;
}

/**
 * Region and zone; a zone alone tells its region.
 * @throws SpawnError BAD_REQUEST when the zone is none of the region
 */
export function placeOf({ region, az }: Pick<Given, 'region' | 'az'>): Place {
  if (az === undefined) return { region: region ?? DEFAULT_REGION, zone: undefined };
  const own = region ?? regionOf(az) ?? DEFAULT_REGION;
  const zones = zonesOf(own);
  if (zones.includes(az)) return { region: own, zone: az };
  const expected = `a zone of region ${own} (${zones.join(', ')})`;
  throw new SpawnError('BAD_REQUEST', { where: '--az', expected, found: az });
}

/** What a plan needs to know of the place; the coordinator plans with its own figures, and with the names it gives. */
export function launchPlace({ region }: Place, env: World['env']): LaunchPlace {
  // With a coordinator elsewhere only that knows the machine.
  const capacity = env.SPAWN_SERVER ? undefined : { vcpus: availableParallelism(), memoryBytes: totalmem() };
  return { capacity, zones: zonesOf(region), account: 'account', domain: 'domain' };
}
