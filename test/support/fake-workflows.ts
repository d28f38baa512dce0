import type { UseCases } from '../../src/coordinator/use-cases.ts';
import { FakeDataCalls } from './fake-data-calls.ts';
import { JOB, QUEUE, WORKFLOW } from './fake-replies.ts';

type WorkflowCases = Pick<UseCases, 'submitWorkflow' | 'workflow' | 'workflowVerb' | 'graph' | 'queue' | 'history'>;

/** What FakeUseCases answers of workflows, and of all jobs together. */
export class FakeWorkflows extends FakeDataCalls implements WorkflowCases {
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

  queue: UseCases['queue'] = async (caller, query) => {
    this.note('queue', caller, query);
    return QUEUE;
  };

  history: UseCases['history'] = async (caller, query) => {
    this.note('history', caller, query);
    return { now: 1_000, jobs: [{ job: JOB, lanes: [], groups: [], tasks: [] }], missing: [] };
  };
}
