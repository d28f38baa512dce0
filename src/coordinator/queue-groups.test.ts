import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import type { Blocker } from '../api/insight.ts';
import { QueueQuery } from '../api/queue.ts';
import { IndexSet } from '../core/index-set.ts';
import type { Job } from '../core/job.ts';
import { encodeOutcome } from '../core/outcome.ts';
import type { QueueReason } from '../core/queue-reason.ts';
import { TASK_STATES, TaskState } from '../core/task-state.ts';
import { TaskReason } from '../core/task-table.ts';
import { taskBlockers } from './why-rules.ts';

const SIZE = 12;
const ARRAY = `0-${SIZE - 1}`;
const FAILED = encodeOutcome({ kind: 'exited', code: 1 });

/** What `why` says first of a task that waits, in Slurm's words. */
const WORDS: Partial<Record<Blocker['rule'], readonly QueueReason[]>> = {
  hold: ['JobHeldUser', 'job_requeued_in_held_state'],
  begin: ['BeginTime'],
  retryDelay: ['BeginTime'],
  canary: ['JobArrayTaskLimit'],
  throttle: ['JobArrayTaskLimit'],
  noWorker: ['ReqNodeNotAvail'],
  neverFits: ['PartitionNodeLimit'],
  resources: ['Resources', 'Priority'],
  priority: ['Priority', 'Resources'],
  turn: ['Priority', 'Resources'],
};
const FIRST = ['hold', 'dependency', 'begin', 'retryDelay', 'canary'];

/** Asked of the task alone, by the rules that answer `why`. */
function reasonsOf(at: LedgerAtHand, job: Job, position: number): readonly QueueReason[] {
  const { table } = job;
  if (table.state[position] === TaskState.leased) return ['None'];
  const blockers = taskBlockers({ memory: at.ledger.memory, job, now: at.clock.now(), position }, position);
  const sorted = blockers.toSorted((a, b) => rank(a.rule) - rank(b.rule));
  const [first] = sorted;
  if (first === undefined) return ['None'];
  if (first.rule !== 'dependency') return WORDS[first.rule]!;
  const never = table.reasonOf(position) === TaskReason.dependencyNeverSatisfied;
  return [never ? 'DependencyNeverSatisfied' : 'Dependency'];
}

function rank(rule: Blocker['rule']): number {
  const at = FIRST.indexOf(rule);
  return at < 0 ? FIRST.length : at;
}

const job = fc.record({
  throttle: fc.constantFrom(0, 1, 3),
  after: fc.constantFrom('', 'afterok', 'aftercorr', 'afternotok', 'singleton'),
  invalidDependency: fc.constantFrom('skip' as const, 'wait' as const),
  hold: fc.boolean(),
  begins: fc.constantFrom(0, 0, 5_000),
  cpus: fc.constantFrom(1, 1, 2, 64),
  priority: fc.constantFrom(0, 0, 1),
  retries: fc.constantFrom(0, 2),
  canary: fc.constantFrom(0, 0, 2),
});
const act = fc.record({
  what: fc.constantFrom('start', 'end', 'fail', 'hold', 'release', 'cancel', 'priority', 'after', 'retry', 'pass'),
  job: fc.nat(3),
  from: fc.nat(SIZE - 1),
  count: fc.integer({ min: 1, max: SIZE }),
});

test('groups and tasks of the queue are what a look at every task gives', async () => {
  const walk = async (
    jobs: readonly (typeof job extends fc.Arbitrary<infer T> ? T : never)[],
    acts: readonly (typeof act extends fc.Arbitrary<infer T> ? T : never)[],
    joins: boolean,
    limit: number,
  ) => {
    const at = await LedgerAtHand.open();
    const worker = joins ? await WorkerAtHand.join(at) : undefined;
    const ids: number[] = [];
    for (const { after, begins, ...spec } of jobs) {
      const last = ids.at(-1);
      const dependency = after === 'singleton' ? after : last === undefined ? '' : `${after}:${last}`;
      const name = 'same';
      const begin = begins === 0 ? {} : { beginInMs: begins };
      const wait = after === '' || dependency === '' ? {} : { after: dependency };
      ids.push(await at.submit({ array: ARRAY, name, ...spec, retryDelayMs: 1_000, ...begin, ...wait }));
    }
    for (const { what, job: number, from, count } of acts) {
      const id = ids[number % ids.length]!;
      const ref = `${id}_[${from}-${Math.min(SIZE - 1, from + count - 1)}]`;
      const held = worker === undefined ? [] : [...worker.held.values()].filter((each) => each.job === id);
      try {
        if (what === 'hold') await at.coordinator.hold(CALLER, count === SIZE ? String(id) : ref, {});
        if (what === 'release') await at.coordinator.release(CALLER, count === SIZE ? String(id) : ref, {});
        if (what === 'cancel') await at.coordinator.cancel(CALLER, ref, {});
        if (what === 'retry') await at.coordinator.retry(CALLER, ref, {});
        if (what === 'priority') await at.coordinator.update(CALLER, ref, { priority: count % 3 });
        if (what === 'after') await at.coordinator.update(CALLER, ref, { after: `afterany:${ids[0]}` });
      } catch {
        // Refused: the job has ended, or it would wait for itself.
      }
      if (what === 'pass') at.clock.pass(500);
      const [first] = held;
      if (first !== undefined && ['start', 'end', 'fail'].includes(what)) {
        if (what === 'start') await worker!.start(id, first.position);
        else await worker!.end(id, [first.position], what === 'fail' ? FAILED : 0);
      }
      await at.ledger.idle();
    }
    const seen = new Map<string, string>();
    for (let after: string | undefined; ; ) {
      const query = QueueQuery.parse({ limit, ...(after === undefined ? {} : { after }) });
      const { jobs: told, next } = await at.coordinator.queue(CALLER, query);
      for (const { job: view, groups, tasks } of told) {
        for (const { state, reason, indices, count, lane, after: text } of groups) {
          const set = IndexSet.fromString(indices);
          expect(set.size).toBe(count);
          for (let n = 0; n < count; n++) {
            const id = `${view.id}_${set.at(n)}`;
            expect(seen.has(id)).toBe(false);
            seen.set(id, JSON.stringify({ state, lane, text, reason }));
          }
        }
        for (const { id, state } of tasks) {
          expect(seen.has(id)).toBe(false);
          seen.set(id, state);
        }
      }
      after = next;
      if (after === undefined) break;
    }
    for (const { job: each } of at.ledger.memory.jobs.values()) {
      for (let position = 0; position < each.size; position++) {
        const state = each.table.state[position]!;
        const told = seen.get(`${each.id}_${position}`);
        seen.delete(`${each.id}_${position}`);
        if (state >= TaskState.completed) expect(told).toBeUndefined();
        else if (state === TaskState.running) expect(told).toBe('running');
        else {
          const { reason, ...rest } = JSON.parse(told!) as { reason: QueueReason };
          const text = state === TaskState.blocked ? each.conditionOf(position).text : undefined;
          expect(rest).toEqual(
            JSON.parse(JSON.stringify({ state: TASK_STATES[state], lane: each.table.eligible.laneOf(position), text })),
          );
          expect(reasonsOf(at, each, position)).toContain(reason);
        }
      }
    }
    expect([...seen]).toEqual([]);
  };
  const jobs = fc.array(job, { minLength: 1, maxLength: 4 });
  const acts = fc.array(act, { maxLength: 15 });
  await fc.assert(fc.asyncProperty(jobs, acts, fc.boolean(), fc.constantFrom(1, 4, 1_000), walk), { numRuns: 150 });
});
