import { decodeOutcome, outcomeText } from './outcome.ts';
import { TaskState } from './task-state.ts';
import { TASK_REASONS, TaskReason, type TaskTable } from './task-table.ts';

/** Why a task is in its state, for people; '' where the state says it all. */
export function reasonText(table: TaskTable, position: number): string {
  const reason = table.reasonOf(position);
  if (reason === TaskReason.none && isKeptBack(table, position)) return 'waiting for the canary';
  if (reason !== TaskReason.notRetried) return TASK_REASONS[reason]!;
  return `${outcomeText(decodeOutcome(table.outcomes![position]!))} is not retried`;
}

function isKeptBack(table: TaskTable, position: number): boolean {
  return table.state[position] === TaskState.ready && table.isShutOut(position);
}
