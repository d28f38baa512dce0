import type { JobStateName, JobView } from '../../api/job.ts';
import type { WorkflowView } from '../../api/workflow.ts';
import { SpawnError } from '../../core/errors.ts';
import { parseJobRef } from '../../core/ids.ts';
import type { Ledger } from '../ledger.ts';
import { resolveRef } from '../refs.ts';
import type { Caller } from '../use-cases.ts';
import { edgesTo, viewJobs } from './graph.ts';
import { jobsOf } from './jobs-of.ts';

/** As it is now. `ref`: its name, or a number, array id or name of any of its jobs. */
export async function readWorkflow(ledger: Ledger, caller: Caller, ref: string): Promise<WorkflowView> {
  const jobs = await viewJobs(ledger, await findWorkflow(ledger, caller, ref));
  if (jobs.length === 0) throw new SpawnError('WORKFLOW_NOT_FOUND', { ref });
  return viewWorkflow(jobs);
}

/** @param jobs at least one, by number */
export function viewWorkflow(jobs: readonly JobView[]): WorkflowView {
  const { owner, workflow } = jobs[0]!;
  const { first, count, name } = workflow!;
  const ended = jobs.every(({ endedAt }) => endedAt !== undefined);
  // One that was skipped adds nothing: what it waited for tells, or it was there for a failure that did not come.
  const codes = jobs.map(({ state, exitCode = 0 }) => (state === 'skipped' ? 0 : exitCode));
  return {
    id: first,
    ...(name === undefined ? {} : { name }),
    owner,
    count,
    state: stateOf(jobs),
    ...(ended ? { exitCode: Math.max(...codes) } : {}),
    jobs: [...jobs],
    edges: edgesTo(jobs),
  };
}

/** The first that any of its jobs is in. */
const STATES: readonly JobStateName[] = [
  'running',
  'ready',
  'held',
  'blocked',
  'failed',
  'cancelled',
  'completed',
  'skipped',
];

function stateOf(jobs: readonly JobView[]): JobStateName {
  const states = new Set(jobs.map(({ state }) => state));
  return STATES.find((state) => states.has(state))!;
}

/** Numbers of its jobs. @throws WORKFLOW_NOT_FOUND, JOB_NOT_FOUND, AMBIGUOUS_NAME */
export async function findWorkflow(ledger: Ledger, caller: Caller, ref: string): Promise<readonly number[]> {
  const { memory, ports } = ledger;
  const parsed = parseJobRef(ref);
  const named = parsed.kind === 'name' ? await findNamed(ledger, caller, parsed.name) : undefined;
  if (named !== undefined) return named;
  const id = await resolveRef(memory, ports.store, ref, 'look').then(
    (found) => found.id,
    (error) => {
      throw parsed.kind === 'name' && (error as SpawnError).code === 'JOB_NOT_FOUND'
        ? new SpawnError('WORKFLOW_NOT_FOUND', { ref })
        : error;
    },
  );
  const { fixed } = memory.jobs.get(id) ?? { fixed: (await ports.store.loadJob(id))?.job };
  if (fixed === undefined) throw new SpawnError('JOB_NOT_FOUND', { ref });
  if (fixed.spec.workflow === undefined) {
    throw new SpawnError('WORKFLOW_NOT_FOUND', { ref, why: `job ${id} was submitted by itself` });
  }
  return jobsOf(fixed.spec.workflow);
}

/** The live one of that name, the caller's own before others; else the newest that has ended. */
async function findNamed(
  { memory, ports }: Ledger,
  caller: Caller,
  name: string,
): Promise<readonly number[] | undefined> {
  const live = [...memory.jobs.values()].filter(
    ({ job, fixed }) => job.endedAt === 0 && fixed.spec.workflow?.name === name,
  );
  const own = live.filter(({ fixed }) => fixed.owner === caller.owner && fixed.tenant === caller.tenant);
  const found = new Map((own.length > 0 ? own : live).map(({ fixed }) => [fixed.spec.workflow!.first, fixed.spec]));
  if (found.size > 1) {
    const candidates = [...found].map(([first, { workflow }]) => `${first} (${workflow!.count} jobs)`);
    throw new SpawnError('AMBIGUOUS_NAME', { name, candidates });
  }
  for (const { workflow } of found.values()) return jobsOf(workflow!);
  const ended = [...memory.jobs.values()].filter(({ fixed }) => fixed.spec.workflow?.name === name);
  const stored = await ports.store.findJobs({ live: false, workflowName: name, limit: 1 });
  const newest = [...stored, ...ended.map(({ fixed }) => fixed)].toSorted((a, b) => b.id - a.id)[0];
  return newest === undefined ? undefined : jobsOf(newest.spec.workflow!);
}
