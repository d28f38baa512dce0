import type { HistoryJob, HistoryTask } from '../../api/history.ts';
import { IndexSet, type Run } from '../../core/index-set.ts';
import { mergeWaiting, type QueueRow, readRows, rowsOf } from './queue-rows.ts';
import { rowEligible } from './queue-values.ts';
import { accountedExit, accountedState, batchWords, type SlurmState } from './words.ts';

/** A row of sacct: a job, a task or tasks of an array that never started; or its step `batch`. */
export interface AcctRow {
  readonly row: QueueRow;
  /** The attempt that the row is about; undefined: nothing of it ever started. */
  readonly task: HistoryTask | undefined;
  readonly isStep: boolean;
  /** As it is filtered by. */
  readonly state: SlurmState;
  /** As it is shown: `CANCELLED by 1000`. */
  readonly stateText: string;
  readonly exitCode: string;
  /** Epoch ms; undefined: not yet, or never. */
  readonly eligibleAt: number | undefined;
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
}

/** Rows of `--jobs`, in the order in which sacct shows them: what never started comes last of a job. @param uidOf the number of who submitted it */
export async function* readAcctRows(
  parts: AsyncIterable<HistoryJob>,
  uidOf: (row: QueueRow) => number,
): AsyncGenerator<readonly AcctRow[], void, undefined> {
  let before: HistoryJob[] = [];
  for await (const part of parts) {
    if (before[0]?.job.id !== part.job.id) {
      yield await unstarted(before, uidOf);
      before = [];
    }
    // A million tasks that have started are told as they come, and not kept.
    before.push({ ...part, tasks: [] });
    if (part.tasks.length > 0) yield started(part, uidOf);
  }
  yield await unstarted(before, uidOf);
}

function started(part: HistoryJob, uidOf: (row: QueueRow) => number): readonly AcctRow[] {
  const rows = rowsOf({ ...part, groups: [] });
  return rows.map((row, at) => acctRow(row, part.tasks[at]!, uidOf(row)));
}

async function unstarted(parts: readonly HistoryJob[], uidOf: (row: QueueRow) => number): Promise<readonly AcctRow[]> {
  const rows = mergeCancelled(mergeWaiting(await readRows(parts)));
  return rows.map((row) => acctRow(row, undefined, uidOf(row)));
}

/** One row for all tasks of an array that ended alike without having started. */
function mergeCancelled(rows: readonly QueueRow[]): readonly QueueRow[] {
  const groups = Map.groupBy(rows, (row) =>
    row.set === undefined || row.state === 'PENDING' ? row : `${row.state} ${row.reasons[0]}`,
  );
  return [...groups.values()].map((same) => {
    const sets = same.flatMap(({ set }) => (set === undefined ? [] : [...set.ranges()]));
    return same.length === 1 ? same[0]! : { ...same[0]!, set: IndexSet.fromRuns(sets as Run[]) };
  });
}

function acctRow(row: QueueRow, task: HistoryTask | undefined, uid: number): AcctRow {
  const words = { state: row.state, reason: row.reasons[0], exitCode: row.exitCode };
  const eligibleAt = rowEligible(row);
  if (task === undefined) {
    const endedAt = row.state === 'PENDING' ? undefined : (row.job.endedAt ?? row.job.createdAt);
    const stateText = accountedState(words, uid);
    return {
      row,
      task,
      isStep: false,
      state: row.state,
      stateText,
      exitCode: accountedExit(words),
      // What was held until it was cancelled never was eligible.
      eligibleAt: row.reasons[0] === 'JobHeldUser' ? undefined : eligibleAt,
      startedAt: undefined,
      endedAt,
    };
  }
  const { startedAt, endedAt } = task;
  const times = { eligibleAt: eligibleAt ?? row.job.createdAt, startedAt, endedAt };
  // Sent back by a requeue; what ended by itself before it ran again is shown as it ended.
  if (task.again === true && row.state === 'CANCELLED') {
    return { row, task, isStep: false, state: 'REQUEUED', stateText: 'REQUEUED', exitCode: '0:0', ...times };
  }
  // It runs until the last of it has ended.
  const state = row.state === 'COMPLETING' ? 'RUNNING' : row.state;
  const stateText = state === 'RUNNING' ? state : accountedState(words, uid);
  return { row, task, isStep: false, state, stateText, exitCode: accountedExit(words), ...times };
}

/** The step of a row that has started; undefined of one that has not. */
export function batchStep(job: AcctRow): AcctRow | undefined {
  const { task, startedAt } = job;
  if (task === undefined) return undefined;
  const { state, exitCode } = batchWords(task);
  const shown = state === 'COMPLETING' ? 'RUNNING' : state;
  return { ...job, isStep: true, state: shown, stateText: shown, exitCode, eligibleAt: startedAt };
}
