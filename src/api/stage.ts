import { MAX_BLOB_BYTES, MAX_STAGE_BYTES } from './limits.ts';

/** A packed directory: what the blob holds whose hash is `stage` of a job. Without zod, as workers read it. */
export interface StageManifest {
  readonly version: 1;
  /** Hashes of the blobs that make up the archive (tar, gzip), one behind the other. */
  readonly pieces: readonly string[];
  /** All pieces together. */
  readonly bytes: number;
}

const HASH = /^[0-9a-f]{64}$/;
const MAX_PIECES = Math.ceil(MAX_STAGE_BYTES / MAX_BLOB_BYTES);
/** A hash in quotes and a comma for each, and the rest. */
const MAX_MANIFEST_BYTES = 67 * MAX_PIECES + 1_000;

export function writeStageManifest(manifest: StageManifest): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(manifest));
}

/** Undefined when it is none. */
export function readStageManifest(blob: Uint8Array): StageManifest | undefined {
  if (blob.length > MAX_MANIFEST_BYTES) return undefined;
  let value: Partial<StageManifest> | null;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(blob)) as Partial<StageManifest> | null;
  } catch {
    return undefined;
  }
  const { version, pieces, bytes } = value ?? {};
  const isOne =
    version === 1 &&
    Array.isArray(pieces) &&
    pieces.length >= 1 &&
    pieces.length <= MAX_PIECES &&
    pieces.every((piece) => typeof piece === 'string' && HASH.test(piece)) &&
    Number.isSafeInteger(bytes) &&
    bytes! >= 1 &&
    bytes! <= MAX_STAGE_BYTES;
  return isOne ? { version, pieces, bytes: bytes! } : undefined;
}
