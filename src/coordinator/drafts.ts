import { type Dependency, formatDependency, type Term } from '../core/dependency.ts';
import { SpawnError } from '../core/errors.ts';
import type { JobId } from '../core/ids.ts';
import { IndexSet } from '../core/index-set.ts';
import { TaskState } from '../core/task-state.ts';
import { admitLaunch } from './instances/hooks.ts';
import type { Ledger } from './ledger.ts';
import type { JobEntry } from './memory.ts';
import { checkPredecessors } from './predecessors.ts';
import { makeJob } from './restore.ts';
import { addJob, type CheckedSubmit, makeFixed } from './submit.ts';
import { timesOf } from './times.ts';
import type { Caller } from './use-cases.ts';
import type { World } from './world.ts';

/** A job that is about to be submitted, perhaps with others that it waits for. */
export interface Draft {
  /** Stands for the number that it will get: below 0, as no job's is. Dependencies of others name it so. */
  readonly number: JobId;
  readonly checked: CheckedSubmit;
}

/** Gives numbers for drafts of one request. */
export function draftNumbers(): () => JobId {
  let last = 0;
  return () => --last as JobId;
}

export function isDraft(number: number): boolean {
  return number < 0;
}

/**
 * Checks drafts against what lives now: everything that could still be wrong, so that taking them cannot stop halfway.
 *
 * @throws DEPENDENCY_UNKNOWN_JOB, TASK_NOT_FOUND, NAME_TAKEN, BUDGET_EXCEEDED, BAD_REQUEST
 */
export function admitDrafts(ledger: Ledger, caller: Caller, drafts: readonly Draft[]): void {
  const { world } = ledger;
  const byNumber = new Map(drafts.map((draft) => [draft.number, draft.checked]));
  for (const { checked } of drafts) {
    const { dependency, spec } = checked;
    checkPredecessors(ledger, ofOthers(dependency));
    for (const term of dependency?.terms ?? []) checkIndices(term, byNumber);
    timesOf(spec, world.now);
    admitLaunch(world, makeFixed(checked, caller, { ...NUMBERLESS, createdAt: world.now }));
  }
}

/** What a job's row has in place of the numbers that it gets when it is taken. */
export const NUMBERLESS = { id: 0, rawIdBase: 0, random6hex: '000000' };

/** Without what it says of drafts. */
export function ofOthers(dependency: Dependency | null): Dependency | null {
  if (dependency === null) return null;
  return { ...dependency, terms: dependency.terms.filter((term) => term.type === 'singleton' || !isDraft(term.jobId)) };
}

function checkIndices(term: Term, byNumber: ReadonlyMap<JobId, CheckedSubmit>): void {
  if (term.type === 'singleton' || term.indices === null || !isDraft(term.jobId)) return;
  const { indices, name } = byNumber.get(term.jobId)!;
  const there = indices ?? IndexSet.ofSize(1);
  if (there.intersect(term.indices).size === term.indices.size) return;
  throw new SpawnError('TASK_NOT_FOUND', { ref: `${name}_[${term.indices}]`, array: String(there) });
}

/** Makes jobs of drafts in this order, which puts none before one that it waits for, with numbers that follow each other. */
export function takeDrafts(
  world: World,
  caller: Caller,
  drafts: readonly Draft[],
  randomHex: (digits: number) => string,
): JobEntry[] {
  const numbers = numbersFrom(drafts, world.memory.counters.nextJob);
  return drafts.map((draft) => addJob(world, withNumbers(draft, numbers), caller, randomHex(6)));
}

/** The same jobs, made and not taken, as they would be now. @param first what the first would be numbered */
export function imagineDrafts(ledger: Ledger, caller: Caller, drafts: readonly Draft[], first: number): JobEntry[] {
  const numbers = numbersFrom(drafts, first);
  const createdAt = ledger.world.now;
  return drafts.map((draft) => {
    const checked = withNumbers(draft, numbers);
    const { spec, dependency } = checked;
    const fixed = makeFixed(checked, caller, { ...NUMBERLESS, id: numbers.get(draft.number)!, createdAt });
    const job = makeJob(fixed, dependency === null ? TaskState.ready : TaskState.blocked);
    job.held = spec.hold;
    job.throttle = spec.throttle;
    job.priority = spec.priority;
    Object.assign(job, timesOf(spec, createdAt));
    return { job, fixed };
  });
}

function numbersFrom(drafts: readonly Draft[], first: number): ReadonlyMap<number, number> {
  return new Map(drafts.map(({ number }, at) => [number, first + at]));
}

function withNumbers({ checked }: Draft, numbers: ReadonlyMap<number, number>): CheckedSubmit {
  const number = <N extends number>(given: N) => (numbers.get(given) ?? given) as N;
  const { spec, dependency } = checked;
  const { role, workflow, input } = spec;
  const real =
    dependency === null
      ? null
      : {
          ...dependency,
          terms: dependency.terms.map((term) =>
            term.type === 'singleton' ? term : { ...term, jobId: number(term.jobId) },
          ),
        };
  return {
    ...checked,
    dependency: real,
    spec: {
      ...spec,
      ...(real === null ? {} : { after: formatDependency(real) }),
      ...(input?.type === 'job' ? { input: { ...input, job: number(Number(input.job)) } } : {}),
      ...(role === undefined ? {} : { role: { ...role, of: number(role.of) } }),
      ...(workflow === undefined ? {} : { workflow: { ...workflow, first: number(workflow.first) } }),
    },
  };
}
