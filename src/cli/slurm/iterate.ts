import { refusalOf, type SlurmCommand } from '../../config/slurm/refusal.ts';
import type { World } from '../world.ts';
import { reportSlurmError } from './dialect.ts';

/** The seconds of `--iterate`; 0: once. @throws `bad` for what is no number of them */
export function iterateSeconds(text: string | undefined, bad: (text: string) => Error): number {
  if (text === undefined) return 0;
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (seconds === 0) throw bad(text);
  return seconds;
}

/**
 * Shows something once, or again and again until a person has enough. What cannot be shown for a while, as while the coordinator is away, is told, and
 * asked for again.
 *
 * @param seconds 0: once
 * @returns the exit code
 */
export async function iterate(
  command: SlurmCommand,
  seconds: number,
  world: World,
  show: () => Promise<void>,
): Promise<number> {
  if (seconds === 0) {
    await show();
    return 0;
  }
  const abort = new AbortController();
  const over = Promise.withResolvers<void>();
  let exit = 0;
  const stop = world.onInterrupt((code) => {
    exit = code;
    abort.abort();
    over.resolve();
  });
  try {
    for (let isFirst = true; ; isFirst = false) {
      const shown = show().catch((error) => {
        // What is wrong with the command line is wrong every time.
        if (isFirst && refusalOf(error) !== undefined) throw error;
        if (!abort.signal.aborted) reportSlurmError(command, error, world);
      });
      await Promise.race([shown, over.promise]);
      if (abort.signal.aborted) return exit;
      world.stdout.write('\n');
      await world.pause(seconds * 1_000, abort.signal);
      if (abort.signal.aborted) return exit;
    }
  } finally {
    stop();
  }
}
