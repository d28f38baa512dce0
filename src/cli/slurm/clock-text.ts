import type { ZoneOffset } from '../../core/time-text.ts';

const MINUTE_MS = 60_000;
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

interface Clock {
  readonly days: number;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
}

function clockOf(ms: number): Clock {
  const total = Math.floor(ms / 1_000);
  return {
    days: Math.floor(total / 86_400),
    hours: Math.floor(total / 3_600) % 24,
    minutes: Math.floor(total / 60) % 60,
    seconds: total % 60,
  };
}

const two = (number: number) => String(number).padStart(2, '0');

/** `M:SS`, `H:MM:SS`, `D-HH:MM:SS`, as squeue shows durations; `INVALID` below 0. */
export function shortClock(ms: number): string {
  if (!(ms >= 0)) return 'INVALID';
  const { days, hours, minutes, seconds } = clockOf(ms);
  if (days > 0) return `${days}-${two(hours)}:${two(minutes)}:${two(seconds)}`;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

/** `HH:MM:SS`, `D-HH:MM:SS`, as scontrol and sacct show durations. */
export function fullClock(ms: number): string {
  if (!(ms >= 0)) return 'INVALID';
  const { days, hours, minutes, seconds } = clockOf(ms);
  return `${days > 0 ? `${days}-` : ''}${two(hours)}:${two(minutes)}:${two(seconds)}`;
}

/** `MM:SS.mmm` below an hour, else as `fullClock`: sacct's times of processors. */
export function cpuClock(ms: number): string {
  if (!(ms >= 0 && ms < 60 * MINUTE_MS)) return fullClock(ms);
  const { minutes, seconds } = clockOf(ms);
  return `${two(minutes)}:${two(seconds)}.${String(Math.floor(ms % 1_000)).padStart(3, '0')}`;
}

/** A time limit, by one of the clocks; 0 is none. @param none sinfo says `infinite` */
export function limitText(ms: number, clock: (ms: number) => string, none = 'UNLIMITED'): string {
  return ms === 0 ? none : clock(ms);
}

/** What is left of a time limit that a task has used for `usedMs`. */
export function leftText(limitMs: number, usedMs: number): string {
  if (limitMs === 0) return 'UNLIMITED';
  return usedMs > limitMs ? 'INVALID' : shortClock(limitMs - usedMs);
}

/** `2026-11-21T18:52:29` in local time; `none` for undefined: `N/A` in tables, `Unknown` in records. */
export function localTime(at: number | undefined, zone: ZoneOffset, none: string): string {
  return at === undefined ? none : localDate(at, zone).toISOString().slice(0, 19);
}

/** `Sat Nov 21 18:52:29 2026`: the line above the long tables. */
export function dateLine(at: number, zone: ZoneOffset): string {
  const date = localDate(at, zone);
  const day = String(date.getUTCDate()).padStart(2, ' ');
  const time = date.toISOString().slice(11, 19);
  return `${WEEKDAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${day} ${time} ${date.getUTCFullYear()}`;
}

/** A date whose parts in UTC are those of local time. */
function localDate(at: number, zone: ZoneOffset): Date {
  return new Date(at + zone(at) * MINUTE_MS);
}
