import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkerClient } from './client.ts';
import { LogShipper } from './shipper.ts';

/** How long one try to send what an earlier session left may take. */
const LEFT_WITHIN_MS = 60_000;

/** Where a worker keeps the segments of a session whose coordinator cannot read them here. */
export function sessionLogs(directory: string, marker: string): string {
  return join(directory, 'logs', marker);
}

/**
 * Sends what earlier sessions with the same store could not send any more, and removes it then. Never rejects.
 * @param directory of the worker
 * @param isLive whether a session, by its marker, is still a worker's: it sends by itself
 */
export async function shipLeft(
  directory: string,
  storeMarker: string,
  client: Pick<WorkerClient, 'putLog'>,
  isLive: (marker: string) => Promise<boolean>,
  log: (line: string) => void,
): Promise<void> {
  for (const name of await readdir(join(directory, 'logs')).catch(() => [])) {
    const match = /^(.*)-(\d+)$/.exec(name);
    if (match?.[1] !== storeMarker || (await isLive(name))) continue;
    const logDir = sessionLogs(directory, name);
    const shipper = new LogShipper({ client, sessionId: Number(match[2]), logDir, running: () => [], log });
    if (await shipper.finish(LEFT_WITHIN_MS)) await rm(logDir, { recursive: true, force: true }).catch(() => {});
  }
}
