import { Readable } from 'node:stream';
import { CheckpointParams, Nothing, Octets } from '../../api/http.ts';
import { ErrorReply } from '../../api/job.ts';
import { MAX_CHECKPOINT_BYTES } from '../../api/limits.ts';
import type { App, Doors } from '../app.ts';
import { callerOf } from '../caller.ts';

const OCTETS = 'application/octet-stream';

/** Registered in a context of its own: bytes are taken as they come, and never held as a whole. */
export async function checkpointRoutes(app: App, { useCases }: Doors): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(OCTETS, (_request, payload, done) => done(null, payload));

  app.put(
    '/v1/sessions/:id/checkpoints/:fence',
    {
      bodyLimit: MAX_CHECKPOINT_BYTES,
      config: { role: 'worker', mediaType: OCTETS },
      schema: {
        operationId: 'putCheckpoint',
        summary: 'A worker replaces the checkpoint of a task that it runs, given as bytes',
        consumes: [OCTETS],
        params: CheckpointParams,
        response: { 204: Nothing, default: ErrorReply },
      },
    },
    async (request, reply) => {
      const { id, fence } = request.params;
      const body: unknown = request.body;
      // No bytes at all are a checkpoint too.
      const chunks = body instanceof Readable ? body : Readable.from([]);
      await useCases.putCheckpoint(callerOf(request), id, fence, chunks);
      return reply.code(204).send(undefined);
    },
  );

  app.get(
    '/v1/sessions/:id/checkpoints/:fence',
    {
      config: { role: 'worker' },
      schema: {
        operationId: 'checkpoint',
        summary: 'Read the newest checkpoint of a task, for the worker that runs it',
        params: CheckpointParams,
        response: {
          200: { description: 'its bytes', content: { [OCTETS]: { schema: Octets } } },
          default: ErrorReply,
        },
      },
    },
    async (request, reply) => {
      const { id, fence } = request.params;
      const { bytes, chunks } = await useCases.checkpoint(callerOf(request), id, fence);
      reply.header('content-type', OCTETS).header('content-length', bytes);
      return reply.send(Readable.from(chunks, { objectMode: false }));
    },
  );
}
