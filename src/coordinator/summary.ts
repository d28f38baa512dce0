import type { SummaryReply } from '../api/insight.ts';
import { SpawnError } from '../core/errors.ts';
import type { Ledger } from './ledger.ts';

export async function summarise(_ledger: Ledger, _ref: string): Promise<SummaryReply> {
  throw new SpawnError('INTERNAL', { why: 'not built yet' });
}
