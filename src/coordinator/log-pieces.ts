import type { LogPieceReply } from '../api/access.ts';
import { SpawnError } from '../core/errors.ts';
import type { Ledger } from './ledger.ts';

export async function takeLogPiece(
  _ledger: Ledger,
  _sessionId: number,
  _jobId: number,
  _segment: number,
  _offset: number,
  _bytes: Uint8Array,
): Promise<LogPieceReply> {
  throw new SpawnError('INTERNAL', { why: 'not built yet' });
}
