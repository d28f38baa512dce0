import type { SpecReply } from '../api/insight.ts';
import { SpawnError } from '../core/errors.ts';
import type { Ledger } from './ledger.ts';

export async function exportSpec(_ledger: Ledger, _ref: string): Promise<SpecReply> {
  throw new SpawnError('INTERNAL', { why: 'not built yet' });
}
