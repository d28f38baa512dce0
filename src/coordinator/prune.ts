import type { PruneReply, PruneRequest } from '../api/access.ts';
import { SpawnError } from '../core/errors.ts';
import type { Ledger } from './ledger.ts';

export async function pruneJobs(_ledger: Ledger, _request: PruneRequest): Promise<PruneReply> {
  throw new SpawnError('INTERNAL', { why: 'not built yet' });
}
