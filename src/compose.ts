import { randomBytes } from 'node:crypto';
import { statSync, writeFileSync } from 'node:fs';
import module from 'node:module';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Logger, pino } from 'pino';
import { type DataFiles, dataFiles } from './client/node/data-files.ts';
import { type ListenChoice, parseListen, readListen, removeListen, toTcpOptions } from './client/node/listen-record.ts';
import { builtProgram, packageVersion } from './client/node/package-files.ts';
import { makePrivateDirectory } from './client/node/private-directory.ts';
import { bootId, childrenOf, identify, isAlive, signalProcess } from './client/node/process-identity.ts';
import {
  type ProcessRecord,
  readLiveRecord,
  readRecord,
  removeRecord,
  writeRecord,
} from './client/node/process-record.ts';
import { backgroundEnv, type EmbeddedPlace, startKeeper } from './client/node/start-keeper.ts';
import { readLease } from './config/lease.ts';
import { readLocalOffer } from './config/local-offer.ts';
import { readMaxArraySize } from './config/max-array-size.ts';
import type { Coordinator } from './coordinator/coordinator.ts';
import { LocalPool } from './coordinator/loops/local-pool.ts';
import { type Loop, startLoop } from './coordinator/loops/start-loop.ts';
import { systemClock } from './coordinator/system-clock.ts';
import { isSpawnError, type SpawnError } from './core/errors.ts';
import { createLocalProvider } from './providers/local/local-provider.ts';
import { machineMemory } from './providers/local/machine-size.ts';
import type { Provider } from './providers/provider.ts';
import { openSqliteStore } from './store/sqlite/open.ts';

/** How often the server looks whether its keeper, its record and its socket are still there. */
const LOOK_MS = 1_000;
/** What local workers get to end in when the server stops: more than a task's longest grace then. */
const WORKERS_PATIENCE_MS = 20_000;
/** How long a local worker waits for a coordinator that is away. */
const WORKER_PATIENCE = '10m';
const KILL_PATIENCE_MS = 5_000;
const WORKERS_LOOK_MS = 10;
/** sysexits(3), EX_SOFTWARE: the keeper starts the server again. */
const EXIT_AGAIN = 70;

/**
 * Runs the coordinator of one data directory, its API on a Unix socket and its pool of local workers, until it is stopped
 * by a request, SIGTERM or SIGINT. Says everything on standard error, one JSON object a line.
 *
 * @returns the exit code: 0 after a stop; that of the SpawnError that kept it from starting; 70 when it must start again
 */
export async function serve(argv: string[]): Promise<number> {
  process.umask(0o077);
  const place = readArguments(argv);
  const log = pino({ name: 'server' }, pino.destination({ dest: 2, sync: true }));
  const fatal = (error: unknown): never => {
    log.fatal({ err: error }, 'cannot go on');
    process.exit(EXIT_AGAIN);
  };
  process.on('uncaughtException', fatal);
  process.on('unhandledRejection', fatal);
  // Until there are certificates to read anew.
  process.on('SIGHUP', () => undefined);
  const code = await run(place, log).catch((error: unknown) => {
    if (!isSpawnError(error)) return fatal(error);
    log.error({ code: error.code }, error.message);
    leaveFailure(dataFiles(place.dataDir), error);
    return error.exitCode;
  });
  // Should anything still keep the process: whoever asked for the stop waits for its end.
  setTimeout(() => process.exit(code), LOOK_MS).unref();
  return code;
}

/** For the command that waits for this server to come up. */
function leaveFailure(files: DataFiles, error: SpawnError): void {
  try {
    writeFileSync(files.failure, JSON.stringify(error), { mode: 0o600 });
  } catch {
    // There is still the log.
  }
}

interface Arguments extends EmbeddedPlace {
  /** Given to a server in the foreground; another one finds it in the data directory. */
  readonly listen: ListenChoice | undefined;
  /** A keeper started this server, so there must be one as long as it serves. */
  readonly kept: boolean;
}

function readArguments(argv: string[]): Arguments {
  const { values } = parseArgs({
    args: argv,
    options: {
      'data-dir': { type: 'string' },
      'runtime-dir': { type: 'string' },
      socket: { type: 'string' },
      kept: { type: 'boolean', default: false },
      listen: { type: 'string' },
    },
  });
  const { 'data-dir': dataDir, 'runtime-dir': runtimeDir, socket: socketPath, kept, listen } = values;
  if (!dataDir || !runtimeDir || !socketPath) throw new Error('expected --data-dir, --runtime-dir and --socket');
  return { dataDir, runtimeDir, socketPath, kept, listen: listen === undefined ? undefined : parseListen(listen) };
}

async function run(place: Arguments, log: Logger): Promise<number> {
  const { dataDir, socketPath } = place;
  const files = dataFiles(dataDir);
  const end = new Ending();
  makePrivateDirectory(files.runDir);
  const version = packageVersion();
  const maxArraySize = readMaxArraySize(process.env);
  const leaseMs = readLease(process.env);
  const offer = readLocalOffer(process.env);
  const choice = place.listen ?? readListen(files.listen);
  // What takes long to load is loaded while the store's thread opens the database.
  const opening = openSqliteStore({ path: join(dataDir, 'spawn.db') });
  opening.catch(() => undefined);
  const { createServer } = await import('./server/server.ts');
  const { createCoordinator } = await import('./coordinator/coordinator.ts');
  const { openBlobs } = await import('./objects/directory/blobs.ts');
  const { openSegments } = await import('./objects/directory/segments.ts');
  const { openSegmentCopies } = await import('./objects/directory/segment-copies.ts');
  const store = await opening;
  // The store's lock is ours, so whatever another server left behind here is of the past.
  const own: ProcessRecord = { ...identify(process.pid)!, version, socketPath };
  writeRecord(files.server, own);
  try {
    const logDir = join(dataDir, 'logs');
    makePrivateDirectory(logDir);
    const coordinator = await createCoordinator({
      store,
      clock: systemClock,
      blobs: await openBlobs(join(dataDir, 'blobs')),
      logs: openSegments(logDir),
      copies: openSegmentCopies(logDir),
      randomHex: (digits) =>
        randomBytes(Math.ceil(digits / 2))
          .toString('hex')
          .slice(0, digits),
      random: Math.random,
      onFatal: (error) => {
        log.fatal({ err: error }, 'the store is no longer ours');
        process.exit(isSpawnError(error) ? error.exitCode : EXIT_AGAIN);
      },
      options: { version, host: hostname(), dataDir, logDir, maxArraySize, leaseMs },
    });
    const onStop = (): void => {
      removeListen(files.listen);
      end.resolve(0);
    };
    // A worker takes a stream that was silent for the term of a lease for broken.
    const timing = { streamPingMs: Math.min(5_000, Math.floor(leaseMs / 4)) };
    const server = await createServer(coordinator, { version, logger: log, onStop, timing });
    if (choice !== undefined) {
      log.info({ url: await server.listenTcp(toTcpOptions(choice)) }, 'listening');
      process.on('SIGHUP', () => server.reloadCertificates());
    }
    await server.listenUnix(socketPath);
    coordinator.start((error) => log.error({ err: error }, 'a loop failed; it is tried again'));
    const workers = keepWorkers({ ...place, offer }, files, coordinator, log);
    const watch = watchSurroundings(place, files, own, log, end);
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => end.resolve(0));
    log.info({ dataDir, socketPath, version }, 'serving');
    // Node does so at exit, which may be in weeks or by kill -9; the next start profits from it.
    setTimeout(() => module.flushCompileCache?.(), LOOK_MS).unref();

    const code = await end.ended;
    log.info(code === 0 ? 'stopping' : 'starting again');
    watch.stop();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void workers.kill());
    await workers.stop(code === 0);
    await server.close();
    await coordinator.stop();
    if (code === 0) removeRecord(files.server, own);
    return code;
  } finally {
    await store.close();
  }
}

/** Resolves once, with the exit code. */
class Ending {
  readonly ended: Promise<number>;
  resolve!: (code: number) => void;

  constructor() {
    this.ended = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }
}

interface Workers {
  /** With `end`, returns when none is left; else they go on without this process. */
  stop(end: boolean): Promise<void>;
  /** For who cannot wait for that: their tasks are lost, and run again later. */
  kill(): Promise<void>;
}

/** Where local workers find the server, and the flags that say what they offer. */
interface WorkerArguments extends Arguments {
  readonly offer: readonly string[];
}

function keepWorkers(place: WorkerArguments, files: DataFiles, coordinator: Coordinator, log: Logger): Workers {
  let loop: Loop | undefined;
  const provider = createLocalProvider({
    processes: { identify, isAlive, signal: signalProcess, childrenOf, bootId },
    instancesDir: files.instancesDir,
    command: (id) => workerCommand(place, id),
    env: backgroundEnv(process.env),
    logFile: files.workerLog,
    onExit: () => loop?.wake(),
  });
  const size = Number(process.env.SPAWN_LOCAL_WORKERS ?? 1);
  const pool = new LocalPool({ provider, coordinator, size, note: (text) => log.info(text) });
  loop = startLoop(
    () => pool.runOnce(systemClock.steady()),
    (error) => log.error({ err: error }, 'the local pool failed; it is tried again'),
  );
  coordinator.onSessionDisconnected(() => loop.wake());
  return {
    async stop(end) {
      await loop.stop();
      if (end) await endWorkers(pool, provider, log);
    },
    kill: () => pool.stopAll('kill'),
  };
}

function workerCommand({ socketPath, dataDir, kept, offer }: WorkerArguments, id: string): [string, ...string[]] {
  return [
    process.execPath,
    builtProgram('spored'),
    ...['--server', `unix:${socketPath}`, '--instance', id, '--data-dir', dataDir],
    // Should nobody ever start a coordinator here again: what ran was stopped when the lease ended.
    ...['--exit-when-gone', WORKER_PATIENCE],
    ...(kept ? ['--revive'] : []),
    ...['--memory', String(machineMemory())],
    ...offer,
  ];
}

/** They still report to this server how their tasks ended. */
async function endWorkers(pool: LocalPool, provider: Provider, log: Logger): Promise<void> {
  await pool.stopAll('end');
  if (await allEnded(provider, WORKERS_PATIENCE_MS)) return;
  log.warn('workers do not end and are killed');
  await pool.stopAll('kill');
  await allEnded(provider, KILL_PATIENCE_MS);
}

async function allEnded(provider: Provider, withinMs: number): Promise<boolean> {
  const deadline = systemClock.steady() + withinMs;
  while ((await provider.list()).length > 0) {
    if (systemClock.steady() > deadline) return false;
    await wait(WORKERS_LOOK_MS);
  }
  return true;
}

/** The keeper watches the server, and the server watches what the keeper and the commands need to find it. */
function watchSurroundings(
  place: Arguments,
  files: DataFiles,
  own: ProcessRecord,
  log: Logger,
  end: Ending,
): { stop(): void } {
  const socket = inodeOf(place.socketPath);
  let keeper: ReturnType<typeof startKeeper> | undefined;
  const onItsWay = () => keeper !== undefined && keeper.exitCode === null && keeper.signalCode === null;
  const timer = setInterval(() => {
    if (readRecord(files.server)?.pid !== own.pid) {
      log.warn('the data directory was removed');
      end.resolve(0);
    } else if (inodeOf(place.socketPath) !== socket) {
      log.warn('the socket was removed');
      end.resolve(EXIT_AGAIN);
    } else if (place.kept && readLiveRecord(files.keeper) === undefined && !onItsWay()) {
      log.warn('the keeper is gone; another is started');
      keeper = startKeeper(place);
    }
  }, LOOK_MS);
  return {
    stop() {
      clearInterval(timer);
      // One that has no record yet is seen by nobody, and would start a server again after the stop.
      if (onItsWay() && readLiveRecord(files.keeper)?.pid !== keeper?.pid) keeper?.kill('SIGKILL');
    },
  };
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}
