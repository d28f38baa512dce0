import { MAX_ARRAY_SIZE } from './limits.ts';

/**
 * A table of parameters: what the blob holds whose hash is `paramTable` of a job. Each piece is a blob of the same kind, of JSON lines; a line is
 * an object with the parameters of one task, in the order of their indices. Without zod, as workers read it.
 */
export interface ParamTable {
  readonly version: 1;
  /** In all pieces together. */
  readonly rows: number;
  /** Of each its hash and its rows, one behind the other. */
  readonly pieces: readonly (readonly [hash: string, rows: number])[];
}

/** A piece ends before it is larger than this, unless one row alone is. */
export const PARAM_PIECE_BYTES = 256 * 1024;
const MAX_PIECES = 100_000;
const HASH = /^[0-9a-f]{64}$/;
/** A hash and a number in brackets for each, and the rest. */
const MAX_BYTES = 80 * MAX_PIECES + 1_000;

export function writeParamTable(table: ParamTable): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(table));
}

/** Undefined when it is none. */
export function readParamTable(blob: Uint8Array): ParamTable | undefined {
  if (blob.length > MAX_BYTES) return undefined;
  let value: Partial<ParamTable> | null;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(blob)) as Partial<ParamTable> | null;
  } catch {
    return undefined;
  }
  const { version, rows, pieces } = value ?? {};
  if (version !== 1 || !Array.isArray(pieces) || pieces.length < 1 || pieces.length > MAX_PIECES) return undefined;
  let sum = 0;
  for (const piece of pieces as readonly unknown[]) {
    if (!Array.isArray(piece) || piece.length !== 2) return undefined;
    const [hash, count] = piece as readonly unknown[];
    if (typeof hash !== 'string' || !HASH.test(hash)) return undefined;
    if (!Number.isSafeInteger(count) || (count as number) < 1) return undefined;
    sum += count as number;
  }
  return rows === sum && sum <= MAX_ARRAY_SIZE * 10 ? { version, rows, pieces } : undefined;
}

/** The piece that has a row, and which of its rows that is. */
export function findParamRow({ pieces }: ParamTable, row: number): { readonly piece: number; readonly at: number } {
  let before = 0;
  for (const [piece, [, rows]] of pieces.entries()) {
    if (row < before + rows) return { piece, at: row - before };
    before += rows;
  }
  throw new RangeError(`row ${row} of ${before}`);
}
