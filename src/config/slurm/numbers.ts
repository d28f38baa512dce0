import { BAD_OPTION_EXIT, refuseLine } from './refusal.ts';

/** More CPUs or tasks in one job than anybody has. */
const MOST = 1_000_000;
const MOST_NICE = 2_147_483_645;
const DEFAULT_NICE = 100;

/**
 * A whole number from 1 on, as of `--ntasks`.
 * @throws SpawnError with Slurm's words, exit code 1
 */
export function countOption(text: string, option: string): number {
  const number = /^\s*\+?\d{1,15}$/.test(text) ? Number(text) : 0;
  if (!(number >= 1 && number <= MOST)) throw refuseLine(`Invalid numeric value "${text}" for --${option}.`, 1);
  return number;
}

/**
 * `--nice[=N]`: 100 without a value; what is no number counts as far as it is one, as in Slurm.
 * @throws SpawnError with Slurm's words
 */
export function niceOption(text: string | undefined): number {
  if (text === undefined) return DEFAULT_NICE;
  const nice = Number(/^\s*([+-]?\d{1,15})/.exec(text)?.[1] ?? 0);
  if (Math.abs(nice) > MOST_NICE) {
    throw refuseLine(`Invalid --nice value, out of range (+/- ${MOST_NICE})`, BAD_OPTION_EXIT);
  }
  return nice;
}
