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
  for (let isFirst = true; ; isFirst = false) {
    try {
      await show();
    } catch (error) {
      // What is wrong with the command line is wrong every time.
      if (isFirst && refusalOf(error) !== undefined) throw error;
      reportSlurmError(command, error, world);
    }
    world.stdout.write('\n');
    const exit = await pauseFor(seconds, world);
    if (exit !== undefined) return exit;
  }
}

/** The exit code when a person has enough. At other times the signal ends this program itself, whatever it waits for. */
async function pauseFor(seconds: number, world: World): Promise<number | undefined> {
  const abort = new AbortController();
  let exit: number | undefined;
  const stop = world.onInterrupt((code) => {
    exit = code;
    abort.abort();
  });
  await world.pause(seconds * 1_000, abort.signal);
  stop();
  return exit;
}
