import { parseTime, type TimeText, type ZoneOffset } from '../../core/time-text.ts';
import { BAD_OPTION_EXIT, refuse } from './refusal.ts';

/** What words for times are counted from. */
export interface SlurmClock {
  /** Epoch ms. */
  readonly now: number;
  readonly zone: ZoneOffset;
}

/** Of a date and a time of day what has been read; a month begins at 1. */
interface Parts {
  day?: { readonly year: number | undefined; readonly month: number; readonly day: number };
  time?: { readonly hour: number; readonly minute: number; readonly second: number };
  fromNowMs?: number;
}

/** A text that is no time, and the place where Slurm gives up. */
class Unreadable extends Error {
  readonly at: number;

  constructor(at: number) {
    super();
    this.at = at;
  }
}

const DAY_MS = 86_400_000;
const TIMES_OF_DAY = [
  ['midnight', 0],
  ['noon', 12],
  ['fika', 15],
  ['teatime', 16],
] as const;
const SECONDS_OF: Readonly<Record<string, number>> = {
  second: 1,
  minute: 60,
  hour: 3_600,
  day: 86_400,
  week: 604_800,
};
const NOW = /now[ \t]*/iy;
const DELTA = /([+-])[ \t]*((?:\d[ \t]*)+)((?:second|minute|hour|day|week)s?)?/iy;
const TIME = /(\d\d?):(\d\d)(?::(\d\d))?(?:\s*([ap])m)?/iy;
const ISO_DATE = /(\d{4})-(\d\d)-(\d\d)/y;
const ONE_OR_TWO = /\d\d?/y;
const TWO = /\d\d/y;
const LEAST_UTS = 1_000_000;

/**
 * Reads a time as `--begin` and sacct's `--starttime` take it: `now[±N[unit]]`, `today`, `tomorrow`, `midnight`, `noon`, `fika`, `teatime`,
 * `HH:MM[:SS][am|pm]`, `MMDD[YY]`, `MM/DD[/YY]`, `YYYY-MM-DD`, date and time in any order, `utsSECONDS`. A time of day alone is the next one, or with
 * `past` that of today. Null for a text that says nothing.
 *
 * @throws SpawnError with Slurm's words and place
 */
export function readSlurmTime(text: string, clock: SlurmClock, past = false): TimeText | null {
  try {
    const uts = /^uts(\d{1,13})$/i.exec(text);
    if (uts !== null && Number(uts[1]) >= LEAST_UTS) return { kind: 'at', at: Number(uts[1]) * 1_000 };
    const parts = partsOf(text, clock);
    if (parts.fromNowMs !== undefined) return fromNow(parts.fromNowMs, clock);
    if (parts.day === undefined && parts.time === undefined) return null;
    return parseTime(isoOf(parts, clock, past), clock.zone);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    throw refuse([{ form: 'bare', text: badTimeText(text, error.at) }], 1);
  }
}

function badTimeText(text: string, at: number): string {
  return `Invalid time specification (pos=${at}): ${text}`;
}

/**
 * The value of `--begin` or `--deadline`.
 * @throws SpawnError with Slurm's words
 */
export function timeOption(text: string, option: string, clock: SlurmClock): TimeText {
  const invalid = { form: 'error', text: `Invalid --${option} specification` } as const;
  let read: TimeText | null;
  try {
    read = readSlurmTime(text, clock);
  } catch (error) {
    throw refuse([{ form: 'bare', text: (error as Error).message }, invalid], BAD_OPTION_EXIT);
  }
  if (read === null) throw refuse([invalid], BAD_OPTION_EXIT);
  return read;
}

/** The epoch ms of a time by a clock. */
export function momentOf(time: TimeText, now: number): number {
  return time.kind === 'at' ? time.at : now + time.inMs;
}

function fromNow(ms: number, clock: SlurmClock): TimeText {
  return ms < 0 ? { kind: 'at', at: Math.max(0, clock.now + ms) } : { kind: 'in', inMs: ms };
}

function partsOf(text: string, clock: SlurmClock): Parts {
  const parts: Parts = {};
  const begins = (word: string, at: number) => text.slice(at, at + word.length).toLowerCase() === word;
  for (let at = 0; at < text.length; ) {
    const named = TIMES_OF_DAY.find(([word]) => begins(word, at));
    // A `T` stands between date and time, which is why Slurm does not know `Today`.
    if (/[ \tT-]/.test(text[at]!)) {
      at += 1;
    } else if (begins('today', at) || begins('tomorrow', at)) {
      const isToday = begins('today', at);
      parts.day = localDay(clock, clock.now + (isToday ? 0 : DAY_MS));
      at += isToday ? 5 : 8;
    } else if (named !== undefined) {
      parts.time = { hour: named[1], minute: 0, second: 0 };
      at += named[0].length;
    } else if (begins('now', at)) {
      at = readNow(text, at, parts);
    } else if (/^\d\d?:/.test(text.slice(at, at + 3))) {
      at = readTimeOfDay(text, at, parts);
    } else {
      at = readDate(text, at, parts);
    }
  }
  if (parts.fromNowMs !== undefined && (parts.day ?? parts.time) !== undefined) throw new Unreadable(0);
  return parts;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function readNow(text: string, at: number, parts: Parts): number {
  const next = at + matchAt(NOW, text, at)![0].length;
  parts.fromNowMs = 0;
  if (next === text.length) return next;
  const delta = matchAt(DELTA, text, next);
  if (delta === null) throw new Unreadable(next);
  const [whole, sign, digits, unit = 'second'] = delta;
  const end = next + whole.trimEnd().length;
  // Without a unit whose whole name follows, Slurm stops before what does follow.
  if (delta[3] === undefined && end < text.trimEnd().length) throw new Unreadable(end - 1);
  const amount = Number(digits!.replaceAll(/[ \t]/g, '')) * SECONDS_OF[unit.toLowerCase().replace(/s$/, '')]! * 1_000;
  if (amount > Number.MAX_SAFE_INTEGER) throw new Unreadable(next);
  parts.fromNowMs = sign === '-' ? -amount : amount;
  return end;
}

function readTimeOfDay(text: string, at: number, parts: Parts): number {
  const time = matchAt(TIME, text, at);
  if (time === null) throw new Unreadable(at + /^\d\d?:\d?/.exec(text.slice(at, at + 4))![0].length);
  const colon = at + time[1]!.length;
  const [minute, second] = [Number(time[2]), Number(time[3] ?? 0)];
  let hour = Number(time[1]);
  if (hour > 23) throw new Unreadable(at);
  if (minute > 59) throw new Unreadable(colon + 1);
  if (second > 59) throw new Unreadable(colon + 4);
  const half = time[4]?.toLowerCase();
  const beforeHalf = at + time[0].length - (half === undefined ? 0 : 2);
  if (half === 'p' ? hour > 12 : half === 'a' && hour > 12) throw new Unreadable(beforeHalf);
  if (half === 'p') hour = hour === 12 ? 12 : hour + 12;
  if (half === 'a' && hour === 12) hour = 0;
  parts.time = { hour, minute, second };
  return at + time[0].length;
}

function readDate(text: string, at: number, parts: Parts): number {
  const iso = matchAt(ISO_DATE, text, at);
  if (iso !== null) {
    const [year, month, day] = iso.slice(1).map(Number) as [number, number, number];
    if (month < 1 || month > 12) throw new Unreadable(at + 5);
    if (day < 1 || day > 31) throw new Unreadable(at + 8);
    parts.day = { year, month, day };
    return at + iso[0].length;
  }
  let next = at;
  const number = (most: number): number => {
    const digits = matchAt(ONE_OR_TWO, text, next);
    if (digits === null) throw new Unreadable(next);
    next += digits[0].length;
    const value = Number(digits[0]);
    if (value < 1 || value > most) throw new Unreadable(Math.max(at, next - 2));
    if (text[next] === '.' || text[next] === '/') next += 1;
    return value;
  };
  const month = number(12);
  const day = number(31);
  const year = matchAt(TWO, text, next);
  if (year !== null) next += 2;
  parts.day = { year: year === null ? undefined : 2_000 + Number(year[0]), month, day };
  return next;
}

function localDay(clock: SlurmClock, at: number): { year: number; month: number; day: number } {
  const local = new Date(at + clock.zone(at) * 60_000);
  return { year: local.getUTCFullYear(), month: local.getUTCMonth() + 1, day: local.getUTCDate() };
}

/** The local date and time as ISO 8601; days that a month has not got are those of the next one, as mktime(3) has it. */
function isoOf(parts: Parts, clock: SlurmClock, past: boolean): string {
  const { hour, minute, second } = parts.time ?? { hour: 0, minute: 0, second: 0 };
  const today = localDay(clock, clock.now);
  const now = new Date(clock.now + clock.zone(clock.now) * 60_000);
  const isLater = hour * 60 + minute > now.getUTCHours() * 60 + now.getUTCMinutes();
  const day = parts.day ?? (past || isLater ? today : localDay(clock, clock.now + DAY_MS));
  const order = (day.month - today.month) * 100 + (day.day - today.day);
  const isAhead = order > 0 || (order === 0 && isLater);
  const year = day.year ?? today.year + (past ? (isAhead ? -1 : 0) : isAhead ? 0 : 1);
  return new Date(Date.UTC(year, day.month - 1, day.day, hour, minute, second)).toISOString().slice(0, 19);
}
