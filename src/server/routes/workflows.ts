import { RefParams, SubmitHeaders } from '../../api/http.ts';
import { ErrorReply } from '../../api/job.ts';
import {
  GraphReply,
  WorkflowReply,
  WorkflowRequest,
  WorkflowSelection,
  WorkflowVerbParams,
  WorkflowVerbReply,
  WorkflowView,
} from '../../api/workflow.ts';
import type { App, Doors } from '../app.ts';
import { callerOf } from '../caller.ts';
import { withKey } from '../with-key.ts';

export function workflowRoutes(app: App, { useCases }: Doors): void {
  app.post(
    '/v1/workflows',
    {
      config: { role: 'submit' },
      schema: {
        operationId: 'submitWorkflow',
        summary: 'Submit jobs that wait for each other, all or none',
        headers: SubmitHeaders,
        body: WorkflowRequest,
        response: { 200: WorkflowReply, default: ErrorReply },
      },
    },
    (request) => useCases.submitWorkflow(callerOf(request), withKey(request.body, request.headers['idempotency-key'])),
  );

  app.get(
    '/v1/workflows/:ref',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'workflow',
        summary: 'Show a workflow',
        params: RefParams,
        response: { 200: WorkflowView, default: ErrorReply },
      },
    },
    (request) => useCases.workflow(callerOf(request), request.params.ref),
  );

  app.post(
    '/v1/workflows/:ref/:verb',
    {
      config: { role: 'submit' },
      schema: {
        operationId: 'workflowVerb',
        summary: 'Cancel, hold, release or retry all jobs of a workflow',
        params: WorkflowVerbParams,
        body: WorkflowSelection,
        response: { 200: WorkflowVerbReply, default: ErrorReply },
      },
      // No body selects all tasks.
      preValidation: async (request) => {
        if (request.body === undefined) request.body = {};
      },
    },
    (request) => {
      const { verb, ref } = request.params;
      return useCases.workflowVerb(callerOf(request), verb, ref, request.body);
    },
  );

  app.get(
    '/v1/jobs/:ref/graph',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'graph',
        summary: 'Show a job with all that it is tied to by dependencies',
        params: RefParams,
        response: { 200: GraphReply, default: ErrorReply },
      },
    },
    (request) => useCases.graph(callerOf(request), request.params.ref),
  );
}
