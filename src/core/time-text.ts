import { parseDuration } from './duration.ts';
import { isSpawnError, SpawnError } from './errors.ts';

/** A moment, or so long after the request is accepted: the coordinator's clock counts, not that of whoever asks. */
export type TimeText = { readonly kind: 'at'; readonly at: number } | { readonly kind: 'in'; readonly inMs: number };

/** Minutes that local time is ahead of UTC at a moment (epoch ms): it changes with the season. */
export type ZoneOffset = (epochMs: number) => number;

const EXPECTED = 'a time as 2027-01-31T18:00, 2027-01-31T18:00Z, now+1h or 1h';
const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?(Z|[+-]\d{2}:?\d{2})?)?$/i;
const MINUTE_MS = 60_000;

/**
 * Reads a moment in ISO 8601 (without a zone: local time; a day alone: its first moment) or a time from now: `1h30m`, `now+1h30m`, `now`.
 *
 * @throws SpawnError BAD_REQUEST, BAD_DURATION
 */
export function parseTime(text: string, zone: ZoneOffset): TimeText {
  if (text === 'now') return { kind: 'in', inMs: 0 };
  if (text.startsWith('now+')) return { kind: 'in', inMs: parseDuration(text.slice('now+'.length)) };
  const iso = ISO.exec(text);
  if (iso !== null) return { kind: 'at', at: moment(text, iso, zone) };
  try {
    return { kind: 'in', inMs: parseDuration(text) };
  } catch (error) {
    // What begins like a duration has its fault told at its place.
    if (isSpawnError(error) && /^\d+(?:ms|[dhms])/i.test(text)) throw error;
    throw bad(EXPECTED, text);
  }
}

function bad(expected: string, found: string): SpawnError {
  return new SpawnError('BAD_REQUEST', { where: 'time', expected, found });
}

function moment(text: string, iso: RegExpExecArray, zone: ZoneOffset): number {
  const [year, month, day, hour, minute, second] = iso.slice(1, 7).map((part) => Number(part ?? 0)) as Six;
  const millisecond = Number((iso[7] ?? '').padEnd(3, '0'));
  if (hour > 23 || minute > 59 || second > 59) throw bad('a time from 00:00:00 to 23:59:59', text);
  const utc = Date.UTC(year, month - 1, day, hour, minute, second, millisecond);
  // Date.UTC lets 30 February be 2 March, and years before 100 be of the twentieth century.
  const back = new Date(utc).toISOString();
  if (!back.startsWith(`${iso[1]}-${iso[2]}-${iso[3]}T`)) throw bad('a day of the calendar', text);
  const at = iso[8] === undefined ? fromLocal(utc, zone) : utc - offsetOf(iso[8], text) * MINUTE_MS;
  if (at < 0) throw bad('a time after 1970', text);
  return at;
}

type Six = [number, number, number, number, number, number];

/** In the hour that a change of season repeats it is the later one, in the hour that it leaves out the one after. */
function fromLocal(local: number, zone: ZoneOffset): number {
  const near = local - zone(local) * MINUTE_MS;
  return local - zone(near) * MINUTE_MS;
}

function offsetOf(text: string, whole: string): number {
  if (text.toUpperCase() === 'Z') return 0;
  const digits = text.slice(1).replace(':', '');
  const hours = Number(digits.slice(0, 2));
  const minutes = Number(digits.slice(2));
  if (hours > 18 || minutes > 59) throw bad('a zone from -18:00 to +18:00', whole);
  return (text.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}
