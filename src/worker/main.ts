import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { SpawnClient } from '../client/client.ts';
import type { ClientOptions } from '../client/connection.ts';
import { makeDirectories } from '../client/node/make-directories.ts';
import { packageVersion } from '../client/node/package-files.ts';
import { bootId } from '../client/node/process-identity.ts';
import { keeperReviver } from '../client/node/revive-keeper.ts';
import { isSpawnError, SpawnError } from '../core/errors.ts';
import { describeOffer, offerOf } from './describe.ts';
import { readFlags, USAGE, type WorkerFlags } from './flags.ts';
import { startForker } from './forker/forker.ts';
import { killLeftovers } from './forker/sweep.ts';
import { type FoundGpus, findGpus } from './gpus.ts';
import { thisMachine } from './machine.ts';
import { transportTo } from './transport-to.ts';
import { Worker, type WorkerOptions } from './worker.ts';
import { writeLine } from './write-line.ts';

const EXIT_INTERNAL = 70;

/**
 * The program `spored`. Says everything on standard error, a line each.
 *
 * SIGTERM or SIGINT: takes no more, gives back what has not started, lets running tasks finish within --grace, then ends them. A
 * second one ends them at once. SIGHUP means nothing to it.
 *
 * @returns the exit code: 0 after a signal or when the server said so; 69 when the server was away for --exit-when-gone; 2 for bad
 * flags; that of the error that keeps it from working
 */
export async function main(argv: string[]): Promise<number> {
  try {
    const asked = readFlags(argv, thisMachine());
    if (asked.kind === 'help') return print(USAGE);
    const found = await findGpus(process.env, asked.flags.gpus);
    if (asked.kind === 'work') return await work(asked.flags, found);
    return print(`${JSON.stringify(await describeOffer(asked.flags, found), undefined, 2)}\n`);
  } catch (error) {
    say(
      error instanceof Error && !isSpawnError(error)
        ? (error.stack ?? error.message)
        : String((error as Error).message),
    );
    return isSpawnError(error) ? error.exitCode : EXIT_INTERNAL;
  }
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

async function work(flags: WorkerFlags, { gpus, source, problems }: FoundGpus): Promise<number> {
  // What tasks create gets their own umask; what this process creates is nobody else's business.
  process.umask(0o077);
  makeDirectory(flags.dataDir);
  const { server } = flags;
  for (const problem of problems) say(problem);
  if (gpus.length > 0) say(`GPUs (${source}): ${gpus.map(({ id }) => id).join(', ')}`);
  const transport = transportTo(flags, say);
  const leaving = new AbortController();
  const client = new SpawnClient({ transport, ...revival(flags, leaving.signal) });
  const worker = new Worker({
    ...flags,
    resources: offerOf(flags, gpus),
    gpus,
    client,
    forkers: { start: startForker, killLeftovers },
    reach: reachOf(flags.server),
    host: hostname(),
    bootId: bootId(),
    version: packageVersion(),
    log: say,
  });
  const forgetSignals = listen(worker, flags.graceMs, leaving);
  try {
    if ((await worker.run()) === 'left') return 0;
    throw new SpawnError('SERVER_UNREACHABLE', { address: server, why: 'away for longer than --exit-when-gone' });
  } finally {
    forgetSignals();
    client.close();
  }
}

/** Other workers of a gang reach this one where it is said, else by the address from which it reaches the server. */
function reachOf(server: string): NonNullable<WorkerOptions['reach']> {
  const serverHost = server.startsWith('unix:') ? undefined : new URL(server).hostname.replace(/^\[|\]$/g, '');
  return { address: process.env.SPAWN_STEP_ADDRESS || undefined, serverHost };
}

/** Not on the way out: a stop of everything must not bring the server back. */
function revival({ revive, server, dataDir, instance }: WorkerFlags, leaving: AbortSignal): Partial<ClientOptions> {
  if (!revive || instance === undefined || !server.startsWith('unix:')) return {};
  const socketPath = server.slice('unix:'.length);
  const act = keeperReviver({ dataDir, runtimeDir: dirname(socketPath), socketPath }, instance);
  return {
    onUnreachable: async () => {
      if (!leaving.aborted) act();
    },
  };
}

function listen(worker: Worker, graceMs: number, leaving: AbortController): () => void {
  let signals = 0;
  const onSignal = (signal: string) => {
    signals += 1;
    leaving.abort();
    if (signals === 1) {
      say(`${signal}: takes no more; what runs has ${Math.round(graceMs / 1000)} s to finish`);
      worker.drain();
    } else if (signals === 2) {
      say(`${signal} again: ends what runs`);
      worker.end();
    }
  };
  const ignore = () => {};
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal).on('SIGHUP', ignore);
  return () => process.off('SIGTERM', onSignal).off('SIGINT', onSignal).off('SIGHUP', ignore);
}

function makeDirectory(path: string): void {
  try {
    makeDirectories(path, 0o700);
  } catch (error) {
    const expected = 'a directory that can be made';
    throw new SpawnError('BAD_REQUEST', {
      where: '--data-dir',
      expected,
      found: `${path}: ${(error as Error).message}`,
    });
  }
}

function say(line: string): void {
  writeLine(`${new Date().toISOString()} spored[${process.pid}]: ${line}`);
}
