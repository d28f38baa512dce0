import { Readable } from 'node:stream';
import { Octets, RefParams } from '../../api/http.ts';
import { ErrorReply, LogQuery } from '../../api/job.ts';
import type { App, Doors } from '../app.ts';
import { callerOf } from '../caller.ts';

export function logsRoute(app: App, { useCases }: Doors): void {
  app.get(
    '/v1/jobs/:ref/logs',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'logs',
        summary: 'Read the output of tasks, as log records one after another',
        params: RefParams,
        querystring: LogQuery,
        response: {
          200: { description: 'log records', content: { 'application/octet-stream': { schema: Octets } } },
          default: ErrorReply,
        },
      },
    },
    async (request, reply) => {
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      const chunks = await useCases.logs(callerOf(request), request.params.ref, request.query, gone.signal);
      // Readable asks for a chunk only when the reader has taken the ones before.
      const body = Readable.from(chunks, { objectMode: false });
      return reply.header('content-type', 'application/octet-stream').send(body);
    },
  );
}
