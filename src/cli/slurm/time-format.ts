import type { ZoneOffset } from '../../core/time-text.ts';
import { localTime } from './clock-text.ts';

/** How tables write a time, epoch ms. */
export type TimeText = (at: number) => string;

const DAY_MS = 86_400_000;
const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = 'January February March April May June July August September October November December'.split(' ');
/** Bytes that Slurm has room for, the closing NUL counted. */
const MOST_FORMAT = 32;

interface TimeFormat {
  readonly text: TimeText;
  /** What stderr gets, without the name of the command. */
  readonly fault?: string;
}

/** `SLURM_TIME_FORMAT`: `standard`, `relative` (to `now`), or a format of strftime(3); where it is none of them it is told and does not count. */
export function readTimeFormat(
  env: Readonly<Record<string, string | undefined>>,
  now: number,
  zone: ZoneOffset,
): TimeFormat {
  const { SLURM_TIME_FORMAT: format = '' } = env;
  const standard: TimeText = (at) => localTime(at, zone, '');
  if (format === '' || format === 'standard') return { text: standard };
  const local = (at: number) => new Date(at + zone(at) * 60_000);
  if (format === 'relative') return { text: (at) => formatDate(local(at), relativeFormat(local(at), local(now)), at) };
  if (!format.includes('%') || Buffer.byteLength(format) >= MOST_FORMAT) {
    return { text: standard, fault: `invalid SLURM_TIME_FORMAT = '${format}'` };
  }
  return { text: (at) => formatDate(local(at), format, at) };
}

/** Slurm counts days by the year and the day in it: across the end of a year they are far apart. */
function relativeFormat(date: Date, now: Date): string {
  const days = Math.floor(date.getTime() / DAY_MS) - Math.floor(now.getTime() / DAY_MS);
  if (date.getUTCFullYear() !== now.getUTCFullYear()) return '%-d %b %Y';
  if (days === 0) return '%T';
  if (days === -1) return 'Ystday %R';
  if (days === 1) return 'Tomorr %R';
  return days < -1 || days > 6 ? '%-d %b %R' : '%a %R';
}

/** A date by a format of strftime(3) in the C locale, its parts in UTC; a sign that is none stays as it is. @param at the time itself */
function formatDate(date: Date, format: string, at: number): string {
  return format.replace(/%-?([a-zA-Z%])/g, (whole, sign: string) => {
    const value = SIGNS[sign]?.(date, at);
    return value === undefined ? whole : whole.startsWith('%-') ? value.replace(/^[0 ]+(?=.)/, '') : value;
  });
}

const pad = (value: number, width = 2, fill = '0') => String(value).padStart(width, fill);
const hour12 = (date: Date) => date.getUTCHours() % 12 || 12;
const offsetText = (minutes: number) => {
  const [size, sign] = [Math.abs(minutes), minutes < 0 ? '-' : '+'];
  return `${sign}${pad(Math.floor(size / 60))}${pad(size % 60)}`;
};
const iso = (date: Date) => date.toISOString();
const SIGNS: Readonly<Record<string, ((date: Date, at: number) => string) | undefined>> = {
  '%': () => '%',
  a: (date) => WEEKDAYS[date.getUTCDay()]!.slice(0, 3),
  A: (date) => WEEKDAYS[date.getUTCDay()]!,
  b: (date) => MONTHS[date.getUTCMonth()]!.slice(0, 3),
  B: (date) => MONTHS[date.getUTCMonth()]!,
  c: (date, at) => formatDate(date, '%a %b %e %T %Y', at),
  C: (date) => pad(Math.floor(date.getUTCFullYear() / 100)),
  d: (date) => pad(date.getUTCDate()),
  D: (date, at) => formatDate(date, '%m/%d/%y', at),
  e: (date) => pad(date.getUTCDate(), 2, ' '),
  F: (date) => iso(date).slice(0, 10),
  h: (date) => MONTHS[date.getUTCMonth()]!.slice(0, 3),
  H: (date) => pad(date.getUTCHours()),
  I: (date) => pad(hour12(date)),
  j: (date) => pad(Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY_MS) + 1, 3),
  k: (date) => pad(date.getUTCHours(), 2, ' '),
  l: (date) => pad(hour12(date), 2, ' '),
  m: (date) => pad(date.getUTCMonth() + 1),
  M: (date) => pad(date.getUTCMinutes()),
  n: () => '\n',
  p: (date) => (date.getUTCHours() < 12 ? 'AM' : 'PM'),
  P: (date) => (date.getUTCHours() < 12 ? 'am' : 'pm'),
  r: (date, at) => formatDate(date, '%I:%M:%S %p', at),
  R: (date) => iso(date).slice(11, 16),
  s: (_, at) => String(Math.floor(at / 1_000)),
  S: (date) => pad(date.getUTCSeconds()),
  t: () => '\t',
  T: (date) => iso(date).slice(11, 19),
  u: (date) => String(date.getUTCDay() || 7),
  w: (date) => String(date.getUTCDay()),
  x: (date, at) => formatDate(date, '%D', at),
  X: (date) => iso(date).slice(11, 19),
  y: (date) => pad(date.getUTCFullYear() % 100),
  Y: (date) => String(date.getUTCFullYear()),
  z: (date, at) => offsetText(Math.round((date.getTime() - at) / 60_000)),
};
