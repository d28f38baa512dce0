import type { HistoryQueryInput } from '../../api/history.ts';
import { parseHostlist } from '../../config/slurm/hostlist.ts';
import { refuse, refuseLine } from '../../config/slurm/refusal.ts';
import { slurmTimeLimit } from '../../config/slurm/time-limit.ts';
import type { SlurmClock } from '../../config/slurm/times.ts';
import type { AcctRow } from './acct-rows.ts';
import { type AcctWindow, isInWindow, readWindow } from './acct-window.ts';
import { allValues, type DialectInput, isGiven, lastValue } from './dialect.ts';
import { namedTasks, readSlurmIds, refChunks, refText, type SlurmId } from './job-ids.ts';
import { rowCpus, rowNodeCount, rowNodes, rowPartition } from './queue-values.ts';
import { ownersOf, type Users } from './users.ts';
import { ENDED_STATES, readStates, type SlurmState } from './words.ts';

/** Rows asked for at a time: of a million each page costs a look at their job, and a large one much memory. */
const PAGE = 5_000;

/** What sacct asks of the coordinator, and which of the rows that it tells are shown. */
export interface AcctAsk {
  /** One for each kind of ids that was given. */
  readonly asks: readonly {
    /** Of more ids than fit one question there are several. */
    readonly queries: readonly HistoryQueryInput[];
    /** Only steps of this name; undefined: jobs with all their steps. */
    readonly step: string | undefined;
  }[];
  /** As they were named. */
  readonly refs: readonly string[];
  readonly window: AcctWindow;
  readonly fits: (row: AcctRow) => boolean;
}

/**
 * What sacct's options ask for.
 * @throws SpawnError with Slurm's words
 */
export function readAcctAsk(input: DialectInput, users: Users, clock: SlurmClock): AcctAsk {
  const ids = allValues(input, 'jobs').flatMap((list) => readSlurmIds('sacct', list));
  const states = lastValue(input, 'state');
  const wanted = states === undefined || states === '' ? undefined : readStates('sacct', states);
  const window = readWindow(
    {
      start: lastValue(input, 'starttime'),
      end: lastValue(input, 'endtime'),
      hasJobs: ids.length > 0,
      hasStates: wanted !== undefined,
    },
    clock,
  );
  const base = baseQuery(input, users, window, wanted);
  const fitsOptions = readFilters(input);
  const fits = (row: AcctRow) => isInWindow(row, window, wanted) && fitsOptions(row);
  const asks = [...asksOf(ids, base, isGiven(input, 'allusers') || isGiven(input, 'uid'))];
  return { asks, refs: ids.flatMap((id) => namedTasks([id])).map(refText), window, fits };
}

function* asksOf(
  ids: readonly SlurmId[],
  query: HistoryQueryInput,
  anybody: boolean,
): Generator<AcctAsk['asks'][number]> {
  if (ids.length === 0) {
    // Slurm shows their own jobs to all but root.
    const mine = anybody || process.getuid?.() === 0 ? {} : { mine: '1' as const };
    yield { queries: [{ ...query, ...mine }], step: undefined };
  }
  for (const [step, same] of Map.groupBy(ids, (id) => id.step)) {
    yield { queries: refChunks(same).map((refs) => ({ ...query, ids: [...refs] })), step };
  }
}

function baseQuery(
  input: DialectInput,
  users: Users,
  { start, end, all }: AcctWindow,
  states: readonly SlurmState[] | undefined,
): HistoryQueryInput {
  const names = listOf(lastValue(input, 'name'));
  const owners = isGiven(input, 'allusers')
    ? undefined
    : listOf(lastValue(input, 'uid'))?.flatMap((user) => owner(user, users));
  const attempts = isGiven(input, 'duplicates') ? 'all' : 'last';
  // Where another state is asked for all tasks are looked at.
  const ofTasks = states?.map((state) => ENDED_STATES[state]);
  const known = attempts === 'last' && ofTasks?.every((state) => state !== undefined) ? ofTasks : undefined;
  return {
    limit: PAGE,
    attempts,
    ...(names === undefined ? {} : { names: [...names] }),
    ...(owners === undefined ? {} : { owners }),
    ...(known === undefined ? {} : { states: [...new Set(known)].join(',') }),
    ...(start === 0 ? {} : { endedFrom: start - (start % 1_000) }),
    ...(all ? {} : { createdTo: end + 1_000 }),
  };
}

function owner(user: string, users: Users): readonly string[] {
  const owners = ownersOf(user, users);
  if (owners === undefined) throw refuseLine(`Invalid user id: ${user}`, 1);
  return owners;
}

function listOf(text: string | undefined): readonly string[] | undefined {
  return text?.split(',').filter((word) => word !== '');
}

/** What the options ask of a row that the coordinator does not look at. */
function readFilters(input: DialectInput): (row: AcctRow) => boolean {
  const [accounts, partitions, qos, reasons] = ['accounts', 'partition', 'qos', 'reason'].map((name) =>
    listOf(lastValue(input, name)),
  );
  const nodeText = lastValue(input, 'nodelist');
  const nodes = nodeText === undefined ? undefined : new Set(parseHostlist(nodeText));
  const nnodes = readRange(lastValue(input, 'nnodes'), 'requested node range');
  const ncpus = readRange(lastValue(input, 'ncpus'), 'requested cpu range');
  const limit = readLimits(lastValue(input, 'timelimit-min'), lastValue(input, 'timelimit-max'));
  return ({ row, task }) => {
    const slurm = row.job.slurm ?? {};
    return (
      isAmong(accounts, slurm.account ?? '') &&
      (partitions === undefined ||
        rowPartition(row)
          .split(',')
          .some((name) => partitions.includes(name))) &&
      isAmong(qos, slurm.qos ?? 'normal') &&
      isAmong(reasons, task === undefined ? row.reasons[0] : 'None') &&
      (nodes === undefined || rowNodes(row).some((name) => nodes.has(name))) &&
      isWithin(nnodes, rowNodeCount(row)) &&
      isWithin(ncpus, rowCpus(row)) &&
      isWithin(limit, row.lane.timeLimitMs === 0 ? Number.POSITIVE_INFINITY : row.lane.timeLimitMs)
    );
  };
}

function isAmong(list: readonly string[] | undefined, word: string): boolean {
  return list === undefined || list.includes(word);
}

type Range = readonly [least: number, most: number];

function isWithin(range: Range | undefined, value: number): boolean {
  return range === undefined || (range[0] <= value && value <= range[1]);
}

/** `2`, `1-4`. */
function readRange(text: string | undefined, what: string): Range | undefined {
  if (text === undefined) return undefined;
  const [, least, most = least] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(text) ?? [];
  if (least === undefined) throw refuseLine(`Invalid numeric value "${text}" for ${what}.`, 1);
  return [Number(least), Number(most)];
}

/** The most alone says nothing. */
function readLimits(least: string | undefined, most: string | undefined): Range | undefined {
  const [low, high] = [least, most].map((text) => {
    if (text === undefined) return undefined;
    const ms = slurmTimeLimit(text);
    if (ms === undefined) throw refuse([{ form: 'fatal', text: 'Invalid time limit specification' }], 1);
    return ms === 0 ? Number.POSITIVE_INFINITY : ms;
  });
  return low === undefined ? undefined : [low, high ?? low];
}
