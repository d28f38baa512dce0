import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { DataFiles } from '../client/node/data-files.ts';
import { builtProgram } from '../client/node/package-files.ts';
import { bootId, childrenOf, identify, isAlive, signalProcess } from '../client/node/process-identity.ts';
import { backgroundEnv } from '../client/node/start-keeper.ts';
import type { Coordinator } from '../coordinator/coordinator.ts';
import { LocalPool } from '../coordinator/loops/local-pool.ts';
import { type Loop, startLoop } from '../coordinator/loops/start-loop.ts';
import { systemClock } from '../coordinator/system-clock.ts';
import { createLocalProvider } from '../providers/local/local-provider.ts';
import { machineMemory } from '../providers/local/machine-size.ts';
import type { Provider } from '../providers/provider.ts';
import type { Arguments } from './arguments.ts';

/** What local workers get to end in when the server stops: more than a task's longest grace then. */
const WORKERS_PATIENCE_MS = 20_000;
/** How long a local worker waits for a coordinator that is away. */
const WORKER_PATIENCE = '10m';
const KILL_PATIENCE_MS = 5_000;
const WORKERS_LOOK_MS = 10;

export interface Workers {
  /** With `end`, returns when none is left; else they go on without this process. */
  stop(end: boolean): Promise<void>;
  /** For who cannot wait for that: their tasks are lost, and run again later. */
  kill(): Promise<void>;
}

/** Where local workers find the server, and the flags that say what they offer. */
interface WorkerArguments extends Arguments {
  readonly offer: readonly string[];
}

export function keepWorkers(place: WorkerArguments, files: DataFiles, coordinator: Coordinator, log: Logger): Workers {
  let loop: Loop | undefined;
  const size = Number(process.env.SPAWN_LOCAL_WORKERS ?? 1);
  const provider = createLocalProvider({
    processes: { identify, isAlive, signal: signalProcess, childrenOf, bootId },
    instancesDir: files.instancesDir,
    command: (id) => workerCommand(place, id, size),
    env: backgroundEnv(process.env),
    logFile: files.workerLog,
    onExit: () => loop?.wake(),
  });
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

function workerCommand(
  { socketPath, dataDir, kept, offer }: WorkerArguments,
  id: string,
  size: number,
): [string, ...string[]] {
  // Scripts connect to the first name of SLURM_JOB_NODELIST: a worker that is alone here goes by the name of the machine.
  const name = size === 1 ? hostname() : id.replace('local', hostname());
  return [
    process.execPath,
    builtProgram('spored'),
    ...['--server', `unix:${socketPath}`, '--instance', id, '--name', name, '--data-dir', dataDir],
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
