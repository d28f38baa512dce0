import type {
  GraphReply,
  WorkflowReply,
  WorkflowRequestInput,
  WorkflowSelection,
  WorkflowVerb,
  WorkflowVerbReply,
  WorkflowView,
} from '../api/workflow.ts';
import type { CallOptions } from './connection.ts';
import { ListCalls } from './list-calls.ts';
import { jobPath } from './paths.ts';
import { randomKey } from './random-key.ts';

/** Jobs that belong together. A `ref` of a workflow is its name, or names any of its jobs. */
export class WorkflowCalls extends ListCalls {
  /**
   * Submits jobs that wait for each other, all of them or none: `after` of each may name others by `@key`, in any order. Happens once, however
   * often it is sent: a key is made when the request has none. `dryRun: true` checks everything and changes nothing. Errors: those of `submit`,
   * with the job in `where`; DEPENDENCY_CYCLE with the keys on its way.
   */
  submitWorkflow(request: WorkflowRequestInput, options?: CallOptions): Promise<WorkflowReply> {
    const idempotencyKey = request.idempotencyKey ?? randomKey();
    return this.json('POST', '/v1/workflows', options, { body: { ...request, idempotencyKey } });
  }

  /** A workflow as it is now: its jobs by number, and what they wait for. Errors: WORKFLOW_NOT_FOUND, JOB_NOT_FOUND, AMBIGUOUS_NAME. */
  workflow(ref: string, options?: CallOptions): Promise<WorkflowView> {
    return this.json('GET', workflowPath(ref), options);
  }

  /**
   * Cancels, holds, releases or retries all jobs of a workflow, in one change; `state` and `where` select some of their tasks, as with a job.
   * `retry` is not sent again when the link breaks. Errors: those of `workflow`, BAD_FILTER; NOT_PERMITTED for one of another owner.
   */
  workflowVerb(
    verb: WorkflowVerb,
    ref: string,
    selection: WorkflowSelection = {},
    options?: CallOptions,
  ): Promise<WorkflowVerbReply> {
    const sent = { body: selection, repeatable: verb !== 'retry' };
    return this.json('POST', `${workflowPath(ref)}/${verb}`, options, sent);
  }

  /** A job with all that it is tied to, directly or through others: by dependencies, or by the workflow they came with. At most 10,000 jobs. */
  graph(ref: string, options?: CallOptions): Promise<GraphReply> {
    return this.json('GET', `${jobPath(ref)}/graph`, options);
  }
}

function workflowPath(ref: string): string {
  return `/v1/workflows/${encodeURIComponent(ref)}`;
}
