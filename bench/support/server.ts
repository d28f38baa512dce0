import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { SpawnClient } from '../../src/client/client.ts';
import { unixTransport } from '../../src/client/node/unix-transport.ts';

const SERVER = new URL('../../dist/bin/server.js', import.meta.url).pathname;

/** A real server process on a data directory of its own. */
export interface BenchServer {
  readonly client: SpawnClient;
  readonly dataDir: string;
  readonly socketPath: string;
  readonly env: Record<string, string>;
  readonly process: ChildProcess;
  /** Kills it as a power cut would, and starts it again; gives ms until it answers. */
  restart(): Promise<number>;
  /** Bytes on disk of the database and its log. */
  diskBytes(): number;
  /** Resident memory, bytes. */
  memoryBytes(): number;
  stop(): Promise<void>;
}

export async function startBenchServer(localWorkers: number): Promise<BenchServer> {
  const base = mkdtempSync(join(tmpdir(), 'spawn-bench-'));
  const dataDir = join(base, 'data');
  const runtimeDir = join(base, 'run');
  const socketPath = join(runtimeDir, 's.sock');
  const env = {
    ...(process.env as Record<string, string>),
    SPAWN_DATA_DIR: dataDir,
    SPAWN_RUNTIME_DIR: runtimeDir,
    SPAWN_LOCAL_WORKERS: String(localWorkers),
  };
  const client = new SpawnClient({ transport: unixTransport(socketPath), retryForMs: 0 });
  const start = async (): Promise<[ChildProcess, number]> => {
    const from = performance.now();
    const args = [SERVER, '--data-dir', dataDir, '--runtime-dir', runtimeDir, '--socket', socketPath];
    const child = spawn(process.execPath, args, {
      env,
      stdio: ['ignore', 'ignore', process.env.SPAWN_BENCH_DEBUG ? 'inherit' : 'ignore'],
    });
    while (!(await answers(client))) {
      if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
      await wait(2);
    }
    return [child, performance.now() - from];
  };
  let [child] = await start();
  return {
    client,
    dataDir,
    socketPath,
    env,
    get process() {
      return child;
    },
    async restart() {
      const gone = ended(child);
      child.kill('SIGKILL');
      await gone;
      let ms: number;
      [child, ms] = await start();
      return ms;
    },
    diskBytes: () =>
      ['spawn.db', 'spawn.db-wal'].reduce(
        (sum, name) => sum + (statSync(join(dataDir, name), { throwIfNoEntry: false })?.size ?? 0),
        0,
      ),
    memoryBytes: () => residentBytes(child.pid!),
    async stop() {
      const gone = ended(child);
      child.kill('SIGTERM');
      await gone;
      rmSync(base, { recursive: true, force: true });
    },
  };
}

async function answers(client: SpawnClient): Promise<boolean> {
  try {
    await client.server();
    return true;
  } catch {
    return false;
  }
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => child.once('exit', () => resolve()));
}

function residentBytes(pid: number): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
  return pages * 4096;
}
