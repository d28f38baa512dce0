import type { GrepQuery } from '../api/insight.ts';
import { SpawnError } from '../core/errors.ts';
import type { Ledger } from './ledger.ts';

export async function grepLogs(
  _ledger: Ledger,
  _ref: string,
  _query: GrepQuery,
  _signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  throw new SpawnError('INTERNAL', { why: 'not built yet' });
}
