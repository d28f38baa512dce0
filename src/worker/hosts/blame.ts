import { constants } from 'node:os';
import { encodeOutcome, type Outcome, outcomeText, type ProcessEnd } from '../../core/outcome.ts';
import { explainFailure } from '../explain-failure.ts';
import type { TaskEnded, TaskSpawnFailed } from '../forker/types.ts';
import { outcomeOf } from '../outcome-of.ts';
import type { StopCause } from './wire.ts';

/** What is known of a host that is gone. */
export interface Death {
  /** It said that it must be replaced before another task runs. */
  readonly isSpent: boolean;
  /** Tasks that it had and whose ends it has not said. */
  readonly sent: number;
  /** The first of them was said to run. */
  readonly isFirstKnown: boolean;
  /** It had one task at a time. */
  readonly isCareful: boolean;
}

/**
 * Who ran when a host died: nobody, the first of its tasks, or one of many, which is found out by running them one at a time. It says that a task is over
 * before it starts another after one that was said to run, so a known first one is the guilty one.
 */
export function whoRan({ isSpent, sent, isFirstKnown, isCareful }: Death): 'nobody' | 'first' | 'oneOfMany' {
  if (isSpent || sent === 0) return 'nobody';
  return isFirstKnown || isCareful || sent === 1 ? 'first' : 'oneOfMany';
}

const HEAP = /heap out of memory|Reached heap limit/;
const { SIGABRT, SIGILL, SIGTRAP } = constants.signals;
/** By which V8 ends a process, on one machine or another. */
const ABORTS: ReadonlySet<number> = new Set([SIGABRT, SIGILL, SIGTRAP]);

/**
 * The outcome of the attempt that a host died with.
 *
 * @param words what the process wrote past Node before it died
 */
export function outcomeOfDeath(
  event: Pick<TaskEnded, 'cause' | 'end'>,
  words: string,
  stopped: StopCause | undefined,
): Outcome {
  const { end } = event;
  const exit: ProcessEnd = end.kind === 'exited' ? end : { kind: 'signalled', signal: end.signal };
  if (stopped !== undefined) return stoppedOutcome(stopped, exit);
  if (end.kind === 'signalled' && ABORTS.has(end.signal) && HEAP.test(words)) return { kind: 'outOfMemory' };
  // Its end without a word is no success; killed by the worker itself, it has done what no host does.
  if (event.cause === 'cancel') return exit;
  if (event.cause === 'none' && end.kind === 'exited' && end.code === 0) return { kind: 'exited', code: 1 };
  return outcomeOf(event);
}

/** The outcome of an attempt that was made to stop. */
function stoppedOutcome(cause: StopCause, exit: ProcessEnd): Outcome {
  switch (cause) {
    case 'cancel':
      return { kind: 'cancelled', exit };
    case 'timeLimit':
      return { kind: 'timedOut', exit };
    case 'stalled':
      return { kind: 'stalled', exit };
    case 'shutdown':
      // Asked to stop with its worker, it finished its work after all.
      return exit.kind === 'exited' && exit.code === 0 ? exit : { kind: 'preempted' };
  }
}

/** The same of one that ended by itself in time, with what its host says of it: an exit code. */
export function stoppedInTime(cause: StopCause, said: number): number {
  return encodeOutcome(stoppedOutcome(cause, { kind: 'exited', code: said & 255 }));
}

/** So many that end without having run anything follow each other before that is said to be the handler's fault. */
const MOST_IDLE_DEATHS = 3;

/** Why no task of a job can be run, when its host could not be started. */
export function whyNotStarted(event: TaskSpawnFailed, cwd: string, elsewhere: string | undefined): string {
  const what = { command: process.execPath, cwd, files: [], input: undefined, elsewhere };
  return explainFailure(event, what)?.text ?? `no process could be started: ${event.errorName}`;
}

/** The same when its host died before the module was loaded. */
export function whyNotLoaded({ end, cause }: Pick<TaskEnded, 'cause' | 'end'>, words: string): string {
  const how = end.kind === 'exited' ? `exit code ${end.code}` : outcomeText({ kind: 'signalled', signal: end.signal });
  const why = cause === 'memory' ? 'out of memory' : how;
  return `its host ended while the module was loaded (${why})${words === '' ? '' : `:\n${words}`}`;
}

/** The same when its hosts die without having run a task. */
export function whyIdle(deaths: number): string | undefined {
  return deaths < MOST_IDLE_DEATHS ? undefined : `its host ended ${MOST_IDLE_DEATHS} times before it ran a task`;
}
