import { z } from 'zod';
import { BlobHash } from './blob-hash.ts';
import { whole } from './whole.ts';

/** What only HTTP adds to the contract: paths, headers and the replies of verbs without a body of their own. */

/** A job's number, array id or name; for verbs and logs also tasks: `12_7`, `12_[1,3-5]`. */
export const RefParams = z.object({ ref: z.string().min(1).max(65_536) });
export type RefParams = z.infer<typeof RefParams>;

export const SessionParams = z.object({ id: whole(z.int().min(1)) });
export type SessionParams = z.infer<typeof SessionParams>;

export const CheckpointParams = z.object({ id: whole(z.int().min(1)), fence: whole(z.int().min(1)) });
export type CheckpointParams = z.infer<typeof CheckpointParams>;

export const StreamQuery = z.strictObject({
  /** Number of the last message taken in: those above it are sent. */
  after: whole(z.int().min(0)).prefault(0),
});
export type StreamQuery = z.infer<typeof StreamQuery>;

export const SubmitHeaders = z.object({
  /** Another place for `idempotencyKey` of the body. */
  'idempotency-key': z.string().min(1).max(200).optional(),
});
export type SubmitHeaders = z.infer<typeof SubmitHeaders>;

/** A script, a snapshot of an environment, what makes up a staged directory, a plan of parts, and a table of parameters. */
export const BlobKind = z.enum(['script', 'env', 'stage', 'plan', 'params']);
export type BlobKind = z.infer<typeof BlobKind>;

export const BlobKindParams = z.object({ kind: BlobKind });
export type BlobKindParams = z.infer<typeof BlobKindParams>;

export const BlobHashParams = z.object({ hash: BlobHash });
export type BlobHashParams = z.infer<typeof BlobHashParams>;

export const BlobReply = z.object({ hash: BlobHash });
export type BlobReply = z.infer<typeof BlobReply>;

/** OpenAPI 3.1. */
export const OpenApiDocument = z.record(z.string(), z.unknown());

/** The server stops after this reply. */
export const StopReply = z.object({ stopping: z.literal(true) });
export type StopReply = z.infer<typeof StopReply>;

/** Bytes of any length, sent as they come. */
export const Octets = z.custom<Uint8Array | AsyncIterable<Uint8Array>>().meta({ type: 'string', format: 'binary' });

/** Of a route that has no options: a misspelled one is not lost. */
export const NoQuery = z.strictObject({});

/** No body at all. */
export const Nothing = z.undefined();
