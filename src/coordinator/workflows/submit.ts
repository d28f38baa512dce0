import { MAX_ARRAY_SIZE } from '../../api/limits.ts';
import type { WorkflowReply, WorkflowRequest } from '../../api/workflow.ts';
import { isSpawnError, SpawnError } from '../../core/errors.ts';
import { checkName, type JobId, nameLike } from '../../core/ids.ts';
import { orderByNeeds } from '../../core/topological.ts';
import { withCompanions } from '../data/companions.ts';
import { type Draft, draftNumbers, isDraft } from '../drafts.ts';
import type { Ledger } from '../ledger.ts';
import type { JobEntry, Memory } from '../memory.ts';
import { type CheckedSubmit, checkSubmit, hashRequest } from '../submit.ts';
import { findBefore, rehearse, type Submission, submitDrafts } from '../submit-drafts.ts';
import type { Caller } from '../use-cases.ts';
import { viewJob } from '../views.ts';
import { readWorkflow, viewWorkflow } from './read.ts';

type Jobs = WorkflowRequest['jobs'];

/** Submits all jobs of a workflow in one change, once for each idempotency key. */
export async function submitWorkflow(ledger: Ledger, caller: Caller, request: WorkflowRequest): Promise<WorkflowReply> {
  const { name, jobs, idempotencyKey: key } = request;
  if (name !== undefined) checkName(name);
  const drafts = draftsOf(name, jobs, ledger.ports.options.maxArraySize ?? MAX_ARRAY_SIZE);
  const submission: Submission = { drafts, main: drafts[0]!, key, bodyHash: hashRequest({ name, jobs }) };
  const replay = async (id: number): Promise<WorkflowReply> => {
    return { workflow: await readWorkflow(ledger, caller, String(id)), replayed: true, dryRun: false };
  };
  const before = await findBefore(ledger, caller, submission);
  if (before !== undefined) return await replay(before);
  const view = (memory: Memory, entries: readonly JobEntry[]) =>
    viewWorkflow(entries.map((entry) => viewJob(memory, entry)));
  if (request.dryRun === true) {
    return { workflow: await rehearse(ledger, caller, submission, 1, view), replayed: false, dryRun: true };
  }
  const done = await submitDrafts(ledger, caller, submission, view);
  return 'before' in done ? await replay(done.before) : { workflow: done.taken, replayed: false, dryRun: false };
}

/** In an order in which each comes after all that it waits for. */
function draftsOf(name: string | undefined, jobs: Jobs, maxArraySize: number): Draft[] {
  const next = draftNumbers();
  const keys = new Map<string, JobId>();
  for (const [at, { key }] of jobs.entries()) {
    if (keys.has(key)) {
      throw new SpawnError('BAD_REQUEST', { where: `jobs[${at}].key`, expected: 'a key once', found: key });
    }
    keys.set(key, next());
  }
  const checked = jobs.map((job, at) => inJob(at, job.key, () => checkJob(job, maxArraySize, keys)));
  const order = orderOf(jobs, checked);
  const first = keys.get(jobs[order[0]!]!.key)!;
  const ordered = order.map((at): Draft => {
    const { key, onFailure } = jobs[at]!;
    const more = { ...(name === undefined ? {} : { name }), ...(onFailure === 'stop' ? { stop: true } : {}) };
    const workflow = { first, count: jobs.length, key, ...more };
    const one = checked[at]!;
    return { number: keys.get(key)!, checked: { ...one, spec: { ...one.spec, workflow } } };
  });
  const all = ordered.flatMap((draft) => withCompanions(draft, next));
  return all.map((draft) => inGroup(draft, all));
}

/** A group begins with the first of its jobs, which may be one that plans another. */
function inGroup({ number, checked }: Draft, all: readonly Draft[]): Draft {
  const workflow = { ...checked.spec.workflow!, first: all[0]!.number, count: all.length };
  return { number, checked: { ...checked, spec: { ...checked.spec, workflow } } };
}

function checkJob({ key, spec }: Jobs[number], maxArraySize: number, keys: ReadonlyMap<string, JobId>): CheckedSubmit {
  if (spec.instances !== undefined) {
    throw new SpawnError('BAD_REQUEST', {
      where: 'spec.instances',
      expected: 'none in a workflow (instances are launched by themselves, with after)',
      found: 'some',
    });
  }
  const input = spec.input?.type === 'job' ? { input: { ...spec.input, job: numberOf(spec.input.job, keys) } } : {};
  return checkSubmit({ ...spec, name: spec.name ?? nameLike(key), ...input }, maxArraySize, keys);
}

function numberOf(job: number | string, keys: ReadonlyMap<string, JobId>): number {
  if (typeof job === 'number') return job;
  const number = keys.get(job);
  if (number !== undefined) return number;
  throw new SpawnError('BAD_REQUEST', {
    where: 'spec.input.job',
    expected: 'the key of a job of the request',
    found: job,
  });
}

/** Errors: DEPENDENCY_CYCLE with the keys on its way. */
function orderOf(jobs: Jobs, checked: readonly CheckedSubmit[]): readonly number[] {
  // Numbers of drafts are given from -1 down.
  const placeOf = (number: number) => -1 - number;
  const ordered = orderByNeeds(jobs.length, function* (at) {
    const { dependency, spec } = checked[at]!;
    for (const term of dependency?.terms ?? []) {
      if (term.type !== 'singleton' && isDraft(term.jobId)) yield placeOf(term.jobId);
    }
    const { input } = spec;
    if (input?.type === 'job' && typeof input.job === 'number' && isDraft(input.job)) yield placeOf(input.job);
  });
  if ('order' in ordered) return ordered.order;
  throw new SpawnError('DEPENDENCY_CYCLE', { jobs: ordered.cycle.map((at) => jobs[at]!.key) });
}

/** What is wrong with a spec is told with the job it is the spec of. */
function inJob<T>(at: number, key: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isSpawnError(error)) throw error;
    const { where } = error.details;
    const place = `jobs[${at}] (${key})`;
    throw error.with({ where: where === undefined ? place : `${place}.${String(where)}` });
  }
}
