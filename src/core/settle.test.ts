import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coreJob } from '../../test/support/core-jobs.ts';
import { CoreWorld } from '../../test/support/core-world.ts';
import { DependencyModel, type ModelJob, type ModelTask } from '../../test/support/dependency-model.ts';
import { parseDependency } from './dependency.ts';
import { IndexSet } from './index-set.ts';
import type { Job } from './job.ts';
import { TASK_STATES, TaskState } from './task-state.ts';
import { TaskReason } from './task-table.ts';

const MINUTE_MS = 60_000;
const TYPES = ['after', 'afterany', 'afterok', 'afternotok', 'aftercorr', 'aftercorr'] as const;

const plan = fc.record({
  indices: fc.uniqueArray(fc.nat(4), { minLength: 1, maxLength: 4 }),
  name: fc.constantFrom('x', 'y'),
  any: fc.boolean(),
  terms: fc.array(
    fc.record({
      singleton: fc.nat(5).map((n) => n === 0),
      type: fc.constantFrom(...TYPES),
      on: fc.nat(),
      /** Which of the predecessor's indices are named, by bit; none = the whole array. */
      named: fc.oneof(fc.constant(0), fc.nat(15)),
      delay: fc.nat(3).map((n) => n === 0),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  policy: fc.constantFrom('skip' as const, 'skip' as const, 'wait' as const),
  maxFailures: fc.constantFrom(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0, 1),
  minSuccess: fc.constantFrom(1, 1, 0.5, 0.1),
});
type Plan = typeof plan extends fc.Arbitrary<infer T> ? T : never;

const step = fc.record({
  kind: fc.constantFrom(
    'start',
    'start',
    'end',
    'end',
    'end',
    'fail',
    'fail',
    'again',
    'cancel',
    'retry',
    'retry',
    'pass',
    'submit',
    'resume',
  ),
  job: fc.nat(),
  task: fc.nat(),
  many: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** The core and the model with the same jobs. */
class Both {
  readonly world = new CoreWorld();
  readonly model = new DependencyModel();

  submit({ indices, name, any, terms, policy, maxFailures, minSuccess }: Plan): void {
    const before = this.model.jobs;
    const id = before.length + 1;
    const modelTerms: ModelJob['terms'] = [];
    const texts = (before.length === 0 ? [] : terms).map(({ singleton, type, on, named, delay }) => {
      if (singleton) {
        modelTerms.push({ type: 'singleton', delayMs: 0 });
        return 'singleton';
      }
      const predecessor = before[on % before.length]!;
      const chosen = [...predecessor.tasks.keys()].filter((_, at) => (named & (1 << at)) !== 0);
      const delayMs = type === 'after' && delay ? MINUTE_MS : 0;
      modelTerms.push({ type, on: predecessor, delayMs, ...(chosen.length > 0 ? { indices: chosen } : {}) });
      return `${type}:${predecessor.id}${chosen.length > 0 ? `_[${chosen}]` : ''}${delayMs > 0 ? '+1' : ''}`;
    });
    const dependency = texts.length === 0 ? null : parseDependency(texts.join(any ? '?' : ','));
    const set = IndexSet.fromString(indices.join(','));
    const facts = { indices: set, name, dependency, invalidDependency: policy, maxFailures, minSuccess };
    this.world.submit(coreJob(id, facts));
    const sorted = [...indices].sort((a, b) => a - b);
    this.model.submit({
      id,
      name,
      tasks: new Map(
        sorted.map((index) => [
          index,
          { state: dependency === null ? 'ready' : 'blocked', started: false, never: false } as const,
        ]),
      ),
      mode: dependency?.mode ?? 'all',
      terms: modelTerms,
      states: modelTerms.map(() => 'pending'),
      due: modelTerms.map(() => 0),
      policy,
      maxFailures,
      minSuccess,
      missed: false,
      live: true,
      ended: new Set(),
    });
  }

  act({ kind, job: chosen, task: place, many }: Step): void {
    const { world, model } = this;
    const job = world.jobs[chosen % world.jobs.length]!;
    const twin = model.jobs[chosen % world.jobs.length]!;
    const position = place % job.size;
    switch (kind) {
      case 'start':
        this.#move('ready', 'running', place, (each, at) => world.start(each, at));
        break;
      case 'end':
        this.#move('running', 'completed', place, (each, at) => world.end(each, at, TaskState.completed));
        break;
      case 'fail':
        this.#move('running', 'failed', place, (each, at) => world.end(each, at, TaskState.failed));
        break;
      case 'again':
        this.#move('running', 'ready', place, (each, at) => world.end(each, at, TaskState.ready));
        break;
      case 'cancel': {
        const [from, count] = many ? [0, job.size] : [position, 1];
        for (const [at, each] of [...twin.tasks.values()].entries()) {
          const named = at >= from && at < from + count;
          if (named && (each.state === 'ready' || each.state === 'blocked')) each.state = 'cancelled';
        }
        world.cancel(job, from, count);
        break;
      }
      case 'retry':
        this.#retry(job, twin, many ? null : position);
        return;
      case 'pass':
        model.now += MINUTE_MS / 2;
        world.pass(MINUTE_MS / 2);
        break;
      case 'resume':
      case 'submit':
        // What is decided anew must come out the same.
        world.resume();
    }
    model.settle();
  }

  /** Moves one of the tasks that are in a state now. */
  #move(
    from: ModelTask['state'],
    to: ModelTask['state'],
    place: number,
    act: (job: Job, position: number) => void,
  ): void {
    const found = this.model.jobs.flatMap(({ tasks }, job) =>
      [...tasks.values()].flatMap((task, position) => (task.state === from ? [{ task, job, position }] : [])),
    );
    const one = found[place % Math.max(1, found.length)];
    if (one === undefined) return;
    one.task.state = to;
    if (to === 'running') one.task.started = true;
    act(this.world.jobs[one.job]!, one.position);
  }

  /** What failed, was cancelled, or completed, if it ever ran. */
  #retry(job: Job, twin: ModelJob, only: number | null): void {
    const positions = [...twin.tasks].flatMap(([, { state, started }], at) =>
      started && ['failed', 'cancelled', 'completed'].includes(state) && (only ?? at) === at ? [at] : [],
    );
    if (positions.length === 0) return;
    this.model.retry(
      twin,
      positions.map((at) => job.facts.indices.at(at)),
    );
    this.world.retry(job, positions);
  }

  check(): void {
    for (const [at, { tasks }] of this.model.jobs.entries()) {
      const { table, endedAt } = this.world.jobs[at]!;
      const found = [...table.state].map((state) => TASK_STATES[state]);
      expect(found, `job ${at + 1}`).toEqual([...tasks.values()].map(({ state }) => state));
      expect(endedAt === 0).toBe(this.model.jobs[at]!.live);
      for (const [position, { state, never }] of [...tasks.values()].entries()) {
        const expected = state === 'skipped' || (state === 'blocked' && never);
        if (state === 'cancelled') continue;
        expect(table.reasonOf(position) === TaskReason.dependencyNeverSatisfied).toBe(expected);
      }
    }
  }
}

function check(plans: readonly Plan[], first: number, steps: readonly Step[]): void {
  const both = new Both();
  const waiting = [...plans];
  for (let n = 0; n <= first && waiting.length > 0; n++) both.submit(waiting.shift()!);
  both.check();
  for (const each of steps) {
    const next = each.kind === 'submit' ? waiting.shift() : undefined;
    if (next !== undefined) both.submit(next);
    both.act(each);
    both.check();
  }
}

/**
 * Of several terms that must all hold, only those that ask for success; of several of which one is enough, no singleton; of several at
 * all, none with a delay. Of the others it depends on the order of decisions at one moment whether they were still looked at when the
 * first of them decided, and so what holds after a retry.
 */
function unambiguous(each: Plan): Plan {
  if (each.terms.length === 1) return each;
  const terms = each.terms.map((term) => ({
    ...term,
    type: term.type === 'aftercorr' || each.any ? term.type : ('afterok' as const),
    delay: false,
    singleton: term.singleton && !each.any,
  }));
  return { ...each, terms };
}

describe('settling', () => {
  const plans = fc.array(plan, { minLength: 2, maxLength: 5, size: 'max' });
  const steps = fc.array(step, { maxLength: 60, size: 'max' });

  it('ends as the plainest reading of the rules does, whatever starts, ends and is cancelled', () => {
    fc.assert(
      fc.property(plans, fc.nat(4), steps, (jobs, first, all) => {
        check(
          jobs,
          first,
          all.filter(({ kind }) => kind !== 'retry'),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('ends as the plainest reading of the rules does also when tasks are retried', () => {
    fc.assert(
      fc.property(plans, fc.nat(4), steps, (jobs, first, all) => {
        check(jobs.map(unambiguous), first, all);
      }),
      { numRuns: 1_000 },
    );
  });
});
