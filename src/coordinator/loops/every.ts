import type { Clock } from '../clock.ts';

/** Runs `once` again and again, `ms` after the last run ended; what it throws goes to `failed`. Returns how to stop. */
export function every(
  clock: Clock,
  ms: number,
  once: () => void | Promise<void>,
  failed: (error: unknown) => void,
): () => void {
  let stopped = false;
  let cancel: () => void = () => {};
  const next = () => {
    if (stopped) return;
    cancel = clock.timer(ms, async () => {
      try {
        await once();
      } catch (error) {
        failed(error);
      }
      next();
    });
  };
  next();
  return () => {
    stopped = true;
    cancel();
  };
}
