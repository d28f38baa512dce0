import { expect, it } from 'vitest';
import { reasonText } from './task-reason.ts';
import { TaskState } from './task-state.ts';
import { TaskReason, TaskTable } from './task-table.ts';

it('says what is not retried by how it ended', () => {
  const table = new TaskTable(3, TaskState.ready);
  table.setOutcome(1, 3);
  table.setReason(1, 1, TaskReason.notRetried);
  table.setReason(2, 1, TaskReason.deadline);
  expect([0, 1, 2].map((position) => reasonText(table, position))).toEqual([
    '',
    'exit 3 is not retried',
    'deadline passed',
  ]);
});

it('says what waits for the canary', () => {
  const table = new TaskTable(3, TaskState.ready);
  table.setGate(Uint32Array.of(1));
  table.move(2, TaskState.cancelled);
  expect([0, 1, 2].map((position) => reasonText(table, position))).toEqual(['waiting for the canary', '', '']);
});
