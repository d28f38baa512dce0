import type { LogDiffQuery, LogDiffReply } from '../api/insight.ts';
import { SpawnError } from '../core/errors.ts';
import type { Ledger } from './ledger.ts';

export async function diffLogs(
  _ledger: Ledger,
  _ref: string,
  _query: LogDiffQuery,
  _signal: AbortSignal,
): Promise<LogDiffReply> {
  throw new SpawnError('INTERNAL', { why: 'not built yet' });
}
