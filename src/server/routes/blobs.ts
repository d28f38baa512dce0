import { BlobHashParams, BlobKindParams, BlobReply, Octets } from '../../api/http.ts';
import { ErrorReply } from '../../api/job.ts';
import { MAX_BLOB_BYTES } from '../../api/limits.ts';
import type { App, Doors } from '../app.ts';
import { callerOf } from '../caller.ts';

const OCTETS = 'application/octet-stream';

/** Registered in a context of its own, which takes bytes where all other routes take JSON. */
export async function blobRoutes(app: App, { useCases }: Doors): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(OCTETS, { parseAs: 'buffer' }, (_request, bytes, done) => done(null, bytes));

  app.post(
    '/v1/blobs/:kind',
    {
      bodyLimit: MAX_BLOB_BYTES,
      config: { mediaType: OCTETS },
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
}

/** An empty script has no body at all. */
function bytesOf(body: unknown): Uint8Array {
  return body instanceof Uint8Array ? body : new Uint8Array();
}
