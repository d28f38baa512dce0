import type { EventsQuery, EventsReply, EventView } from '../api/insight.ts';
import { SpawnError } from '../core/errors.ts';
import type { Ledger } from './ledger.ts';

export async function listEvents(_ledger: Ledger, _query: EventsQuery): Promise<EventsReply> {
  throw new SpawnError('INTERNAL', { why: 'not built yet' });
}

export async function watchEvents(
  _ledger: Ledger,
  _query: EventsQuery,
  _listener: (events: readonly EventView[]) => void,
): Promise<() => void> {
  throw new SpawnError('INTERNAL', { why: 'not built yet' });
}
