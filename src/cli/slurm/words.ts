import type { TaskView } from '../../api/job.ts';
import { refuse, type SlurmCommand } from '../../config/slurm/refusal.ts';
import { type Outcome, outcomeText } from '../../core/outcome.ts';
import { TASK_REASONS, TaskReason } from '../../core/task-reasons.ts';

/** Slurm's states with their short codes, in the order in which messages name them and squeue sorts them. */
const STATES = [
  ['PENDING', 'PD'],
  ['RUNNING', 'R'],
  ['SUSPENDED', 'S'],
  ['COMPLETED', 'CD'],
  ['CANCELLED', 'CA'],
  ['FAILED', 'F'],
  ['TIMEOUT', 'TO'],
  ['NODE_FAIL', 'NF'],
  ['PREEMPTED', 'PR'],
  ['BOOT_FAIL', 'BF'],
  ['DEADLINE', 'DL'],
  ['OUT_OF_MEMORY', 'OOM'],
  ['COMPLETING', 'CG'],
  ['CONFIGURING', 'CF'],
  ['RESIZING', 'RS'],
  ['RESV_DEL_HOLD', 'RD'],
  ['REQUEUED', 'RQ'],
  ['REQUEUE_FED', 'RF'],
  ['REQUEUE_HOLD', 'RH'],
  ['REVOKED', 'RV'],
  ['SIGNALING', 'SI'],
  ['SPECIAL_EXIT', 'SE'],
  ['STAGE_OUT', 'SO'],
  ['STOPPED', 'ST'],
] as const;

export type SlurmState = (typeof STATES)[number][0];

/** Why a job waits or how it ended, in Slurm's words. */
export type SlurmReason =
  | 'None'
  | 'Resources'
  | 'Priority'
  | 'Dependency'
  | 'DependencyNeverSatisfied'
  | 'JobHeldUser'
  | 'job_requeued_in_held_state'
  | 'JobArrayTaskLimit'
  | 'BeginTime'
  | 'ReqNodeNotAvail'
  | 'PartitionNodeLimit'
  | 'NonZeroExitCode'
  | 'JobLaunchFailure'
  | 'TimeLimit'
  | 'OutOfMemory'
  | 'DeadLine'
  | 'NodeDown';

/** `R` of RUNNING. */
export function shortState(state: SlurmState): string {
  return STATES.find(([name]) => name === state)![1];
}

/** Its place in the order of states. */
export function stateOrder(state: SlurmState): number {
  return STATES.findIndex(([name]) => name === state);
}

/** What the words need of a task, and what its view does not tell. */
export interface TaskFacts
  extends Pick<TaskView, 'state' | 'reason' | 'outcome' | 'exitCode' | 'signal' | 'startedAt'> {
  /** Why it waits. */
  readonly waits?: SlurmReason;
  readonly suspended?: boolean;
  /** It still runs and is to end. */
  readonly cancelAsked?: boolean;
}

const says = (kind: 'timedOut' | 'outOfMemory' | 'lost' | 'preempted') => outcomeText({ kind } as Outcome);
const ENDS: Readonly<Record<string, readonly [state: SlurmState, reason: SlurmReason, exit: string]>> = {
  [says('timedOut')]: ['TIMEOUT', 'TimeLimit', '0:15'],
  [says('outOfMemory')]: ['OUT_OF_MEMORY', 'OutOfMemory', '0:125'],
  [says('lost')]: ['NODE_FAIL', 'NodeDown', '0:0'],
  [says('preempted')]: ['PREEMPTED', 'None', '0:0'],
};

/** What squeue, scontrol and sacct show of a task. */
export interface SlurmWords {
  readonly state: SlurmState;
  readonly reason: SlurmReason;
  /** `code:signal`. */
  readonly exitCode: string;
}

/** Slurm's words for a task. */
export function wordsOf(task: TaskFacts): SlurmWords {
  switch (task.state) {
    case 'blocked':
      return { state: 'PENDING', reason: task.waits ?? 'Dependency', exitCode: '0:0' };
    case 'ready':
    case 'leased':
      return { state: 'PENDING', reason: task.waits ?? 'None', exitCode: '0:0' };
    case 'running': {
      const state = task.suspended ? 'SUSPENDED' : task.cancelAsked ? 'COMPLETING' : 'RUNNING';
      return { state, reason: 'None', exitCode: '0:0' };
    }
    case 'completed':
      return { state: 'COMPLETED', reason: 'None', exitCode: '0:0' };
    case 'skipped':
      return { state: 'CANCELLED', reason: 'DependencyNeverSatisfied', exitCode: '0:0' };
    case 'cancelled':
      if (task.reason === TASK_REASONS[TaskReason.deadline]) {
        return { state: 'DEADLINE', reason: 'DeadLine', exitCode: '0:1' };
      }
      return {
        state: 'CANCELLED',
        reason: task.waits ?? 'None',
        exitCode: task.startedAt === undefined ? '0:0' : '0:15',
      };
    case 'failed':
      return failedWords(task);
  }
}

function failedWords({ outcome = '', exitCode = 1, signal }: TaskFacts): SlurmWords {
  const end = ENDS[outcome];
  if (end !== undefined) return { state: end[0], reason: end[1], exitCode: end[2] };
  if (signal !== undefined) return { state: 'FAILED', reason: 'JobLaunchFailure', exitCode: `0:${signal}` };
  return { state: 'FAILED', reason: 'NonZeroExitCode', exitCode: `${exitCode}:0` };
}

/** How `%r` and the record of scontrol differ: the sentence and the name. */
export function reasonSentence(reason: SlurmReason): string {
  return reason === 'job_requeued_in_held_state' ? 'job requeued in held state' : reason;
}

/**
 * Reads `PD,running`; `all` alone for every state.
 * @throws SpawnError with the words of the command
 */
export function readStates(command: SlurmCommand, text: string): readonly SlurmState[] {
  if (text.toLowerCase() === 'all' && command === 'squeue') return STATES.map(([name]) => name);
  return text
    .split(',')
    .filter((word) => word !== '')
    .map((word) => {
      const upper = word.toUpperCase();
      const found = STATES.find(([name, code]) => name === upper || code === upper);
      if (found === undefined) throw badState(command, word);
      if (command === 'scancel' && stateOrder(found[0]) > 2) throw badState(command, word);
      return found[0];
    });
}

function badState(command: SlurmCommand, word: string) {
  if (command === 'sacct') return refuse([{ form: 'fatal', text: `unrecognized job state value '${word}'` }], 1);
  const invalid = `Invalid job state specified: ${word}`;
  if (command === 'scancel') {
    const valid = 'Valid job states are PENDING, RUNNING, and SUSPENDED';
    return refuse(
      [
        { form: 'bare', text: invalid },
        { form: 'bare', text: valid },
      ],
      1,
    );
  }
  const names = STATES.map(([name]) => name).join(',');
  return refuse(
    [
      { form: 'error', text: invalid },
      { form: 'error', text: `Valid job states include: ${names}` },
      { form: 'bare', text: '' },
    ],
    1,
  );
}
