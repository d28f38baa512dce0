import { RefParams } from '../../api/http.ts';
import { ErrorReply, RequeueRequest, RetryRequest, Selection, SignalRequest, VerbReply } from '../../api/job.ts';
import type { App, Doors } from '../app.ts';
import { callerOf } from '../caller.ts';

const VERBS = {
  cancel: 'Stop tasks',
  retry: 'Run failed, lost and cancelled tasks again',
  requeue: 'Run tasks again, also running and completed ones',
  hold: 'Start no more tasks',
  release: 'Undo a hold',
  suspend: 'Let what runs stand still',
  resume: 'Let what was suspended go on',
} as const;

const BODIES: { readonly [verb: string]: typeof RetryRequest | typeof RequeueRequest } = {
  retry: RetryRequest,
  requeue: RequeueRequest,
};

export function verbRoutes(app: App, { useCases }: Doors): void {
  for (const [verb, summary] of Object.entries(VERBS) as [keyof typeof VERBS, string][]) {
    app.post(
      `/v1/jobs/:ref/${verb}`,
      {
        config: { role: 'submit' },
        schema: {
          operationId: verb,
          summary,
          params: RefParams,
          body: BODIES[verb] ?? Selection,
          response: { 200: VerbReply, default: ErrorReply },
        },
        // No body selects all tasks.
        preValidation: async (request) => {
          // A body that is null was not meant so.
          if (request.body === undefined) request.body = {};
        },
      },
      (request) => useCases[verb](callerOf(request), request.params.ref, request.body),
    );
  }
  app.post(
    '/v1/jobs/:ref/signal',
    {
      config: { role: 'submit' },
      schema: {
        operationId: 'signal',
        summary: 'Send a signal to tasks that run',
        params: RefParams,
        body: SignalRequest,
        response: { 200: VerbReply, default: ErrorReply },
      },
    },
    (request) => useCases.signal(callerOf(request), request.params.ref, request.body),
  );
}
