import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { coreJob } from '../../test/support/core-jobs.ts';
import type { Job } from './job.ts';
import { TaskState } from './task-state.ts';
import { stretchesOf, type TaskStretch } from './task-stretches.ts';
import { TaskFlag, TaskReason } from './task-table.ts';

type Known = Omit<TaskStretch, 'start' | 'count'>;

/** What the walk says of a task, asked of that task alone; what a stretch need not know is left out. */
function known(job: Job, at: number): Partial<Known> {
  const { table } = job;
  const state = table.state[at] as TaskState;
  const eligible = table.eligible.has(at);
  if (state >= TaskState.running && state < TaskState.cancelled) return { state };
  const held = table.hasFlag(at, TaskFlag.held);
  const tried = table.attempts[at]! > 0;
  const asks = state >= TaskState.cancelled || held || (job.held && job.retried > 0);
  return {
    state,
    eligible,
    lane: table.eligible.laneOf(at),
    ...(eligible ? {} : { condition: table.conditions?.[at] ?? 0, reason: table.reasonOf(at) }),
    held,
    tried: asks && tried,
  };
}

/** Cheaper than an expectation, of which a walk would need thousands. */
function agree(stretch: TaskStretch, alone: Partial<Known>): boolean {
  return (Object.keys(alone) as (keyof Known)[]).every((name) => stretch[name] === alone[name]);
}

function checkWalk(job: Job, from = 0, to = job.size): TaskStretch[] {
  const stretches = [...stretchesOf(job, from, to)];
  let next = from;
  for (const stretch of stretches) {
    expect(stretch.start).toBe(next);
    expect(stretch.count).toBeGreaterThan(0);
    next += stretch.count;
    for (let at = stretch.start; at < next; at++) {
      const alone = known(job, at);
      if (!agree(stretch, alone)) expect(stretch).toMatchObject(alone);
    }
  }
  expect(next).toBe(Math.max(from, to));
  return stretches;
}

/** Two pages and a bit. */
const SIZE = 8_300;
const STATES = Object.values(TaskState);
const run = fc
  .tuple(fc.nat(SIZE - 1), fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: SIZE })))
  .map(([start, count]) => ({ start, count: Math.min(count, SIZE - start) }));
const change = fc.record({
  run,
  what: fc.constantFrom('state', 'reason', 'held', 'lane', 'condition', 'retry', 'tried'),
  value: fc.nat(7),
});

describe('stretches', () => {
  test('agree with a look at every task', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(TaskState.ready, TaskState.blocked),
        fc.array(change, { maxLength: 12 }),
        fc.boolean(),
        fc.option(fc.uniqueArray(fc.nat(SIZE - 1), { minLength: 1, maxLength: 5 }), { nil: undefined }),
        run,
        (ground, changes, held, gate, asked) => {
          const job = coreJob(1, { size: SIZE }, ground);
          const { table } = job;
          job.addLane({ ...job.lanes[0].terms, priority: 1 });
          for (const {
            run: { start, count },
            what,
            value,
          } of changes) {
            const each = (set: (at: number) => void) => {
              for (let at = start; at < start + Math.min(count, 50); at++) set(at);
            };
            if (what === 'state') each((at) => table.move(at, STATES[value]!));
            if (what === 'reason') table.setReason(start, count, (value % 4) as TaskReason);
            if (what === 'held') each((at) => table.setFlag(at, TaskFlag.held, value % 2 === 0));
            if (what === 'lane') table.setLane(start, count, value % 2);
            if (what === 'condition') each((at) => table.setCondition(at, value % 3));
            if (what === 'retry') each((at) => table.setRetryTick(at, value % 2));
            if (what === 'tried') table.attempts.fill(value % 2, start, start + count);
          }
          if (gate !== undefined) table.setGate(Uint32Array.from(gate.toSorted((a, b) => a - b)));
          job.held = held;
          job.retried = changes.length % 2;
          checkWalk(job);
          checkWalk(job, asked.start, asked.start + asked.count);
          expect([...stretchesOf(job, 5, 5)]).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('of a million tasks of which nothing is known are few', () => {
    const job = coreJob(1, { size: 1_000_000 });
    expect(checkTotal(job)).toBe(1);
    job.table.move(400_000, TaskState.leased);
    job.table.move(400_001, TaskState.leased);
    job.table.move(400_001, TaskState.running);
    expect(checkTotal(job)).toBe(4);
  });

  test('of held tasks of a job that is held tell apart which have run before', () => {
    const job = coreJob(1, { size: 4 });
    job.held = true;
    job.table.attempts[2] = 1;
    expect(checkWalk(job).length).toBe(1);
    job.retried = 1;
    expect(checkWalk(job).map(({ tried }) => tried)).toEqual([false, true, false]);
  });

  test('keep apart what is ready and waits for its retry from what may run', () => {
    const job = coreJob(1, { size: 6 });
    job.table.setRetryTick(2, 5);
    job.table.setReason(2, 1, TaskReason.retryDelay);
    expect(checkWalk(job).map(({ eligible, count }) => [eligible, count])).toEqual([
      [true, 2],
      [false, 1],
      [true, 3],
    ]);
  });
});

function checkTotal(job: Job): number {
  const stretches = [...stretchesOf(job, 0, job.size)];
  expect(stretches.reduce((sum, { count }) => sum + count, 0)).toBe(job.size);
  return stretches.length;
}
