import { refuseLine } from '../../config/slurm/refusal.ts';
import { momentOf, readSlurmTime, type SlurmClock } from '../../config/slurm/times.ts';
import type { AcctRow } from './acct-rows.ts';
import { localTime } from './clock-text.ts';
import type { SlurmState } from './words.ts';

/** The time that sacct tells of. */
export interface AcctWindow {
  /** Epoch ms; 0: from the beginning. */
  readonly start: number;
  readonly end: number;
  /** Neither was given, and there is no default: whatever was is told. */
  readonly all: boolean;
}

export interface WindowWords {
  readonly start: string | undefined;
  readonly end: string | undefined;
  readonly hasJobs: boolean;
  readonly hasStates: boolean;
}

/**
 * From when to when, as `--starttime` and `--endtime` say; without them from midnight until now, with jobs from the beginning, and with states alone
 * just now. Source: sacct(1), DEFAULT TIME WINDOW.
 *
 * @throws SpawnError with Slurm's words
 */
export function readWindow({ start, end, hasJobs, hasStates }: WindowWords, clock: SlurmClock): AcctWindow {
  const given = timeOf(start, clock);
  const ended = timeOf(end, clock);
  const begin = given ?? (hasJobs ? 0 : hasStates ? clock.now : midnight(clock));
  const finish = ended ?? (hasStates && given !== undefined ? given : clock.now);
  if (second(begin) > second(finish)) {
    const [from, to] = [begin, finish].map((at) => localTime(at, clock.zone, ''));
    throw refuseLine(`Start time (${from}) requested is after end time (${to}).`, 1);
  }
  return { start: begin, end: finish, all: begin === 0 && ended === undefined };
}

function timeOf(text: string | undefined, clock: SlurmClock): number | undefined {
  const read = text === undefined ? null : readSlurmTime(text, clock, true);
  return read === null ? undefined : momentOf(read, clock.now);
}

function midnight({ now, zone }: SlurmClock): number {
  const local = now + zone(now) * 60_000;
  const start = local - (local % 86_400_000);
  // The zone may have changed since.
  return start - zone(start - zone(now) * 60_000) * 60_000;
}

const second = (at: number) => Math.floor(at / 1_000);

/** Whether a job belongs to a window: it was eligible in it, or, where states are asked for, in one of them. */
export function isInWindow(
  { eligibleAt, startedAt, endedAt, state }: AcctRow,
  { start, end, all }: AcctWindow,
  states: readonly SlurmState[] | undefined,
): boolean {
  const [from, to] = [second(start), second(end)];
  const [eligible, began, ended] = [eligibleAt, startedAt, endedAt].map((at) => (at === undefined ? at : second(at)));
  if (states === undefined) {
    if (all) return true;
    return eligible !== undefined && eligible <= to && (ended === undefined || ended >= from);
  }
  return states.some((asked) => {
    switch (asked) {
      case 'PENDING': {
        const left = began ?? ended;
        return eligible !== undefined && eligible <= to && (left === undefined ? state === asked : from < left);
      }
      case 'RUNNING':
        return began !== undefined && began <= to && (ended === undefined ? state !== 'SUSPENDED' : from < ended);
      case 'SUSPENDED':
        return state === asked;
      default:
        return state === asked && ended !== undefined && (all || (ended >= from && ended <= to));
    }
  });
}

/** A row cut to a window, as `--truncate` shows it. */
export function truncateRow(row: AcctRow, { start, end }: AcctWindow): AcctRow {
  const { startedAt, endedAt } = row;
  if (startedAt === undefined) return row;
  return { ...row, startedAt: Math.max(startedAt, start), endedAt: Math.min(endedAt ?? end, end) };
}
