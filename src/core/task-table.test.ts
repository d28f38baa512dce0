import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TaskTableModel } from '../../test/support/task-table-model.ts';
import { TASK_STATES, TaskState } from './task-state.ts';
import { PAGE_TASKS, TASK_REASONS, TaskFlag, TaskReason, TaskTable } from './task-table.ts';

const RESTING = [
  TaskState.blocked,
  TaskState.ready,
  TaskState.completed,
  TaskState.failed,
  TaskState.cancelled,
  TaskState.skipped,
] as const;
const ENDS = [TaskState.ready, TaskState.completed, TaskState.failed, TaskState.cancelled] as const;
const SIZES = [1, 7, PAGE_TASKS, PAGE_TASKS + 1, 2 * PAGE_TASKS + 100] as const;

const resting = fc.constantFrom(...RESTING);
const reason = fc.constantFrom(...Object.values(TaskReason));
/** Mostly around the borders of pages, where things go wrong. */
const place = fc.oneof(
  fc.nat(6),
  fc.integer({ min: PAGE_TASKS - 4, max: PAGE_TASKS + 4 }),
  fc.integer({ min: 2 * PAGE_TASKS - 4, max: 2 * PAGE_TASKS + 4 }),
  fc.nat(2 * PAGE_TASKS + 100),
);
const length = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 2 * PAGE_TASKS }));
const small = fc.oneof(fc.constant(0), fc.nat(5));

const step = fc.oneof(
  fc.record({ kind: fc.constant('grant' as const), place, length }),
  fc.record({ kind: fc.constant('start' as const), place }),
  fc.record({ kind: fc.constant('giveBack' as const), place }),
  fc.record({
    kind: fc.constant('end' as const),
    place,
    to: fc.constantFrom(...ENDS),
    more: fc.record({ reason, failures: small, losses: small, outcome: fc.oneof(fc.constant(0), fc.nat(65_535)) }),
  }),
  fc.record({
    kind: fc.constant('flag' as const),
    place,
    flag: fc.constantFrom(...Object.values(TaskFlag)),
    on: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('delay' as const), place, tick: fc.oneof(fc.constant(0), fc.nat(2 ** 32 - 1)) }),
  fc.record({ kind: fc.constant('reason' as const), place, length, reason }),
  fc.record({
    kind: fc.constant('moveAll' as const),
    place,
    length,
    whole: fc.boolean(),
    from: resting,
    to: resting,
    reason,
  }),
  fc.record({ kind: fc.constant('gate' as const), step: fc.constantFrom(undefined, 1, 2, 7, PAGE_TASKS) }),
  fc.record({ kind: fc.constant('commit' as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function act(model: TaskTableModel, each: Step): void {
  if (each.kind === 'commit') {
    model.commit();
    return;
  }
  if (each.kind === 'gate') {
    model.gate(each.step);
    return;
  }
  const position = each.place % model.size;
  switch (each.kind) {
    case 'grant':
      model.grant(position, each.length);
      break;
    case 'start':
      model.start(position);
      break;
    case 'giveBack':
      model.giveBack(position);
      break;
    case 'end':
      model.end(position, each.to, each.more);
      break;
    case 'flag':
      model.flag(position, each.flag, each.on);
      break;
    case 'delay':
      model.delay(position, each.tick);
      break;
    case 'reason':
      model.reason(position, Math.min(each.length, model.size - position), each.reason);
      break;
    case 'moveAll': {
      const [start, count] = each.whole ? [0, model.size] : [position, Math.min(each.length, model.size - position)];
      if (each.from !== each.to) model.moveAll(each.from, each.to, each.reason, start, count);
    }
  }
}

describe('TaskTable', () => {
  it.each(SIZES)('says what an array of plain tasks says, also after a restart: %d tasks', (size) => {
    fc.assert(
      fc.property(
        fc.constantFrom(TaskState.blocked, TaskState.ready),
        fc.array(step, { maxLength: 40, size: 'max' }),
        (ground, steps) => {
          const model = new TaskTableModel(size, ground);
          for (const each of steps) act(model, each);
          model.expectSame(model.table, false);
          model.commit();
          model.expectSame(model.restored(), true);
        },
      ),
      { numRuns: size > PAGE_TASKS ? 60 : 150 },
    );
  });

  it('finds the runs of every state in any stretch', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: 'max' }), place, length, (steps, from, count) => {
        const model = new TaskTableModel(60, TaskState.ready);
        for (const each of steps) act(model, each);
        const start = from % 60;
        for (const name of TASK_STATES) {
          const state = TaskState[name];
          expect([...model.table.runsOf(state)]).toEqual(model.runsOf(state));
          const within = Math.min(count, 60 - start);
          expect([...model.table.runsOf(state, start, within)]).toEqual(model.runsOf(state, start, within));
          expect([...model.table.runsOf(state, start, 0)]).toEqual([]);
        }
      }),
    );
  });

  it('stores no page for a million tasks that move together', () => {
    const table = new TaskTable(1_000_000, TaskState.blocked);
    const told: unknown[] = [];
    table.moveAll(TaskState.blocked, TaskState.skipped, TaskReason.dependencyNeverSatisfied, (...run) =>
      told.push(run),
    );
    expect(told).toEqual([[0, 1_000_000]]);
    expect(table.dirty.size).toBe(0);
    expect(table.ground).toBe(TaskState.skipped);
    expect(table.reasonOf(999_999)).toBe(TaskReason.dependencyNeverSatisfied);
  });

  it('stores only the pages of those that did not move with the ground', () => {
    const table = new TaskTable(3 * PAGE_TASKS, TaskState.ready);
    table.move(PAGE_TASKS + 5, TaskState.failed);
    table.touch(PAGE_TASKS + 5);
    table.dirty.clear();
    table.moveAll(TaskState.ready, TaskState.cancelled, TaskReason.cancelledByUser, () => {});
    expect([...table.dirty]).toEqual([1]);
    expect(table.reasonOf(PAGE_TASKS + 5)).toBe(TaskReason.none);
    expect(table.reasonOf(PAGE_TASKS + 6)).toBe(TaskReason.cancelledByUser);
    expect(table.reasonOf(0)).toBe(TaskReason.cancelledByUser);
  });

  it('keeps a reason given to the first task of a page that is stored', () => {
    const table = new TaskTable(PAGE_TASKS, TaskState.ready);
    table.setReason(3, 1, TaskReason.retryDelay);
    table.touch(3);
    expect(table.reasonOf(3)).toBe(TaskReason.retryDelay);
    expect(table.reasonOf(4)).toBe(TaskReason.none);
  });

  it('costs nothing to clear what was never set', () => {
    const table = new TaskTable(4, TaskState.ready);
    table.setFlag(1, TaskFlag.cancelRequested, false);
    table.setRetryTick(1, 0);
    table.setOutcome(1, 0);
    table.setCounters(1, 0, 0);
    const { flags, retryTicks, outcomes, failures, losses } = table;
    expect([flags, retryTicks, outcomes, failures, losses]).toEqual(new Array(5).fill(undefined));
    expect(table.dirty.size).toBe(0);
  });

  it('does not make eligible again what was held, or waits for its retry delay, when it comes back', () => {
    const table = new TaskTable(4, TaskState.ready);
    table.moveRun(0, 4, TaskState.ready, TaskState.leased);
    table.setFlag(0, TaskFlag.held, true);
    table.setRetryTick(1, 9);
    for (const position of [0, 1, 2]) table.move(position, TaskState.ready);
    expect([...table.eligible.sets[0].runs()]).toEqual([[2, 1]]);
    table.setFlag(0, TaskFlag.held, false);
    expect([...table.eligible.sets[0].runs()]).toEqual([
      [0, 1],
      [2, 1],
    ]);
    table.move(2, TaskState.ready);
    expect([table.counts[TaskState.ready], table.eligible.count]).toEqual([3, 2]);
  });

  it('has a text for every reason', () => {
    expect(TASK_REASONS).toHaveLength(Object.keys(TaskReason).length);
    expect(new Set(TASK_REASONS).size).toBe(TASK_REASONS.length);
  });
});

describe('a table that grows', () => {
  it('keeps what it knows, and has more tasks', () => {
    const table = new TaskTable(3, TaskState.ready);
    table.moveAll(TaskState.ready, TaskState.completed, TaskReason.none, () => {});
    table.grow(2, TaskState.ready);
    expect([...table.state]).toEqual([4, 4, 4, 1, 1]);
    expect([table.size, table.eligible.count, table.ended]).toEqual([5, 2, 3]);
    // The page is stored: a ground of another state would hide the new ones.
    expect([...table.touched]).toEqual([1]);
    expect(table.dirty.has(0)).toBe(true);
  });

  it('with every column in use', () => {
    const table = new TaskTable(2, TaskState.blocked);
    table.setReason(0, 2, TaskReason.deadline);
    table.setFlag(1, TaskFlag.held, true);
    table.setOutcome(1, 7);
    table.setCounters(1, 2, 3);
    table.setRetryTick(0, 9);
    table.setCondition(1, 1);
    table.grow(4_200, TaskState.blocked);
    expect(table.counts[TaskState.blocked]).toBe(4_202);
    expect(table.touched.length).toBe(2);
    const of = (at: number) => [
      table.reasonOf(at),
      table.hasFlag(at, TaskFlag.held),
      table.outcomes![at],
      table.failures![at],
      table.losses![at],
      table.retryTicks![at],
      table.conditions![at],
    ];
    expect(of(0)).toEqual([TaskReason.deadline, false, 0, 0, 0, 9, 0]);
    expect(of(1)).toEqual([TaskReason.deadline, true, 7, 2, 3, 0, 1]);
    expect(of(4_201)).toEqual([TaskReason.none, false, 0, 0, 0, 0, 0]);
  });

  it('stores nothing of tasks that are as the others of it', () => {
    const table = new TaskTable(1, TaskState.blocked);
    table.grow(9_999, TaskState.blocked);
    expect([table.dirty.size, [...table.touched]]).toEqual([0, [0, 0, 0]]);
    table.moveAll(TaskState.blocked, TaskState.ready, TaskReason.none, () => {});
    expect([table.counts[TaskState.ready], table.eligible.count, table.dirty.size]).toEqual([10_000, 10_000, 0]);
    table.setReason(9_999, 1, TaskReason.deadline);
    table.grow(1, TaskState.ready);
    expect([table.dirty.has(2), table.reasonOf(10_000)]).toEqual([true, TaskReason.none]);
  });
});
