import type { Caller, UseCases } from '../../src/coordinator/use-cases.ts';
import { SpawnError } from '../../src/core/errors.ts';
import { JOB, WORKFLOW } from './fake-replies.ts';

/** Notes what it was asked. */
export class Noting {
  /** Method and arguments, without the caller. */
  readonly calls: [string, ...unknown[]][] = [];
  readonly callers: Caller[] = [];
  /** Set: every use case that changes something fails with it. */
  failure: Error | undefined;

  protected note(name: string, caller: Caller, ...args: unknown[]): void {
    this.calls.push([name, ...args]);
    this.callers.push(caller);
    if (this.failure !== undefined) throw this.failure;
  }

  protected known(ref: string): void {
    if (!ref.startsWith('12')) throw new SpawnError('JOB_NOT_FOUND', { ref });
  }
}

type WorkflowCases = Pick<UseCases, 'submitWorkflow' | 'workflow' | 'workflowVerb' | 'graph'>;

/** What FakeUseCases answers of workflows. */
export class FakeWorkflows extends Noting implements WorkflowCases {
  submitWorkflow: UseCases['submitWorkflow'] = async (caller, request) => {
    this.note('submitWorkflow', caller, request);
    return { workflow: WORKFLOW, replayed: false, dryRun: request.dryRun ?? false };
  };

  workflow: UseCases['workflow'] = async (caller, ref) => {
    this.note('workflow', caller, ref);
    this.known(ref);
    return WORKFLOW;
  };

  workflowVerb: UseCases['workflowVerb'] = async (caller, verb, ref, selection) => {
    this.note('workflowVerb', caller, verb, ref, selection);
    this.known(ref);
    return { workflow: WORKFLOW, jobs: 1, tasks: 3 };
  };

  graph: UseCases['graph'] = async (caller, ref) => {
    this.note('graph', caller, ref);
    this.known(ref);
    return { jobs: [JOB], edges: [], cut: false };
  };
}
