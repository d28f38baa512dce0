import { NO_RETRY, type WorkerClient } from './client.ts';
import type { LogShipper } from './shipper.ts';

const BYE_WITHIN_MS = 2_000;
const SHIP_WITHIN_MS = 30_000;

/** The last words of the last tasks are worth a moment. */
export async function shipRest(shipper: LogShipper | undefined, log: (line: string) => void): Promise<void> {
  if (shipper === undefined || (await shipper.finish(SHIP_WITHIN_MS))) return;
  log('not all logs could be shipped; they are kept, and sent when this worker comes back');
}

/** Ends a session, if the server can be told. */
export async function sayBye(client: WorkerClient, sessionId: number): Promise<void> {
  const signal = AbortSignal.timeout(BYE_WITHIN_MS);
  await client.bye(sessionId, { ...NO_RETRY, signal }).catch(() => {});
}
