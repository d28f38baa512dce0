import { parseBytes } from '../core/bytes.ts';
import { parseDuration } from '../core/duration.ts';
import { isSpawnError, SpawnError } from '../core/errors.ts';

/** Runs a parser of core and puts the option's name before what it has to say. */
export function at<T>(where: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw named(where, error);
  }
}

/** A SpawnError with the option's name before its message; any other error as it is. */
export function named(where: string, error: unknown): unknown {
  if (!isSpawnError(error)) return error;
  if (error.code.startsWith('BAD_')) return error.with({ where });
  return new SpawnError(error.code, error.details, { message: `${where}: ${error.message}`, cause: error });
}

/** Milliseconds of `90s`, `1h30m`; at most `max` ms. */
export function durationUpTo(max: number) {
  return (text: string, where: string): number => {
    const ms = at(where, () => parseDuration(text));
    if (ms > max) {
      throw new SpawnError('BAD_REQUEST', { where, expected: `at most ${Math.floor(max / 86_400_000)}d`, found: text });
    }
    return ms;
  };
}

/** Bytes of `512M`, `4G`. */
export function bytes(text: string, where: string): number {
  return at(where, () => parseBytes(text));
}

/** A whole number from `min` to `max`, in plain decimal digits. */
export function wholeNumber(min: number, max: number) {
  return (text: string, where: string): number => {
    const number = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(number >= min && number <= max)) {
      throw new SpawnError('BAD_REQUEST', { where, expected: `a whole number from ${min} to ${max}`, found: text });
    }
    return number;
  };
}

/** A number above 0 that may have a fraction: `0.5`, `2`. */
export function positiveNumber(max: number) {
  return (text: string, where: string): number => {
    const number = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    if (!(number > 0 && number <= max)) {
      throw new SpawnError('BAD_REQUEST', { where, expected: `a number above 0 and up to ${max}`, found: text });
    }
    return number;
  };
}

/** Any text but the empty one. */
export function nonEmpty(expected: string) {
  return (text: string, where: string): string => {
    if (text === '') throw new SpawnError('BAD_REQUEST', { where, expected, found: text });
    return text;
  };
}
