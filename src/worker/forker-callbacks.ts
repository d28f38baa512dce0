import type { Attempts } from './attempts.ts';
import type { Forker, ForkerCallbacks } from './forker/types.ts';

/** What forkers tell of attempts. */
export function forkerCallbacks(
  attempts: Attempts,
  current: () => Forker | undefined,
): Pick<ForkerCallbacks, 'onStarted' | 'onEnded' | 'onSpawnFailed' | 'onRefused'> {
  return {
    onStarted: (event) => attempts.onStarted(event),
    onEnded: (event) => attempts.onEnded(event),
    onSpawnFailed: (event) => {
      const forker = current();
      if (forker !== undefined) attempts.onSpawnFailed(forker, event);
    },
    onRefused: (event) => attempts.onRefused(event),
  };
}
