import { Readable } from 'node:stream';
import { RefParams } from '../../api/http.ts';
import { ErrorReply } from '../../api/job.ts';
import { BatchesQuery, BatchesReply, ResultsQuery, TaskResult } from '../../api/results.ts';
import type { App, Doors } from '../app.ts';
import { callerOf } from '../caller.ts';

export function resultRoutes(app: App, { useCases }: Doors): void {
  app.get(
    '/v1/jobs/:ref/results',
    {
      config: { role: 'any' },
      schema: {
        operationId: 'results',
        summary: 'Read what every task gave, in the order of the array',
        params: RefParams,
        querystring: ResultsQuery,
        response: {
          200: {
            description: 'a TaskResult a line, in JSON',
            content: { 'application/x-ndjson': { schema: TaskResult } },
          },
          default: ErrorReply,
        },
      },
    },
    async (request, reply) => {
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      const lines = await useCases.results(callerOf(request), request.params.ref, request.query, gone.signal);
      // The document tells what a line is; what is sent are bytes.
      return reply
        .header('content-type', 'application/x-ndjson')
        .send(Readable.from(lines, { objectMode: false }) as never);
    },
  );

  app.get(
    '/v1/jobs/:ref/batches',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'batches',
        summary: 'List how the parts of each file or value of an input fare',
        params: RefParams,
        querystring: BatchesQuery,
        response: { 200: BatchesReply, default: ErrorReply },
      },
    },
    (request) => useCases.batches(callerOf(request), request.params.ref, request.query),
  );
}
