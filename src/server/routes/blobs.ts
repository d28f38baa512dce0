import { LogPieceParams, LogPieceQuery, LogPieceReply } from '../../api/access.ts';
import { BlobHashParams, BlobKindParams, BlobReply, Octets } from '../../api/http.ts';
import { ErrorReply } from '../../api/job.ts';
import { MAX_BLOB_BYTES, MAX_LOG_PIECE_BYTES } from '../../api/limits.ts';
import type { App, Doors } from '../app.ts';
import { callerOf } from '../caller.ts';

const OCTETS = 'application/octet-stream';

/** Registered in a context of its own, which takes bytes where all other routes take JSON. */
export async function blobRoutes(app: App, doors: Doors): Promise<void> {
  const { useCases } = doors;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(OCTETS, { parseAs: 'buffer' }, (_request, bytes, done) => done(null, bytes));

  app.post(
    '/v1/blobs/:kind',
    {
      bodyLimit: MAX_BLOB_BYTES,
      config: { role: 'submit', mediaType: OCTETS },
      schema: {
        operationId: 'putBlob',
        summary: 'Store a script or an environment snapshot, given as bytes',
        consumes: [OCTETS],
        params: BlobKindParams,
        response: { 200: BlobReply, default: ErrorReply },
      },
    },
    (request) => useCases.putBlob(callerOf(request), request.params.kind, bytesOf(request.body)),
  );

  app.get(
    '/v1/blobs/:hash',
    {
      config: { role: 'worker' },
      schema: {
        operationId: 'getBlob',
        summary: 'Read a blob; for workers only',
        params: BlobHashParams,
        response: {
          200: { description: 'its bytes', content: { [OCTETS]: { schema: Octets } } },
          default: ErrorReply,
        },
      },
    },
    async (request, reply) => {
      const bytes = await useCases.getBlob(callerOf(request), request.params.hash);
      return reply.header('content-type', OCTETS).send(bytes);
    },
  );

  logPieceRoute(app, doors);
}

function logPieceRoute(app: App, { useCases }: Doors): void {
  app.put(
    '/v1/sessions/:id/logs/:job/:segment',
    {
      bodyLimit: MAX_LOG_PIECE_BYTES,
      config: { role: 'worker', mediaType: OCTETS },
      schema: {
        operationId: 'putLog',
        summary: 'A worker elsewhere ships a piece of a log segment, given as bytes',
        consumes: [OCTETS],
        params: LogPieceParams,
        querystring: LogPieceQuery,
        response: { 200: LogPieceReply, default: ErrorReply },
      },
    },
    (request) => {
      const { id, job, segment } = request.params;
      return useCases.putLog(callerOf(request), id, job, segment, request.query.offset, bytesOf(request.body));
    },
  );
}

/** An empty script has no body at all. */
function bytesOf(body: unknown): Uint8Array {
  return body instanceof Uint8Array ? body : new Uint8Array();
}
