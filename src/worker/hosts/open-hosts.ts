import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TaskCalls } from '../calls/task-calls.ts';
import type { EndColumns } from '../end-columns.ts';
import { gpuEnvironment } from '../gpu-environment.ts';
import type { Holdings } from '../holdings.ts';
import type { Occupancy } from '../occupancy.ts';
import type { Outbox } from '../outbox.ts';
import type { ResultWriter } from '../records/results.ts';
import type { SessionOptions } from '../session-options.ts';
import { HostPool } from './pool.ts';

/** What the hosts of a session need of it. */
export interface HostsWiring {
  readonly logDir: string;
  readonly occupancy: Occupancy;
  readonly outbox: Outbox;
  readonly holdings: () => Pick<Holdings, 'over' | 'refused'>;
  /** Attempts of the job have ended, and everything of them is written. */
  readonly onEnded: (jobId: number) => void;
  readonly onChange: () => void;
  readonly onFailed: (error: unknown) => void;
}

/** Where the hosts of sessions have what is theirs alone, by the marker of the session. */
function hostsFolder(directory: string, marker: string): string {
  return join(directory, 'hosts', marker);
}

/** Removes what the hosts of all sessions have left but those that are to stay. */
export async function removeHostFolders(directory: string, stays: (marker: string) => Promise<boolean>): Promise<void> {
  for (const marker of await readdir(hostsFolder(directory, '')).catch(() => [])) {
    const folder = hostsFolder(directory, marker);
    if (!(await stays(marker))) await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** What handlers ask of the worker, and where their results go. */
export interface HostsDesk {
  readonly calls: TaskCalls;
  readonly results: ResultWriter;
}

/** Undefined without a desk or a port of processes: in an instance handlers do not run. */
export function openHosts(
  { hello, marker, dataDir, gpus, hostForkers, worker, files }: SessionOptions,
  desk: HostsDesk | undefined,
  { outbox, holdings, onEnded, ...wiring }: HostsWiring,
): HostPool | undefined {
  if (hostForkers === undefined || desk === undefined) return undefined;
  const vendor = gpus[0]?.vendor;
  return new HostPool({
    ...wiring,
    ...hostForkers,
    ...{ calls: desk.calls, results: desk.results },
    directory: hostsFolder(dataDir, marker),
    getPiece: (hash) => files.blob(hash),
    sessionId: hello.sessionId,
    elsewhere: hello.sameHost ? undefined : worker,
    devicesEnv: (devices) =>
      vendor === undefined || devices.length === 0
        ? []
        : gpuEnvironment(
            vendor,
            devices.map((device) => gpus[device]!),
          ),
    onReturned: (runs) => holdings().refused(runs),
    onStarted: (start) => outbox.started(start),
    onEnded: (ends: EndColumns, jobId) => {
      for (const run of ends.runs) holdings().over(...run);
      outbox.endedMany(ends);
      onEnded(jobId);
    },
  });
}
