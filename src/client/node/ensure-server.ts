import type { ChildProcess } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { ServerView } from '../../api/server-view.ts';
import { fromJSON, SpawnError } from '../../core/errors.ts';
import { dataFiles } from './data-files.ts';
import { packageVersion } from './package-files.ts';
import { makePrivateDirectory } from './private-directory.ts';
import { probeServer } from './probe-server.ts';
import { readLiveRecord } from './process-record.ts';
import { type EmbeddedPlace, startKeeper } from './start-keeper.ts';

export interface EnsureOptions {
  /** Gets one line for people when a coordinator was started, takes long to start, or runs and is of another release. */
  readonly announce?: (line: string) => void;
  /** Default 10 s, and six times as long while the first one that was started has not ended: a busy machine is slow. */
  readonly timeoutMs?: number;
  /** Another keeper than the built one: for tests. */
  readonly keeper?: string;
}

export interface EnsuredServer {
  /** Where it listens: usually, but not always, the place's own path (see `findServer`). */
  readonly socketPath: string;
  /** Whether this call started it. */
  readonly started: boolean;
  readonly server: ServerView;
}

interface FoundServer {
  readonly kind: 'up';
  readonly socketPath: string;
  readonly server: ServerView;
}

const TIMEOUT_MS = 10_000;
const PATIENCE = 6;
const FIRST_LOOK_MS = 5;
const LONGEST_LOOK_MS = 100;
const TAIL_BYTES = 4_096;
const TAIL_LINES = 5;

/**
 * The coordinator of this place, which is started where there is none. Of many calls at the same moment, in any
 * processes, one starts it and all get it.
 *
 * @throws SOCKET_NOT_PRIVATE when others could enter the socket's folder; what the server cannot start for (STORE_NEWER,
 * STORE_NETWORK_FS…); SERVER_UNREACHABLE when it does not answer in time, with the end of its log
 */
export async function ensureServer(place: EmbeddedPlace, options: EnsureOptions = {}): Promise<EnsuredServer> {
  makePrivateDirectory(place.runtimeDir);
  const running = await findServer(place);
  if (running?.kind === 'up') return announced(place, running, false, options);

  const files = dataFiles(place.dataDir);
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const startedAt = performance.now();
  let waitedMs = timeoutMs;
  let child: ChildProcess | undefined;
  let last: Awaited<ReturnType<typeof findServer>> = running;
  for (let lookMs = FIRST_LOOK_MS; ; lookMs = Math.min(lookMs * 1.5, LONGEST_LOOK_MS)) {
    const keeper = readLiveRecord(files.keeper);
    if (keeper === undefined && (child === undefined || child.exitCode !== null || child.signalCode !== null)) {
      if (child?.exitCode) throw startFailure(place);
      child = startKeeper(place, options.keeper);
    }
    await wait(lookMs);
    last = await findServer(place);
    if (last?.kind !== 'up') {
      if (performance.now() - startedAt < waitedMs) continue;
      if (waitedMs > timeoutMs || last?.kind === 'failed' || hasEnded(files.serverLog)) break;
      waitedMs = timeoutMs * PATIENCE;
      options.announce?.(`spawn: the coordinator takes long to start; waiting for up to ${waitedMs / 1_000} s`);
      continue;
    }
    const started = child !== undefined && readLiveRecord(files.keeper)?.pid === child.pid;
    // Another was faster. One that is still on its way up would start a server again after a stop.
    if (!started) child?.kill('SIGKILL');
    return announced(place, last, started, options);
  }
  const why = last?.kind === 'failed' ? last.why : `no answer within ${waitedMs / 1_000} s`;
  throw new SpawnError('SERVER_UNREACHABLE', { address: place.socketPath, why: withLogTail(place, why) });
}

/**
 * The server of this place, if there is one. A data directory has one server, and a process with other settings (another
 * XDG_RUNTIME_DIR after `su` or in a cron job) may have started it with its socket elsewhere; its record tells where.
 */
export async function findServer(
  place: EmbeddedPlace,
): Promise<FoundServer | { kind: 'failed'; why: string } | undefined> {
  const here = await probeServer(place.socketPath);
  if (here.kind === 'up') return { ...here, socketPath: place.socketPath };
  const record = readLiveRecord(dataFiles(place.dataDir).server);
  if (record !== undefined && record.socketPath !== place.socketPath) {
    const there = await probeServer(record.socketPath);
    if (there.kind === 'up') return { ...there, socketPath: record.socketPath };
  }
  return here.kind === 'failed' ? here : undefined;
}

function announced(place: EmbeddedPlace, found: FoundServer, started: boolean, options: EnsureOptions): EnsuredServer {
  const { socketPath, server } = found;
  const own = packageVersion();
  if (started) {
    options.announce?.(`spawn: started a coordinator in the background (pid ${server.pid}, data in ${place.dataDir})`);
  } else if (server.version !== own) {
    options.announce?.(
      `spawn: the coordinator in the background (pid ${server.pid}) is of release ${server.version}, this command of ` +
        `${own}; \`spawn server stop\` ends it, and the next command starts one of this release`,
    );
  }
  return { socketPath, started, server };
}

/** The reason the server itself left behind, or at least the end of its log. */
function startFailure(place: EmbeddedPlace): SpawnError {
  try {
    return fromJSON(JSON.parse(readFileSync(dataFiles(place.dataDir).failure, 'utf8')));
  } catch {
    const why = withLogTail(place, 'it could not be started');
    return new SpawnError('SERVER_UNREACHABLE', { address: place.socketPath, why });
  }
}

/** The keeper says so of each server that ended and is started again. */
function hasEnded(serverLog: string): boolean {
  return tail(serverLog).some((line) => line.startsWith('server ended ('));
}

function withLogTail(place: EmbeddedPlace, why: string): string {
  const { serverLog } = dataFiles(place.dataDir);
  const lines = tail(serverLog).map((line) => `  ${line}`);
  return lines.length === 0 ? why : `${why}; ${serverLog} ends with:\n${lines.join('\n')}`;
}

function tail(path: string): string[] {
  try {
    const file = openSync(path, 'r');
    try {
      const { size } = fstatSync(file);
      const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES));
      const read = readSync(file, bytes, 0, bytes.length, size - bytes.length);
      return bytes.toString('utf8', 0, read).trimEnd().split('\n').slice(-TAIL_LINES).map(readable);
    } finally {
      closeSync(file);
    }
  } catch {
    return [];
  }
}

/** The message of a log line in JSON; any other line as it is. */
function readable(line: string): string {
  try {
    const { msg, err } = JSON.parse(line) as { msg?: unknown; err?: { message?: unknown } };
    const text = [msg, err?.message].filter((part) => typeof part === 'string').join(': ');
    return text || line;
  } catch {
    return line;
  }
}
