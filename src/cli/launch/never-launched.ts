import type { InstanceView } from '../../api/instance.ts';
import type { JobView } from '../../api/job.ts';
import { throughRestarts } from '../await-job.ts';
import type { World } from '../world.ts';

/** Looked at for one that tells why. */
const TASKS_READ = 100;
/** With which the reasons of tasks begin whose instances did run. */
const ENDED = /^its instance ended: /;

/** Members whose tasks ended before there were machines for them, as when a cost limit leaves nothing to spend. */
export interface NeverLaunched {
  readonly count: number;
  readonly why: string;
}

/** @param expected so many instances should be there */
export async function neverLaunched(
  world: World,
  job: JobView,
  instances: readonly InstanceView[],
  expected: number,
  signal: AbortSignal,
): Promise<NeverLaunched | undefined> {
  const count = expected - instances.length;
  if (count <= 0) return undefined;
  const there = new Set(instances.map(({ index }) => index));
  const query = { state: 'cancelled', limit: TASKS_READ };
  const reply = await throughRestarts(world, signal, (client) => client.tasks(String(job.id), query));
  const task = reply?.tasks.find(({ index }) => !there.has(index));
  return task && { count, why: (task.reason ?? 'cancelled').replace(ENDED, '') };
}
