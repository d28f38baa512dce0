import type { InstanceView } from '../../api/instance.ts';
import type { JobDelta, JobView } from '../../api/job.ts';
import { throughRestarts } from '../await-job.ts';
import { allInstances } from '../instances/pages.ts';
import { endedOf } from '../output/progress.ts';
import type { World } from '../world.ts';

const PAUSE_MS = 100;
/** A task is known to run a moment before its instance says so. */
const MOST_LOOKS = 30;

/**
 * Waits until so many members have come up, or have ended.
 * @param target fewer than all where not all may run at once
 * @returns whether it came to that; false when `signal` was first
 */
export async function awaitRunning(
  world: World,
  job: JobView,
  target: number,
  signal: AbortSignal,
  seen: (delta: JobDelta) => void,
): Promise<boolean> {
  const done = await throughRestarts(world, signal, async (client) => {
    for await (const delta of client.watch(String(job.id), { signal })) {
      seen(delta);
      if (delta.endedAt !== undefined || delta.counts.running + endedOf(delta.counts) >= target) return true;
    }
    return undefined;
  });
  return done === true;
}

/** Its instances as they are now, the last one of each index, in order of index. With `settle` none is left pending whose task runs. */
export async function instancesOfJob(
  world: World,
  job: JobView,
  settle: boolean,
  signal: AbortSignal,
): Promise<readonly InstanceView[]> {
  for (let look = 1; ; look++) {
    const found = await throughRestarts(world, signal, (client) => allInstances(client, { arrayId: job.arrayId }));
    const last = new Map<number, InstanceView>();
    for (const instance of found ?? []) {
      const other = last.get(instance.index);
      if (other === undefined || other.generation < instance.generation) last.set(instance.index, instance);
    }
    const instances = [...last.values()].sort((a, b) => a.index - b.index);
    const unsettled = instances.some(({ state, task }) => state === 'pending' && task === 'running');
    if (!settle || !unsettled || look === MOST_LOOKS || signal.aborted) return instances;
    await world.pause(PAUSE_MS, signal);
  }
}
