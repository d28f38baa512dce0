import type { InstanceView } from '../../api/instance.ts';
import type { JobDelta, JobView } from '../../api/job.ts';
import { throughRestarts } from '../await-job.ts';
import { allInstances } from '../instances/pages.ts';
import { endedOf } from '../output/progress.ts';
import type { World } from '../world.ts';

const PAUSE_MS = 100;

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

/** How often, and for what, the list is asked again. */
export interface Patience {
  /** Looks at most, a tenth of a second apart. */
  readonly looks: number;
  /** So many instances should be there. */
  readonly expected: number;
}

/** While its task is one of these, an instance may well be pending. */
const NOT_BEGUN: ReadonlySet<string> = new Set(['blocked', 'ready', 'leased']);

/** Its instances as they are now, the last one of each index, in order of index. */
export async function instancesOfJob(
  world: World,
  job: JobView,
  { looks, expected }: Patience,
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
    const settled = !instances.some(({ state, task }) => state === 'pending' && !NOT_BEGUN.has(task));
    if ((settled && instances.length >= expected) || look >= looks || signal.aborted) return instances;
    await world.pause(PAUSE_MS, signal);
  }
}
