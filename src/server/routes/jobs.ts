import { Octets, RefParams, SubmitHeaders } from '../../api/http.ts';
import {
  ErrorReply,
  JobsQuery,
  JobsReply,
  JobView,
  SubmitReply,
  SubmitRequest,
  TasksQuery,
  TasksReply,
  UpdateRequest,
  VerbReply,
} from '../../api/job.ts';
import type { App, Doors } from '../app.ts';
import { callerOf } from '../caller.ts';
import { withKey } from '../with-key.ts';

const OCTETS = 'application/octet-stream';

export function jobRoutes(app: App, { useCases }: Doors): void {
  app.post(
    '/v1/jobs',
    {
      config: { role: 'submit' },
      schema: {
        operationId: 'submit',
        summary: 'Submit a job',
        headers: SubmitHeaders,
        body: SubmitRequest,
        response: { 200: SubmitReply, default: ErrorReply },
      },
    },
    (request) => useCases.submit(callerOf(request), withKey(request.body, request.headers['idempotency-key'])),
  );

  app.get(
    '/v1/jobs',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'jobs',
        summary: 'List jobs',
        querystring: JobsQuery,
        response: { 200: JobsReply, default: ErrorReply },
      },
    },
    (request) => useCases.jobs(callerOf(request), request.query),
  );

  app.get(
    '/v1/jobs/:ref',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'job',
        summary: 'Show a job',
        params: RefParams,
        response: { 200: JobView, default: ErrorReply },
      },
    },
    (request) => useCases.job(callerOf(request), request.params.ref),
  );

  app.patch(
    '/v1/jobs/:ref',
    {
      config: { role: 'submit' },
      schema: {
        operationId: 'update',
        summary: 'Change a job',
        params: RefParams,
        body: UpdateRequest,
        response: { 200: VerbReply, default: ErrorReply },
      },
    },
    (request) => useCases.update(callerOf(request), request.params.ref, request.body),
  );

  app.get(
    '/v1/jobs/:ref/tasks',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'tasks',
        summary: 'List tasks of a job',
        params: RefParams,
        querystring: TasksQuery,
        response: { 200: TasksReply, default: ErrorReply },
      },
    },
    (request) => useCases.tasks(callerOf(request), request.params.ref, request.query),
  );

  app.get(
    '/v1/jobs/:ref/script',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'script',
        summary: 'Give the script of a job back, as bytes',
        params: RefParams,
        response: {
          200: { description: 'its bytes', content: { [OCTETS]: { schema: Octets } } },
          default: ErrorReply,
        },
      },
    },
    async (request, reply) => {
      const bytes = await useCases.script(callerOf(request), request.params.ref);
      return reply.header('content-type', OCTETS).send(bytes);
    },
  );
}
