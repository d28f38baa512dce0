import { MAX_DURATION_MS } from '../../api/limits.ts';
import { badSpecification } from './refusal.ts';

const MINUTE_MS = 60_000;
const DAYS = /^(\d+)-(?:(\d+)(?::(\d+)(?::(\d+))?)?)?$/;
const CLOCK = /^(\d+)(?::(\d+)(?::(\d+))?)?$/;

/**
 * Milliseconds of a time limit, rounded up to whole minutes: `M`, `M:S`, `H:M:S`, `D-H`, `D-H:M`, `D-H:M:S`. 0 for none: `0`, `-1`, `INFINITE`
 * or `UNLIMITED`. Undefined when it is no such text.
 */
export function slurmTimeLimit(text: string): number | undefined {
  if (/^(?:-1|infinite|unlimited)$/i.test(text)) return 0;
  const seconds = secondsOf(text);
  if (seconds === undefined) return undefined;
  const ms = Math.ceil(seconds / 60) * MINUTE_MS;
  return ms > MAX_DURATION_MS ? undefined : ms;
}

function secondsOf(text: string): number | undefined {
  const days = DAYS.exec(text);
  if (days !== null) {
    const [day, hour, minute, second] = days.slice(1).map((part) => Number(part ?? 0));
    return ((day! * 24 + hour!) * 60 + minute!) * 60 + second!;
  }
  const clock = CLOCK.exec(text);
  if (clock === null) return undefined;
  const [first, second, third] = clock.slice(1);
  if (third !== undefined) return (Number(first) * 60 + Number(second)) * 60 + Number(third);
  return Number(first) * 60 + Number(second ?? 0);
}

/**
 * The value of `--time` or `--time-min` in ms.
 * @throws SpawnError with Slurm's words
 */
export function timeLimitOption(text: string, option: string): number {
  const ms = slurmTimeLimit(text);
  if (ms === undefined) throw badSpecification(option);
  return ms;
}
