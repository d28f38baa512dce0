import type { Selection } from '../../api/job.ts';
import { isSpawnError } from '../../core/errors.ts';
import { IndexSet } from '../../core/index-set.ts';
import type { Client } from '../client.ts';
import type { World } from '../world.ts';
import { controllerWords } from './controller-words.ts';

/** What scancel does to what it has chosen. */
export interface CancelWay {
  /** Undefined: ends them. */
  readonly signal: number | undefined;
  /** Who gets the signal: what srun started in the job, the batch shell alone, or all processes. */
  readonly scope: 'steps' | 'main' | 'all';
  readonly verbose: boolean;
}

/** One thing to cancel or to send a signal to. */
export interface CancelTarget {
  /** As Slurm shows the ids of what is touched. */
  readonly shown: readonly string[];
  readonly ref: string;
  readonly selection: Selection;
  /** Of a job of which some tasks were named, whether it has them or not. */
  readonly named?: { readonly job: number; readonly indices: IndexSet };
  /** Nothing of it runs, as far as is known: no signal can reach it. */
  readonly waits: boolean;
}

/** What stderr gets, and the exit code. */
export interface CancelReport {
  readonly text: string;
  readonly exit: number;
}

// Slurm's errno, of which the exit code is the low byte. Source: slurm_errno.h of 22.05.
const DENIED_EXIT = 2002 % 256;
const TRANSITION_EXIT = 2020 % 256;
const TRANSITION = 'Job can not be altered now, try again later';
const UNKNOWN = 'Invalid job id specified';
const COMPLETED = 'Job/step already completing or completed';
/** Calls that are under way together. */
const AT_ONCE = 16;
const KILL = 9;
const MOST_SIGNAL = 64;

/** Cancels or signals every target, and tells of them in their order. @returns the exit code */
export async function cancelAll(
  client: Client,
  targets: readonly CancelTarget[],
  way: CancelWay,
  silent: boolean,
  { stderr }: Pick<World, 'stderr'>,
): Promise<number> {
  let exit = 0;
  for (let from = 0; from < targets.length; from += AT_ONCE) {
    const part = targets.slice(from, from + AT_ONCE);
    const reports = await Promise.all(part.map((target) => cancelOne(client, target, way, silent)));
    for (const report of reports) {
      if (report.text !== '') stderr.write(report.text);
      exit = Math.max(exit, report.exit);
    }
  }
  return exit;
}

/** @param silent what is unknown or has ended is told with `-v` alone and is no failure */
async function cancelOne(client: Client, target: CancelTarget, way: CancelWay, silent: boolean): Promise<CancelReport> {
  const each = (line: (id: string) => string) => target.shown.map((id) => `scancel: ${line(id)}\n`).join('');
  const said = way.verbose ? each((id) => `${wayText(way)} ${id}`) : '';
  const fails = (words: string, exit: number): CancelReport => ({
    text: said + each((id) => `error: Kill job error on job id ${id}: ${words}`),
    exit,
  });
  try {
    const tasks = await carryOut(client, target, way).catch(async (error) => {
      return carryOut(client, await withTasksThatAre(client, target, error), way);
    });
    if (tasks === 'waits') return fails(TRANSITION, TRANSITION_EXIT);
    return tasks === 0 && silent && way.verbose ? fails(COMPLETED, 0) : { text: said, exit: 0 };
  } catch (error) {
    const words = controllerWords(error, 'cancel');
    if (words === undefined || !isSpawnError(error) || error.code === 'SERVER_UNREACHABLE') throw error;
    if (error.code === 'NOT_PERMITTED') return fails(words, DENIED_EXIT);
    if (words !== UNKNOWN || !silent) return fails(words, 1);
    return way.verbose ? fails(words, 0) : { text: '', exit: 0 };
  }
}

/** Slurm passes over indices that the array does not have. @throws the error, unless some of the indices are there */
async function withTasksThatAre(client: Client, target: CancelTarget, error: unknown): Promise<CancelTarget> {
  const { named } = target;
  if (named === undefined || !isSpawnError(error) || error.code !== 'TASK_NOT_FOUND') throw error;
  const { array } = await client.job(String(named.job));
  const found = IndexSet.fromString(array ?? '0').intersect(named.indices);
  if (found.size === 0) throw error;
  return { ...target, ref: `${named.job}_[${found}]` };
}

/** How many tasks it touched. */
async function carryOut(client: Client, target: CancelTarget, { signal, scope }: CancelWay): Promise<number | 'waits'> {
  const { ref, selection } = target;
  // What waits has no processes: KILL cancels it, anything else cannot be.
  const cancels = (signal === undefined || signal === KILL) && (scope !== 'main' || target.waits);
  if (cancels) return (await client.cancel(ref, selection)).tasks;
  if (target.waits) return 'waits';
  // As in Slurm, nothing says that there is no such signal: no process gets it.
  if (signal !== undefined && (signal < 1 || signal > MOST_SIGNAL)) return 1;
  return (await client.signal(ref, { ...selection, signal: signal ?? KILL, scope })).tasks;
}

function wayText({ signal, scope }: CancelWay): string {
  const kind = scope === 'main' ? 'batch job' : scope === 'all' ? 'full job' : 'job';
  return signal === undefined ? `Terminating ${kind}` : `Signal ${signal} to ${kind}`;
}
