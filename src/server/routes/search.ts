import { Readable } from 'node:stream';
import { RefParams } from '../../api/http.ts';
import { GrepMatch, GrepQuery, LogDiffQuery, LogDiffReply } from '../../api/insight.ts';
import { ErrorReply } from '../../api/job.ts';
import type { App, Doors } from '../app.ts';
import { beginReply } from '../begin-reply.ts';
import { callerOf } from '../caller.ts';

/** A search that fails within this time is answered with an error; later the status has been sent. */
const HEADERS_MS = 3_000;

export function searchRoutes(app: App, { useCases }: Doors): void {
  app.get(
    '/v1/jobs/:ref/grep',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'grep',
        summary: 'Find lines in the output of tasks',
        params: RefParams,
        querystring: GrepQuery,
        response: {
          200: {
            description: 'a GrepMatch a line, in JSON; last an ErrorReply if the search fails after it has begun',
            content: { 'application/x-ndjson': { schema: GrepMatch } },
          },
          default: ErrorReply,
        },
      },
    },
    async (request, reply) => {
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      const lines = await useCases.grep(callerOf(request), request.params.ref, request.query, gone.signal);
      const body = Readable.from(await beginReply(lines, HEADERS_MS), { objectMode: false });
      // The document tells what a line is; what is sent are bytes.
      return reply.header('content-type', 'application/x-ndjson').send(body as never);
    },
  );

  app.get(
    '/v1/jobs/:ref/log-diff',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'diffLogs',
        summary: 'List lines that occur only in failed tasks',
        params: RefParams,
        querystring: LogDiffQuery,
        response: { 200: LogDiffReply, default: ErrorReply },
      },
    },
    (request, reply) => {
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      return useCases.diffLogs(callerOf(request), request.params.ref, request.query, gone.signal);
    },
  );
}
