import { describe, expect, test } from 'vitest';
import { refusalOf, refusalText } from './refusal.ts';
import { momentOf, readSlurmTime, timeOption } from './times.ts';

/** As in the probes: Saturday 21 November 2026, 18:53:45, in a zone two hours ahead of UTC. */
const clock = { now: Date.UTC(2026, 10, 21, 16, 53, 45), zone: () => 120 };
const local = (at: number) => new Date(at + 7_200_000).toISOString().slice(0, 19);
const read = (text: string, past = false) => {
  const time = readSlurmTime(text, clock, past);
  return time === null ? null : local(momentOf(time, clock.now));
};
const wordsFor = (text: string, option = 'begin') => {
  try {
    timeOption(text, option, clock);
  } catch (error) {
    return refusalText('sbatch', refusalOf(error)!);
  }
  return 'accepted';
};

// Answers of Slurm 22.05.8.
describe('a time', () => {
  test.each([
    ['now', '2026-11-21T18:53:45'],
    ['now+60', '2026-11-21T18:54:45'],
    ['now+1hour', '2026-11-21T19:53:45'],
    ['now+2days', '2026-11-23T18:53:45'],
    ['now+3weeks', '2026-12-12T18:53:45'],
    ['now+5seconds', '2026-11-21T18:53:50'],
    ['now + 1', '2026-11-21T18:53:46'],
    ['now+5 minutes', '2026-11-21T18:58:45'],
    ['NOW', '2026-11-21T18:53:45'],
    ['now ', '2026-11-21T18:53:45'],
    ['now-1hour', '2026-11-21T17:53:45'],
    ['today', '2026-11-21T00:00:00'],
    ['tomorrow', '2026-11-22T00:00:00'],
    ['midnight', '2026-11-22T00:00:00'],
    ['noon', '2026-11-22T12:00:00'],
    ['teatime', '2026-11-22T16:00:00'],
    ['fika', '2026-11-22T15:00:00'],
    ['23:59', '2026-11-21T23:59:00'],
    ['11:59PM', '2026-11-21T23:59:00'],
    ['12:00am', '2026-11-22T00:00:00'],
    ['0:00pm', '2026-11-22T12:00:00'],
    ['2030-01-02', '2030-01-02T00:00:00'],
    ['2030-01-02T03:04', '2030-01-02T03:04:00'],
    ['2030-01-02T03:04:05', '2030-01-02T03:04:05'],
    ['2030-01-02-03:04', '2030-01-02T03:04:00'],
    ['2030-01-02T', '2030-01-02T00:00:00'],
    ['2030-02-30', '2030-03-02T00:00:00'],
    ['01/02/30', '2030-01-02T00:00:00'],
    ['1/2/30', '2030-01-02T00:00:00'],
    ['01.02.30', '2030-01-02T00:00:00'],
    ['010230', '2030-01-02T00:00:00'],
    ['01/02/30-03:04', '2030-01-02T03:04:00'],
    ['0102', '2027-01-02T00:00:00'],
    ['12/24', '2026-12-24T00:00:00'],
    ['16:00', '2026-11-22T16:00:00'],
    ['16:00 tomorrow', '2026-11-22T16:00:00'],
    ['tomorrow 16:00', '2026-11-22T16:00:00'],
    ['2001-01-01', '2001-01-01T00:00:00'],
    ['uts1893456000', '2030-01-01T02:00:00'],
  ])('%s is %s', (text, at) => expect(read(text)).toBe(at));

  test.each([
    ['16:00', '2026-11-21T16:00:00'],
    ['noon', '2026-11-21T12:00:00'],
    ['12/24', '2025-12-24T00:00:00'],
    ['11/20', '2026-11-20T00:00:00'],
  ])('of history: %s is %s', (text, at) => expect(read(text, true)).toBe(at));

  test('from now on is counted by whoever accepts it', () => {
    expect(readSlurmTime('now+1minute', clock)).toEqual({ kind: 'in', inMs: 60_000 });
    expect(readSlurmTime('', clock)).toBeNull();
  });
});

describe('a bad time', () => {
  test.each([
    ['now+1min', 4],
    ['now+5x', 4],
    ['now+1s', 4],
    ['now+1.5', 4],
    ['now+', 3],
    ['now+x', 3],
    ['now+-1', 3],
    ['now+1hourx', 9],
    ['elevenses', 0],
    ['nope', 0],
    ['Today', 1],
    ['TOMORROW', 1],
    ['24:00', 0],
    ['23:60', 3],
    ['01:5', 4],
    ['5:pm', 2],
    ['5:5', 3],
    ['01: am5', 3],
    ['4pm', 1],
    ['13:00pm', 5],
    ['2030-13-01', 5],
    ['2030-1-2', 0],
    ['2030-01-02T24:00', 11],
    ['2030-01-02T03', 13],
    ['2030-01-02T03:04Z', 16],
    ['01/02/2030', 8],
    ['01022030', 6],
    ['tomorrow+1hour', 8],
    ['today 5', 7],
    ['1893456000', 0],
    ['uts1', 0],
    ['99999', 0],
  ])('%s stops at %i', (text, at) => {
    expect(wordsFor(text)).toBe(
      `Invalid time specification (pos=${at}): ${text}\nsbatch: error: Invalid --begin specification\n`,
    );
  });

  test('an empty one has the second line alone', () => {
    expect(wordsFor('')).toBe('sbatch: error: Invalid --begin specification\n');
    expect(wordsFor('nope', 'deadline')).toContain('Invalid --deadline specification');
    expect(wordsFor('16:00 now')).not.toBe('accepted');
    expect(wordsFor('now+99999999999999999999weeks')).not.toBe('accepted');
  });
});
