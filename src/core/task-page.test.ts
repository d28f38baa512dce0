import { describe, expect, it } from 'vitest';
import { packPage, unpackPage } from './task-page.ts';
import { TaskState } from './task-state.ts';
import { PAGE_TASKS, TaskFlag, TaskReason, TaskTable } from './task-table.ts';

describe('task pages', () => {
  it('cost a few bytes while all their tasks are alike', () => {
    const table = new TaskTable(PAGE_TASKS, TaskState.ready);
    expect(packPage(table, 0).length).toBeLessThan(10);
    table.moveRun(0, 1_000, TaskState.ready, TaskState.leased);
    expect(packPage(table, 0)).toEqual(packPage(new TaskTable(PAGE_TASKS, TaskState.ready), 0));
  });

  it('carry a column only where something in it is not zero', () => {
    const table = new TaskTable(2 * PAGE_TASKS, TaskState.ready);
    table.setOutcome(PAGE_TASKS + 1, 257);
    expect(packPage(table, 0)).toEqual(packPage(new TaskTable(2 * PAGE_TASKS, TaskState.ready), 0));
    const again = new TaskTable(2 * PAGE_TASKS, TaskState.ready);
    unpackPage(again, 0, packPage(table, 0));
    expect(again.outcomes).toBeUndefined();
    unpackPage(again, 1, packPage(table, 1));
    expect(again.outcomes?.[PAGE_TASKS + 1]).toBe(257);
    expect([...again.touched]).toEqual([1, 1]);
  });

  it('do not make eligible what is held or waits for its retry delay', () => {
    const table = new TaskTable(4, TaskState.ready);
    table.setFlag(1, TaskFlag.held, true);
    table.setRetryTick(2, 77);
    table.setReason(2, 1, TaskReason.retryDelay);
    const again = new TaskTable(4, TaskState.ready);
    unpackPage(again, 0, packPage(table, 0));
    expect([...again.eligible.sets[0].runs()]).toEqual([
      [0, 1],
      [3, 1],
    ]);
  });

  it('bring each task back to its lane, and what may be granted with it', () => {
    const table = new TaskTable(2 * PAGE_TASKS, TaskState.ready);
    for (let lane = 1; lane <= 255; lane++) table.eligible.addLane();
    table.setLane(1, 2, 255);
    table.setLane(PAGE_TASKS - 1, 2, 7);
    table.setFlag(2, TaskFlag.held, true);
    expect([...table.dirty].toSorted()).toEqual([0, 1]);
    const again = new TaskTable(2 * PAGE_TASKS, TaskState.ready);
    for (let lane = 1; lane <= 255; lane++) again.eligible.addLane();
    for (const page of [0, 1]) unpackPage(again, page, packPage(table, page));
    expect([again.lanes, again.eligible.laneCounts]).toEqual([table.lanes, table.eligible.laneCounts]);
    for (const lane of [0, 7, 255]) {
      expect([...again.eligible.sets[lane]!.runs()]).toEqual([...table.eligible.sets[lane]!.runs()]);
    }
    expect([...again.eligible.sets[255]!.runs()]).toEqual([[1, 1]]);
    expect(() => unpackPage(new TaskTable(2 * PAGE_TASKS, TaskState.ready), 0, packPage(table, 0))).toThrow('lane 255');
  });

  it('of another format are refused', () => {
    const table = new TaskTable(1, TaskState.ready);
    const bytes = packPage(table, 0);
    bytes[0] = 2;
    expect(() => unpackPage(table, 0, bytes)).toThrow('task page has format 2, expected 1');
  });
});
