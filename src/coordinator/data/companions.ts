import { JobSpec } from '../../api/job-spec.ts';
import { type Dependency, formatDependency, type Term } from '../../core/dependency.ts';
import { SpawnError } from '../../core/errors.ts';
import type { JobId } from '../../core/ids.ts';
import { IndexSet } from '../../core/index-set.ts';
import type { Draft } from '../drafts.ts';
import { readsSameTasks } from './planned.ts';

/** Characters of a job's name. */
const LONGEST_NAME = 63;

/**
 * The jobs that one spec makes, in the order of their numbers: one that plans the parts of its input, the job itself, and one that makes one
 * thing of all results. What has to be there before the job is there before it is planned.
 *
 * @throws BAD_REQUEST
 */
export function withCompanions(draft: Draft, newNumber: () => JobId): readonly Draft[] {
  const { spec } = draft.checked;
  const planned = planIt(draft, newNumber);
  const collects = spec.output?.aggregate !== undefined || spec.output?.manifest !== undefined;
  return collects ? [...planned, collectIt(draft, newNumber())] : planned;
}

function planIt(draft: Draft, newNumber: () => JobId): readonly Draft[] {
  const { checked, number } = draft;
  const { spec, dependency } = checked;
  if (spec.input === undefined) return [draft];
  if (spec.input.type === 'job' && typeof spec.input.job === 'string') {
    throw new SpawnError('BAD_REQUEST', {
      where: 'spec.input.job',
      expected: 'the number of a job (keys are those of a workflow)',
      found: spec.input.job,
    });
  }
  const placeholder = { ...checked, indices: IndexSet.ofSize(1) };
  if (readsSameTasks(spec)) return [{ number, checked: waitingFor(placeholder, pairedWith(spec, dependency)) }];
  const planner = newNumber();
  const [before, own] = share(dependency, readFrom(spec));
  const terms = [afterOk(planner), ...own];
  return [
    companion(draft, planner, 'plan', before, { input: spec.input, ...leftOutTo(spec), ...timesOf(spec) }),
    { number, checked: waitingFor(placeholder, { mode: 'all', terms }) },
  ];
}

function collectIt(draft: Draft, number: JobId): Draft {
  const { input, output, params } = draft.checked.spec;
  const more = { output, ...(input === undefined ? {} : { input }), ...(params === undefined ? {} : { params }) };
  return companion(draft, number, 'collect', { mode: 'all', terms: [afterOk(draft.number)] }, more);
}

function companion(
  { number: of, checked: { spec, name } }: Draft,
  number: JobId,
  kind: 'plan' | 'collect',
  dependency: Dependency | null,
  more: object,
): Draft {
  const { cwd, umask, env, envSnapshot, user, stage, secrets, priority, workflow } = spec;
  const own = `${name.slice(0, LONGEST_NAME - kind.length - 1)}.${kind}`;
  const made = JobSpec.omit({ role: true }).parse({
    name: own,
    run: { kind: 'handler', module: `spawn:${kind}` },
    cwd,
    umask,
    env,
    ...(envSnapshot === undefined ? {} : { envSnapshot }),
    ...(user === undefined ? {} : { user }),
    ...(stage === undefined ? {} : { stage }),
    ...(secrets === undefined ? {} : { secrets }),
    priority,
    ...(dependency === null ? {} : { after: formatDependency(dependency) }),
    ...more,
  });
  // Numbers of drafts are below 0, which no request may say.
  const role = { kind, of };
  const group = workflow === undefined ? {} : { workflow: { ...workflow, key: keyOf(workflow.key, kind) } };
  return { number, checked: { spec: { ...made, role, ...group }, name: own, indices: null, dependency } };
}

function keyOf(key: string, kind: string): string {
  return `${key.slice(0, LONGEST_NAME - kind.length - 1)}.${kind}`;
}

/** Records that cannot be read go to a file of the output. */
function leftOutTo({ input, output }: JobSpec): object {
  if (input === undefined || !('bad' in input) || typeof input.bad !== 'object' || output?.to === undefined) return {};
  return { output: { to: output.to, ...(output.s3 === undefined ? {} : { s3: output.s3 }) } };
}

/** It looks at its input no earlier than the tasks would, and not after they have to have ended. */
function timesOf({ beginAt, beginInMs, deadlineAt, deadlineInMs }: JobSpec): object {
  return Object.fromEntries(
    Object.entries({ beginAt, beginInMs, deadlineAt, deadlineInMs }).filter(([, value]) => value !== undefined),
  );
}

function waitingFor(checked: Draft['checked'], dependency: Dependency): Draft['checked'] {
  return { ...checked, dependency, spec: { ...checked.spec, after: formatDependency(dependency) } };
}

function afterOk(jobId: JobId): Term {
  return { type: 'afterok', jobId, indices: null, delayMs: 0 };
}

/** The job whose output is read. */
function readFrom({ input }: JobSpec): JobId | undefined {
  return input?.type === 'job' && typeof input.job === 'number' ? (input.job as JobId) : undefined;
}

/** What must be before the plan, and what only the tasks themselves wait for: their partners and their turn. */
function share(
  dependency: Dependency | null,
  from: JobId | undefined,
): [before: Dependency | null, own: readonly Term[]] {
  const terms = dependency?.terms ?? [];
  const mode = dependency?.mode ?? 'all';
  const own = terms.filter(({ type }) => type === 'aftercorr' || type === 'singleton');
  if (mode === 'any' && (own.length > 0 || from !== undefined)) {
    throw new SpawnError('BAD_REQUEST', {
      where: 'spec.after',
      expected: 'conditions with "," of a job with an input that has to wait for its own',
      found: formatDependency(dependency!),
    });
  }
  const before = terms.filter((term) => !own.includes(term));
  const isNamed = before.some((term) => term.type !== 'singleton' && term.jobId === from);
  if (from !== undefined && !isNamed) before.push(afterOk(from));
  return [before.length === 0 ? null : { mode, terms: before }, own];
}

/** Task i reads what task i of the other job made: it waits for that, whatever else it waits for. */
function pairedWith(spec: JobSpec, dependency: Dependency | null): Dependency {
  const from = readFrom(spec)!;
  const terms = dependency?.terms ?? [];
  const isNamed = terms.some((term) => term.type !== 'singleton' && term.jobId === from);
  if (dependency !== null && isNamed) return dependency;
  if (dependency?.mode === 'any') {
    throw new SpawnError('BAD_REQUEST', {
      where: 'spec.after',
      expected: `conditions with "," beside that for job ${from}, which is read`,
      found: formatDependency(dependency),
    });
  }
  return { mode: 'all', terms: [{ type: 'aftercorr', jobId: from, indices: null, delayMs: 0 }, ...terms] };
}
