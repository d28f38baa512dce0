import type { JobDelta } from '../api/job.ts';
import type { Call, Connection } from './connection.ts';
import { delayMs, pause, toSpawnError } from './retry.ts';
import { readEvents } from './server-sent-events.ts';
import { TransportFailure } from './transport.ts';

/**
 * The deltas of a job, the first at once, until it has ended. When the link breaks it connects again, for `reconnectForMs` in a
 * row at most, so that whoever waits outlives a restart of the server; what did not change meanwhile is not told again.
 */
export async function* watchJob(
  connection: Connection,
  call: Call,
  reconnectForMs: number,
): AsyncGenerator<JobDelta, void, undefined> {
  let told: string | undefined;
  let breaks = 0;
  for (;;) {
    try {
      const wait = told === undefined ? call.retryForMs : reconnectForMs;
      const body = await connection.open({ ...call, retryForMs: wait }, connection.idleMs);
      for await (const { event, data } of readEvents(body)) {
        breaks = 0;
        if (event !== 'job' || data === told) continue;
        told = data;
        const delta = JSON.parse(data) as JobDelta;
        yield delta;
        if (delta.endedAt !== undefined) return;
      }
    } catch (error) {
      if (!(error instanceof TransportFailure)) throw error;
      if (reconnectForMs <= 0) throw toSpawnError(error, connection.address);
    }
    // Ended without the last delta: the server stopped, or cut off a slow reader.
    await pause(delayMs(breaks), call.signal);
    breaks++;
  }
}
