import type { TaskView } from '../../api/job.ts';
import { refuse, type SlurmCommand } from '../../config/slurm/refusal.ts';

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

/** States of tasks for those of Slurm's that a task never leaves. */
export const ENDED_STATES: Readonly<Partial<Record<SlurmState, string>>> = {
  COMPLETED: 'completed',
  CANCELLED: 'cancelled,skipped',
  DEADLINE: 'cancelled',
  FAILED: 'failed',
  TIMEOUT: 'failed',
  NODE_FAIL: 'failed',
  PREEMPTED: 'failed',
  BOOT_FAIL: 'failed',
  OUT_OF_MEMORY: 'failed',
};

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
  extends Pick<
    TaskView,
    'state' | 'stopping' | 'suspended' | 'cause' | 'exitCode' | 'signal' | 'process' | 'startedAt'
  > {
  /** Why it waits, or waited when it was cancelled; of one that runs: that it is held. */
  readonly waits?: SlurmReason;
}

/** What squeue, scontrol and sacct show of a task. */
export interface SlurmWords {
  readonly state: SlurmState;
  readonly reason: SlurmReason;
  /** `code:signal`. sacct shows 0:0 for CANCELLED and TIMEOUT, and this for the step `batch`. */
  readonly exitCode: string;
}

const UNKNOWN = '0:0';
const TERMINATED = '0:15';

/** Slurm's words for a task. */
export function wordsOf(task: TaskFacts): SlurmWords {
  switch (task.state) {
    case 'blocked':
      return { state: 'PENDING', reason: task.waits ?? 'Dependency', exitCode: UNKNOWN };
    case 'ready':
    case 'leased':
      return { state: 'PENDING', reason: task.waits ?? 'None', exitCode: UNKNOWN };
    case 'running': {
      const state = task.stopping === true ? 'COMPLETING' : task.suspended === true ? 'SUSPENDED' : 'RUNNING';
      return { state, reason: task.waits ?? 'None', exitCode: UNKNOWN };
    }
    case 'completed':
      return { state: 'COMPLETED', reason: 'None', exitCode: UNKNOWN };
    case 'skipped':
      return { state: 'CANCELLED', reason: 'DependencyNeverSatisfied', exitCode: UNKNOWN };
    case 'cancelled':
      return cancelledWords(task);
    case 'failed':
      return failedWords(task);
  }
}

function cancelledWords({ cause, waits, process, startedAt }: TaskFacts): SlurmWords {
  if (cause === 'deadline') return { state: 'DEADLINE', reason: 'DeadLine', exitCode: '0:1' };
  const reason = waits ?? (cause === 'dependency' ? 'DependencyNeverSatisfied' : 'None');
  return { state: 'CANCELLED', reason, exitCode: startedAt === undefined ? UNKNOWN : endText(process, TERMINATED) };
}

function failedWords({ cause, exitCode = 1, process }: TaskFacts): SlurmWords {
  switch (cause) {
    case 'timedOut':
    case 'stalled':
      return { state: 'TIMEOUT', reason: 'TimeLimit', exitCode: endText(process, TERMINATED) };
    case 'outOfMemory':
      return { state: 'OUT_OF_MEMORY', reason: 'OutOfMemory', exitCode: '0:125' };
    case 'lost':
      return { state: 'NODE_FAIL', reason: 'NodeDown', exitCode: UNKNOWN };
    case 'preempted':
      return { state: 'PREEMPTED', reason: 'None', exitCode: UNKNOWN };
    case 'signalled':
      return { state: 'FAILED', reason: 'JobLaunchFailure', exitCode: endText(process, TERMINATED) };
    case 'exited':
      // Its files could not be opened, or its directory not be entered.
      if (process === undefined) return { state: 'FAILED', reason: 'JobLaunchFailure', exitCode: '0:53' };
      return { state: 'FAILED', reason: 'NonZeroExitCode', exitCode: endText(process, UNKNOWN) };
    case 'cancelled':
    case 'deadline':
    case 'dependency':
    case undefined:
      return { state: 'FAILED', reason: 'NonZeroExitCode', exitCode: `${exitCode}:0` };
  }
}

function endText(process: TaskFacts['process'], unknown: string): string {
  if (process?.signal !== undefined) return `0:${process.signal}`;
  return process?.code === undefined ? unknown : `${process.code}:0`;
}

/** What sacct shows of the step `batch` of a task that has started: what its main process made of it. */
export function batchWords(task: TaskFacts): Pick<SlurmWords, 'state' | 'exitCode'> {
  const { state, exitCode } = wordsOf(task);
  switch (state) {
    case 'CANCELLED':
    case 'TIMEOUT':
    case 'DEADLINE':
    case 'FAILED': {
      const shown = state === 'DEADLINE' ? endText(task.process, TERMINATED) : exitCode;
      const process = shown === UNKNOWN ? 'COMPLETED' : shown.startsWith('0:') ? 'CANCELLED' : 'FAILED';
      return { state: process, exitCode: shown };
    }
    case 'NODE_FAIL':
    case 'PREEMPTED':
      return { state: 'CANCELLED', exitCode };
    default:
      return { state, exitCode };
  }
}

/** The state with who did it, as sacct shows it: `CANCELLED by 1000` of what a person cancelled. */
export function accountedState({ state, reason }: SlurmWords, uid: number): string {
  return state === 'CANCELLED' && reason !== 'DependencyNeverSatisfied' ? `CANCELLED by ${uid}` : state;
}

/** The exit code as sacct shows it of the job itself. */
export function accountedExit({ state, exitCode }: SlurmWords): string {
  return state === 'CANCELLED' || state === 'TIMEOUT' ? UNKNOWN : exitCode;
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
