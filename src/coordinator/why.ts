import type { WhyReply } from '../api/insight.ts';
import { SpawnError } from '../core/errors.ts';
import type { Ledger } from './ledger.ts';

export async function explainWhy(_ledger: Ledger, _ref: string): Promise<WhyReply> {
  throw new SpawnError('INTERNAL', { why: 'not built yet' });
}
