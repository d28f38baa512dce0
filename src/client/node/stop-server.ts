import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { SpawnError } from '../../core/errors.ts';
import { dataFiles } from './data-files.ts';
import { findServer } from './ensure-server.ts';
import { removeListen } from './listen-record.ts';
import { ask } from './probe-server.ts';
import { isAlive, type ProcessIdentity, signalProcess } from './process-identity.ts';
import { type ProcessRecord, readLiveRecord } from './process-record.ts';
import type { EmbeddedPlace } from './start-keeper.ts';

/** For a server that has said that it stops: more than it gives its workers. */
const TIMEOUT_MS = 60_000;
const LOOK_MS = 20;
/** From TERM to KILL for processes that no server tells to stop. */
const PATIENCE_MS = 10_000;

/**
 * Ends the coordinator of this place, its keeper and its local workers, and returns when no process of them is left. What
 * runs gets TERM, then KILL after its grace, and is ready again: it runs when a coordinator is started again.
 *
 * @returns whether there was anything to stop
 * @throws SERVER_UNREACHABLE when processes are left at the end of the time
 */
export async function stopServer(place: EmbeddedPlace): Promise<boolean> {
  const stopped = await stop(place);
  // The next server is started by any command, and opens no port that its user did not ask for.
  removeListen(dataFiles(place.dataDir).listen);
  return stopped;
}

async function stop(place: EmbeddedPlace): Promise<boolean> {
  const server = await findServer(place);
  const processes = new LivingProcesses(place);
  const before = processes.look();
  if (server?.kind !== 'up' && before.length === 0) return false;
  const told = server?.kind === 'up' && (await processes.tell(server.server.pid, server.socketPath));
  if (await processes.areGone(told ? TIMEOUT_MS : 0)) return true;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    for (const process of processesOf(place)) signalProcess(process, signal);
    if (await processes.areGone(PATIENCE_MS)) return true;
  }
  const left = processes.look().map(({ pid }) => pid);
  throw new SpawnError('SERVER_UNREACHABLE', { address: place.socketPath, why: `processes do not end: ${left}` });
}

/** The keeper, the server and the local workers that live, the keeper first: the others would be replaced otherwise. */
export function processesOf(place: EmbeddedPlace): ProcessRecord[] {
  const files = dataFiles(place.dataDir);
  const paths = [files.keeper, files.server, ...instanceFiles(files.instancesDir)];
  return paths.flatMap((path) => readLiveRecord(path) ?? []);
}

/** All that were seen once, as a process removes its record a little before it ends. */
class LivingProcesses {
  readonly #place: EmbeddedPlace;
  #seen: ProcessIdentity[] = [];
  readonly #told = new Set<number>();

  constructor(place: EmbeddedPlace) {
    this.#place = place;
  }

  look(): readonly ProcessIdentity[] {
    const now = processesOf(this.#place).flatMap((record) => [record, ...(record.forker ? [record.forker] : [])]);
    this.#seen = [...this.#seen, ...now.filter(({ pid }) => !this.#seen.some((other) => other.pid === pid))];
    this.#seen = this.#seen.filter(isAlive);
    return this.#seen;
  }

  /** Whether the server of this number said that it stops, now or before. */
  async tell(pid: number, socketPath: string): Promise<boolean> {
    if (!this.#told.has(pid) && (await tellToStop(socketPath))) this.#told.add(pid);
    return this.#told.has(pid);
  }

  async areGone(withinMs: number): Promise<boolean> {
    const deadline = performance.now() + withinMs;
    while (this.look().length > 0) {
      if (performance.now() >= deadline) return false;
      // A keeper that had just begun may have started another one, which got the store when the first let go of it.
      const server = readLiveRecord(dataFiles(this.#place.dataDir).server);
      if (server !== undefined) await this.tell(server.pid, server.socketPath);
      await wait(LOOK_MS);
    }
    return true;
  }
}

function instanceFiles(dir: string): string[] {
  try {
    return readdirSync(dir).flatMap((name) => (name.endsWith('.json') ? [join(dir, name)] : []));
  } catch {
    return [];
  }
}

async function tellToStop(socketPath: string): Promise<boolean> {
  try {
    const { status } = await ask(socketPath, 'POST', '/v1/server/stop', 5_000);
    return status < 400;
  } catch {
    return false;
  }
}
