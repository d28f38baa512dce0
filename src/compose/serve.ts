import { randomBytes } from 'node:crypto';
import { writeFileSync, writeSync } from 'node:fs';
import module from 'node:module';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { type DataFiles, dataFiles } from '../client/node/data-files.ts';
import { readListen, removeListen, toTcpOptions } from '../client/node/listen-record.ts';
import { packageVersion } from '../client/node/package-files.ts';
import { makePrivateDirectory } from '../client/node/private-directory.ts';
import { identify } from '../client/node/process-identity.ts';
import { type ProcessRecord, removeRecord, writeRecord } from '../client/node/process-record.ts';
import { readAlertSettings } from '../config/alert-settings.ts';
import { readInstanceSettings, readSandboxSetting } from '../config/instance-settings.ts';
import { readLease } from '../config/lease.ts';
import { readLocalOffer } from '../config/local-offer.ts';
import { readMaxArraySize } from '../config/max-array-size.ts';
import { systemClock } from '../coordinator/system-clock.ts';
import { isSpawnError, SpawnError } from '../core/errors.ts';
import { readSecret } from '../objects/secrets.ts';
import { openSqliteStore } from '../store/sqlite/open.ts';
import { type Arguments, readArguments } from './arguments.ts';
import { Ending, EXIT_AGAIN } from './ending.ts';
import { keepWorkers } from './local-workers.ts';
import { watchSurroundings } from './watch-surroundings.ts';

/** Until what nobody waits for is done. */
const LOOK_MS = 1_000;
/** Of a data directory: SQLite opens no file whose path is longer than 512, and has its own endings for names. */
const MOST_PATH_BYTES = 480;

/**
 * Runs the coordinator of one data directory, its API on a Unix socket and its pool of local workers, until it is stopped
 * by a request, SIGTERM or SIGINT. Says everything on standard error, one JSON object a line.
 *
 * @returns the exit code: 0 after a stop; that of the SpawnError that kept it from starting; 70 when it must start again
 */
export async function serve(argv: string[]): Promise<number> {
  process.umask(0o077);
  const place = readArguments(argv);
  const log = pino({ name: 'server' }, { write: writeLog });
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

/** A line that finds no room on the disk is lost: it must not take the reply to a request along. */
function writeLog(line: string): void {
  try {
    writeSync(2, line);
  } catch {
    // There is nobody else to tell.
  }
}

/** For the command that waits for this server to come up. */
function leaveFailure(files: DataFiles, error: SpawnError): void {
  try {
    writeFileSync(files.failure, JSON.stringify(error), { mode: 0o600 });
  } catch {
    // There is still the log.
  }
}

async function run(place: Arguments, log: Logger): Promise<number> {
  const { dataDir, socketPath } = place;
  const length = Buffer.byteLength(dataDir);
  if (length > MOST_PATH_BYTES) {
    const expected = `a path of at most ${MOST_PATH_BYTES} bytes, for SQLite`;
    throw new SpawnError('BAD_REQUEST', { where: 'SPAWN_DATA_DIR', expected, found: `${length} bytes` });
  }
  const files = dataFiles(dataDir);
  const end = new Ending();
  makePrivateDirectory(files.runDir);
  const version = packageVersion();
  const maxArraySize = readMaxArraySize(process.env);
  const leaseMs = readLease(process.env);
  const offer = readLocalOffer(process.env);
  const instanceSettings = readInstanceSettings(process.env);
  const { sharedSecrets, ...sending } = readAlertSettings(process.env);
  // The agent of instances reads it too, where nobody would be told of a wrong one.
  readSandboxSetting(process.env);
  const choice = place.listen ?? readListen(files.listen);
  // What takes long to load is loaded while the store's thread opens the database.
  const opening = openSqliteStore({ path: join(dataDir, 'spawn.db') });
  opening.catch(() => undefined);
  const { createServer } = await import('../server/server.ts');
  const { createCoordinator } = await import('../coordinator/coordinator.ts');
  const { openBlobs } = await import('../objects/directory/blobs.ts');
  const { openSegments } = await import('../objects/directory/segments.ts');
  const { openCheckpoints } = await import('../objects/directory/checkpoints.ts');
  const { openResults } = await import('../objects/directory/results.ts');
  const { openSegmentCopies } = await import('../objects/directory/segment-copies.ts');
  const { openLocalInstances } = await import('./local-instances.ts');
  const { openNotifier } = await import('../notify/open.ts');
  const store = await opening;
  // The store's lock is ours, so whatever another server left behind here is of the past.
  const own: ProcessRecord = { ...identify(process.pid)!, version, socketPath };
  writeRecord(files.server, own);
  try {
    const logDir = join(dataDir, 'logs');
    makePrivateDirectory(logDir);
    const instances = await openLocalInstances(place, files, store.storeId, instanceSettings, log);
    const coordinator = await createCoordinator({
      store,
      clock: systemClock,
      blobs: await openBlobs(join(dataDir, 'blobs')),
      logs: openSegments(logDir),
      copies: openSegmentCopies(logDir),
      results: openResults(logDir),
      checkpoints: await openCheckpoints(join(dataDir, 'checkpoints')),
      randomHex: (digits) =>
        randomBytes(Math.ceil(digits / 2))
          .toString('hex')
          .slice(0, digits),
      random: Math.random,
      onFatal: (error) => {
        log.fatal({ err: error }, 'the store is no longer ours');
        process.exit(isSpawnError(error) ? error.exitCode : EXIT_AGAIN);
      },
      instances: instances.ports,
      alerts: {
        notifier: openNotifier({ env: process.env, ...sending }),
        sharedSecrets,
        checkSecret: (ref, where) => void readSecret(ref, where, process.env),
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
    await instances.stop(code === 0);
    if (code === 0) removeRecord(files.server, own);
    return code;
  } finally {
    await store.close();
  }
}
