import type { EventsReply, EventView, GridDelta } from '../api/insight.ts';
import type { JobDelta } from '../api/job.ts';
import type { Call, Connection } from './connection.ts';
import { delayMs, pause, toSpawnError } from './retry.ts';
import { readEvents } from './server-sent-events.ts';
import { TransportFailure } from './transport.ts';

/**
 * The data of the events of one name, parsed, until `isLast` says so. When the link breaks it connects again with what `callNow`
 * gives then, for `reconnectForMs` in a row at most, so that whoever waits outlives a restart of the server.
 */
async function* follow<T>(
  connection: Connection,
  callNow: () => Call,
  name: string,
  reconnectForMs: number,
  isLast: (data: T) => boolean,
): AsyncGenerator<T, void, undefined> {
  let opened = false;
  let breaks = 0;
  for (;;) {
    const call = callNow();
    try {
      const wait = opened ? reconnectForMs : call.retryForMs;
      const body = await connection.open({ ...call, retryForMs: wait }, connection.idleMs);
      for await (const { event, data } of readEvents(body)) {
        breaks = 0;
        if (event !== name) continue;
        opened = true;
        const parsed = JSON.parse(data) as T;
        yield parsed;
        if (isLast(parsed)) return;
      }
    } catch (error) {
      if (!(error instanceof TransportFailure)) throw error;
      if (reconnectForMs <= 0) throw toSpawnError(error, connection.address);
    }
    // Ended without the last event: the server stopped, or cut off a slow reader.
    await pause(delayMs(breaks), call.signal);
    breaks++;
  }
}

/** The deltas of a job, the first at once, until it has ended; what did not change while the link was broken is not told again. */
export async function* watchJob(
  connection: Connection,
  call: Call,
  reconnectForMs: number,
): AsyncGenerator<JobDelta, void, undefined> {
  let told: string | undefined;
  const deltas = follow<JobDelta>(
    connection,
    () => call,
    'job',
    reconnectForMs,
    ({ endedAt }) => endedAt !== undefined,
  );
  for await (const delta of deltas) {
    const text = JSON.stringify(delta);
    if (text === told) continue;
    told = text;
    yield delta;
  }
}

/** After a break all cells are told again. */
export function watchGrid(
  connection: Connection,
  call: Call,
  reconnectForMs: number,
): AsyncGenerator<GridDelta, void, undefined> {
  return follow<GridDelta>(
    connection,
    () => call,
    'grid',
    reconnectForMs,
    ({ ended }) => ended,
  );
}

/** Each event once, also over breaks: it goes on after the last one that was told. */
export async function* watchEvents(
  connection: Connection,
  callAfter: (id: number) => Call,
  after: number,
  reconnectForMs: number,
): AsyncGenerator<EventView, void, undefined> {
  let last = after;
  const pages = follow<EventsReply['events']>(
    connection,
    () => callAfter(last),
    'events',
    reconnectForMs,
    () => false,
  );
  for await (const page of pages) {
    for (const event of page) {
      last = event.id;
      yield event;
    }
  }
}
