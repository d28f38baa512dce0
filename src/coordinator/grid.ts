import type { GridDelta } from '../api/insight.ts';
import { SpawnError } from '../core/errors.ts';
import type { Ledger } from './ledger.ts';

export async function watchGrid(
  _ledger: Ledger,
  _ref: string,
  _cells: number,
  _listener: (delta: GridDelta) => void,
): Promise<() => void> {
  throw new SpawnError('INTERNAL', { why: 'not built yet' });
}
