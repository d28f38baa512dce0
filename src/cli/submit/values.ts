import { MAX_DURATION_MS } from '../../api/limits.ts';
import { parseDuration } from '../../core/duration.ts';
import { SpawnError } from '../../core/errors.ts';
import { parseRetryFilter } from '../../core/failure-filter.ts';
import { signalNamed } from '../../core/outcome.ts';
import { parseTime, type TimeText } from '../../core/time-text.ts';
import { localZone } from '../local-zone.ts';
import { at, durationUpTo } from '../option-values.ts';

/** As the API takes them: amounts are shares, not measurements. */
const MOST_DECIMALS = 4;
const MAX_GPUS = 1_024;
/** Ranks and workers of one gang. */
export const MAX_RANKS = 1_000_000;
const MAX_AMOUNT = 1e12;
const RESOURCE = /^[A-Za-z][A-Za-z0-9_.-]{0,62}$/;
/** Slurm: sbatch(1), --signal. */
const DEFAULT_SIGNAL_MS = 60_000;

function bad(where: string, expected: string, found: unknown): never {
  throw new SpawnError('BAD_REQUEST', { where, expected, found });
}

/** A number without sign and with at most four decimals; NaN when it is none. */
function amount(text: string): number {
  const decimals = /^\d{1,13}(?:\.(\d+))?$/.exec(text);
  return decimals === null || (decimals[1] ?? '').length > MOST_DECIMALS ? Number.NaN : Number(text);
}

/** `2`, or `0.5` of one device. */
export function gpus(text: string, where: string): number {
  const count = amount(text);
  if (!(count <= MAX_GPUS && (count < 1 || Number.isInteger(count)))) {
    bad(where, `a whole number up to ${MAX_GPUS}, or a fraction below 1 with at most 4 decimals`, text);
  }
  return count;
}

/** `2`, or `2-4`. */
export function nodeRange(text: string, where: string): { readonly min: number; readonly max: number } {
  const [, first = '', last = first] = /^(\d{1,7})(?:-(\d{1,7}))?$/.exec(text) ?? [];
  const [min, max] = [Number(first), Number(last)];
  if (!(min >= 1 && min <= max && max <= MAX_RANKS))
    bad(where, `a number of workers from 1 to ${MAX_RANKS}, or N-M`, text);
  return { min, max };
}

/** `licence=1`, `scratch=0.5`. */
export function resource(text: string, where: string): readonly [string, number] {
  const equals = text.indexOf('=');
  const name = text.slice(0, Math.max(equals, 0));
  if (!RESOURCE.test(name)) {
    bad(where, 'NAME=AMOUNT, the name a letter, then letters, digits, ".", "_" or "-"', text);
  }
  const count = amount(text.slice(equals + 1));
  if (!(count <= MAX_AMOUNT)) bad(where, 'an amount from 0 to 1000000000000 with at most 4 decimals', text);
  return [name, count];
}

/** 0.2 of `0.2` and of `20%`. */
export function share(text: string, where: string): number {
  const [, digits, percent] = /^(\d{1,3}(?:\.\d{1,6})?)(%?)$/.exec(text) ?? [];
  const part = digits === undefined ? Number.NaN : Number(digits) / (percent === '%' ? 100 : 1);
  if (!(part <= 1)) bad(where, 'a number from 0 to 1, or 0% to 100%', text);
  return part;
}

/** Which ends are retried; read here to say at once what is wrong, sent as text. */
export function retryFilter(text: string, where: string): string {
  at(where, () => parseRetryFilter(text));
  return text;
}

/** A moment, or a time from now that the coordinator counts from the submit on. @param leastMs the shortest of these */
export function time(leastMs: number) {
  return (text: string, where: string): TimeText => {
    const read = at(where, () => parseTime(text, localZone));
    if (read.kind === 'in' && (read.inMs > MAX_DURATION_MS || read.inMs < leastMs)) {
      bad(where, read.inMs < leastMs ? 'a time that is to come' : `at most ${MAX_DURATION_MS / 86_400_000}d`, text);
    }
    return read;
  };
}

export interface EarlySignal {
  readonly number: number;
  readonly beforeMs: number;
  readonly mainOnly: boolean;
}

/** `[B:]SIGNAL[@TIME]`; TIME is seconds, as in Slurm, or a duration. */
export function earlySignal(text: string, where: string): EarlySignal {
  const mainOnly = /^B:/i.test(text);
  const rest = mainOnly ? text.slice(2) : text;
  const sign = rest.indexOf('@');
  const name = sign < 0 ? rest : rest.slice(0, sign);
  const number = signalNamed(name);
  if (number === undefined) bad(where, '[B:]SIGNAL[@SECONDS], the signal as USR1, SIGUSR1 or 10 (1 to 64)', text);
  if (sign < 0) return { number, beforeMs: DEFAULT_SIGNAL_MS, mainOnly };
  const when = rest.slice(sign + 1);
  const beforeMs = /^\d{1,9}$/.test(when) ? Number(when) * 1_000 : at(where, () => parseDuration(when));
  if (beforeMs < 1) bad(where, 'at least 1 second before the time limit', text);
  return { number, beforeMs: durationUpTo(MAX_DURATION_MS)(`${beforeMs}ms`, where), mainOnly };
}
