import { describe, expect, test } from 'vitest';
import { parseTime } from './time-text.ts';

const utc = () => 0;
/** As in Berlin in 2027: summer time from 28 March to 31 October, 01:00 UTC. */
const berlin = (at: number) => (at >= Date.UTC(2027, 2, 28, 1) && at < Date.UTC(2027, 9, 31, 1) ? 120 : 60);

describe('from now', () => {
  test.each([
    ['now', 0],
    ['now+1h', 3_600_000],
    ['now+1h30m', 5_400_000],
    ['90s', 90_000],
    ['1d', 86_400_000],
    ['0', 0],
  ])('%s', (text, inMs) => {
    expect(parseTime(text, utc)).toEqual({ kind: 'in', inMs });
  });
});

describe('a moment', () => {
  test.each([
    ['2027-01-31T18:00Z', '2027-01-31T18:00:00.000Z'],
    ['2027-01-31t18:00:05z', '2027-01-31T18:00:05.000Z'],
    ['2027-01-31T18:00:05.25Z', '2027-01-31T18:00:05.250Z'],
    ['2027-01-31T18:00+05:30', '2027-01-31T12:30:00.000Z'],
    ['2027-01-31T18:00-0800', '2027-02-01T02:00:00.000Z'],
    ['2028-02-29', '2028-02-29T00:00:00.000Z'],
    ['2027-01-31 18:00', '2027-01-31T18:00:00.000Z'],
  ])('%s', (text, iso) => {
    expect(parseTime(text, utc)).toEqual({ kind: 'at', at: Date.parse(iso) });
  });

  test.each([
    ['2027-01-31T18:00', '2027-01-31T17:00:00.000Z'],
    ['2027-07-31T18:00', '2027-07-31T16:00:00.000Z'],
    ['2027-03-28T01:30', '2027-03-28T00:30:00.000Z'],
    ['2027-03-28T03:30', '2027-03-28T01:30:00.000Z'],
    ['2027-10-31T04:00', '2027-10-31T03:00:00.000Z'],
  ])('%s in local time, summer and winter', (text, iso) => {
    expect(parseTime(text, berlin)).toEqual({ kind: 'at', at: Date.parse(iso) });
  });
});

describe('refused', () => {
  const form = 'expected a time as 2027-01-31T18:00, 2027-01-31T18:00Z, now+1h or 1h, found';
  test.each([
    ['', `time: ${form} ""`],
    ['tomorrow', `time: ${form} "tomorrow"`],
    ['18:00', `time: ${form} "18:00"`],
    ['2027-1-31', `time: ${form} "2027-1-31"`],
    ['1hour', 'duration, column 2: expected a unit: d, h, m, s or ms, found "hour"\n  1hour\n   ^'],
    ['now+', 'duration, column 1: expected a whole number with a unit, as 90s, 5m or 1h30m, found the end\n  \n  ^'],
    ['2027-02-29', 'time: expected a day of the calendar, found "2027-02-29"'],
    ['2027-13-01', 'time: expected a day of the calendar, found "2027-13-01"'],
    ['0050-01-01', 'time: expected a day of the calendar, found "0050-01-01"'],
    ['2027-01-01T24:00', 'time: expected a time from 00:00:00 to 23:59:59, found "2027-01-01T24:00"'],
    ['2027-01-01T18:60', 'time: expected a time from 00:00:00 to 23:59:59, found "2027-01-01T18:60"'],
    ['2027-01-01T18:00:60', 'time: expected a time from 00:00:00 to 23:59:59, found "2027-01-01T18:00:60"'],
    ['2027-01-01T18:00+19:00', 'time: expected a zone from -18:00 to +18:00, found "2027-01-01T18:00+19:00"'],
    ['2027-01-01T18:00+01:60', 'time: expected a zone from -18:00 to +18:00, found "2027-01-01T18:00+01:60"'],
    ['1969-12-31', 'time: expected a time after 1970, found "1969-12-31"'],
  ])('%j', (text, message) => {
    expect(() => parseTime(text, utc)).toThrow(message);
  });
});
