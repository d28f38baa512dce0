import { StopReply } from '../../api/http.ts';
import { ErrorReply } from '../../api/job.ts';
import { ServerView } from '../../api/server-view.ts';
import { SpawnError } from '../../core/errors.ts';
import type { App, Doors } from '../app.ts';
import { callerOf } from '../caller.ts';

export function serverRoutes(app: App, { useCases, options, listens }: Doors): void {
  app.get(
    '/v1/server',
    {
      config: { role: 'read' },
      schema: { operationId: 'server', summary: 'Show the server', response: { 200: ServerView, default: ErrorReply } },
    },
    async (request) => {
      const view = await useCases.server(callerOf(request));
      return listens.length === 0 ? view : { ...view, listens };
    },
  );

  app.post(
    '/v1/server/stop',
    {
      config: { role: 'admin' },
      schema: {
        operationId: 'stopServer',
        summary: 'Stop the server and local workers',
        response: { 200: StopReply, default: ErrorReply },
      },
    },
    async (_request, reply) => {
      const { onStop } = options;
      if (onStop === undefined) throw new SpawnError('NOT_PERMITTED', { action: 'stop the server' });
      reply.raw.once('close', onStop);
      return reply.header('connection', 'close').send({ stopping: true as const });
    },
  );
}
