import { SpawnError } from './errors.ts';

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

const UNIT_NAMES = 'a unit: d, h, m, s or ms';

function bad(text: string, at: number, expected: string): never {
  throw new SpawnError('BAD_DURATION', { text, at, expected });
}

/**
 * Milliseconds of `500ms`, `2s`, `5m`, `1h30m`, `1d`: whole numbers with units, the larger unit first.
 * A number without a unit is refused (seconds here, minutes in Slurm: no guess), except `0`.
 */
export function parseDuration(text: string): number {
  if (text === '0') return 0;
  let at = 0;
  let total = 0;
  let nextUnit = 0;
  do {
    const digits = /^\d+/.exec(text.slice(at))?.[0];
    if (digits === undefined) bad(text, at, 'a whole number with a unit, as 90s, 5m or 1h30m');
    const unitAt = at + digits.length;
    const name = /^[a-z]*/i.exec(text.slice(unitAt))![0].toLowerCase();
    const unit = UNITS.findIndex(([unitName]) => unitName === name);
    const shown = digits.slice(0, 6);
    if (unit < 0) bad(text, unitAt, name === '' ? `${UNIT_NAMES} (as in ${shown}s, ${shown}m)` : UNIT_NAMES);
    if (unit < nextUnit) bad(text, unitAt, 'a smaller unit than the one before');
    total += Number(digits) * UNITS[unit]![1];
    if (total > Number.MAX_SAFE_INTEGER) bad(text, at, 'a duration below 285,000 years');
    nextUnit = unit + 1;
    at = unitAt + name.length;
  } while (at < text.length);
  return total;
}

/** `1h30m` of 5400000: exact to the millisecond, so that `parseDuration` gives the number back. */
export function formatDuration(ms: number): string {
  let rest = Math.max(0, Math.round(ms));
  if (rest === 0) return '0s';
  let text = '';
  for (const [name, size] of UNITS) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${name}`;
    rest -= count * size;
  }
  return text;
}
