import { spawn } from 'node:child_process';
import { appendFileSync, closeSync, openSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type DataFiles, dataFiles } from '../client/node/data-files.ts';
import { builtProgram, packageVersion } from '../client/node/package-files.ts';
import { identify, isAlive, signalProcess } from '../client/node/process-identity.ts';
import {
  type ProcessRecord,
  readLiveRecord,
  readRecord,
  removeRecord,
  takePlace,
} from '../client/node/process-record.ts';
import { type EmbeddedPlace, PLACE_OPTIONS, placeArguments, toPlace } from '../client/node/start-keeper.ts';
import { isSpawnError } from '../core/errors.ts';

/** Longest wait before the server is started again. */
const MAX_DELAY_MS = 5_000;
/** A server that lived this long had a good start: the next one is started without delay. */
const GOOD_LIFE_MS = 10_000;
/** How often a server that another keeper started is looked at; one's own child tells by itself. */
const LOOK_MS = 200;
/**
 * Ends of the server that another start cannot mend: a setting is wrong, an address is taken; after sysexits(3): no permission,
 * wrong configuration.
 */
const FINAL_EXITS: ReadonlySet<number> = new Set([2, 65, 77, 78]);
/** The log of the past is kept once. */
const MAX_LOG_BYTES = 16 * 1024 * 1024;

type End = 'on purpose' | { readonly how: string; readonly code?: number };

interface Arguments extends EmbeddedPlace {
  readonly program: string;
}

/**
 * Keeps the server of one data directory running until it is stopped on purpose (its record is gone, or this process
 * gets SIGTERM). Loads little, so that there is little that can fail, and little memory is taken.
 *
 * @returns 0 when the server was stopped or another keeper is at work; the server's exit code when no other start can help
 */
export async function keepServer(argv: string[]): Promise<number> {
  process.umask(0o077);
  const options = readArguments(argv);
  const files = dataFiles(options.dataDir);
  const identity = identify(process.pid);
  if (identity === undefined) throw new Error('a process that cannot see itself');
  const own: ProcessRecord = { ...identity, version: packageVersion(), socketPath: options.socketPath };
  try {
    if (takePlace(files.keeper, own) !== undefined) return 0;
  } catch (error) {
    if (!isSpawnError(error)) throw error;
    writeFileSync(files.failure, JSON.stringify(error), { mode: 0o600 });
    return error.exitCode;
  }
  try {
    rmSync(files.failure, { force: true });
    return await keep(options, files);
  } finally {
    removeRecord(files.keeper, own);
  }
}

function readArguments(argv: string[]): Arguments {
  const { values } = parseArgs({
    args: argv,
    options: {
      ...PLACE_OPTIONS,
      program: { type: 'string' },
    },
  });
  return { ...toPlace(values), program: values.program ?? builtProgram('server') };
}

async function keep(options: Arguments, files: DataFiles): Promise<number> {
  const stop = new AbortController();
  let signalServer = (): void => undefined;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      stop.abort();
      signalServer();
    });
  }
  process.on('SIGHUP', () => undefined);

  for (let shortLives = 0; ; ) {
    const bornAt = performance.now();
    const running = readLiveRecord(files.server);
    const server = running === undefined ? start(options, files) : adopt(running, files);
    signalServer = server.stop;
    if (stop.signal.aborted) signalServer();
    const end = await server.ended;
    if (stop.signal.aborted || end === 'on purpose') return 0;
    if (end.code !== undefined && FINAL_EXITS.has(end.code)) {
      say(files, `server cannot start (${end.how}); giving up, see the line above`);
      return end.code;
    }
    shortLives = performance.now() - bornAt >= GOOD_LIFE_MS ? 0 : shortLives + 1;
    const delayMs = shortLives <= 1 ? 0 : Math.min(50 * 2 ** (shortLives - 2), MAX_DELAY_MS);
    say(files, `server ended (${end.how}); starting it again in ${delayMs} ms`);
    await wait(delayMs, undefined, { signal: stop.signal }).catch(() => undefined);
    if (stop.signal.aborted) return 0;
  }
}

interface Kept {
  readonly ended: Promise<End>;
  stop(): void;
}

function start(options: Arguments, files: DataFiles): Kept {
  const log = openLog(files.serverLog);
  const child = spawn(process.execPath, [options.program, '--kept', ...placeArguments(options)], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const ended = new Promise<End>((resolve) => {
    child.on('error', (error) => resolve({ how: error.message }));
    child.on('exit', (code, signal) => {
      if (code === 0) resolve('on purpose');
      else resolve(code === null ? { how: `${signal}` } : { how: `exit code ${code}`, code });
    });
  });
  return { ended, stop: () => void child.kill('SIGTERM') };
}

/** A server whose keeper died. How it ends cannot be seen, but one that is stopped on purpose removes its record. */
function adopt(server: ProcessRecord, files: DataFiles): Kept {
  say(files, `keeping server ${server.pid}, which runs already`);
  return { ended: watch(server, files), stop: () => void signalProcess(server, 'SIGTERM') };
}

async function watch(server: ProcessRecord, files: DataFiles): Promise<End> {
  while (isAlive(server)) await wait(LOOK_MS);
  return readRecord(files.server)?.pid === server.pid ? { how: `process ${server.pid} is gone` } : 'on purpose';
}

function openLog(path: string): number {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > MAX_LOG_BYTES) renameSync(path, `${path}.1`);
  return openSync(path, 'a', 0o600);
}

/** In the form of the server's own lines; a full disk must not end the keeper. */
function say(files: DataFiles, msg: string): void {
  try {
    appendFileSync(
      files.serverLog,
      `${JSON.stringify({ level: 40, time: Date.now(), pid: process.pid, name: 'keeper', msg })}\n`,
    );
  } catch {
    // Nowhere else to say it.
  }
}
