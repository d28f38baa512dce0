import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { SpawnClient } from '../../src/client/client.ts';
import { unixTransport } from '../../src/client/node/unix-transport.ts';
import { readSettings } from '../../src/config/settings.ts';
import { until } from '../support/until.ts';
import { FIRST_JOB } from './normalise.ts';
import { ROOT, runLines, type Side } from './side.ts';

const built = (name: string) => fileURLToPath(new URL(`../../dist/bin/${name}.js`, import.meta.url));

/** Starts a coordinator with workers n1…n3 of 8 CPUs and 2 GPUs below `dir`, and makes the commands of Slurm for it. */
export async function startSpawn(dir: string): Promise<Side> {
  const home = join(dir, 'home');
  const shims = join(dir, 'shims');
  mkdirSync(home, { recursive: true });
  const own = {
    LANG: 'C.UTF-8',
    XDG_CACHE_HOME: process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? '/tmp', '.cache'),
    SPAWN_DATA_DIR: join(dir, 'data'),
    SPAWN_RUNTIME_DIR: join(dir, 'run'),
    SPAWN_LOCAL_WORKERS: '0',
    SPAWN_MAX_ARRAY_SIZE: '100000',
    ...(process.env.SPAWN_CI_RUN === undefined ? {} : { SPAWN_CI_RUN: process.env.SPAWN_CI_RUN }),
  };
  const env = { ...own, PATH: process.env.PATH, HOME: home };
  const command = (...words: string[]) =>
    execFileSync(process.execPath, [built('spawn'), ...words], { env, stdio: 'pipe' });
  command('server', 'start');
  command('server', 'stop');
  const database = new Database(join(own.SPAWN_DATA_DIR, 'spawn.db'));
  database.prepare('UPDATE meta SET next_job = ?').run(FIRST_JOB);
  database.close();
  command('server', 'start');
  command('slurm', 'shims', shims);
  const { socketPath } = readSettings(env, ROOT.uid);
  const workers = ['n1', 'n2', 'n3'].map((name) => startWorker(name, dir, socketPath, env));
  const client = new SpawnClient({ transport: unixTransport(socketPath) });
  await until('three workers', async () => (await client.server()).sessions.length === 3);
  client.close();
  const commands = { ...own, PATH: `${shims}:${process.env.PATH}` };
  return {
    name: 'spawn',
    env: commands,
    run: (scenario) => runLines(scenario, join(dir, 'spawn'), commands, ROOT),
    async close() {
      for (const worker of workers) worker.kill('SIGTERM');
      await Promise.all(workers.map((worker) => (worker.exitCode === null ? once(worker, 'exit') : undefined)));
      command('server', 'stop');
    },
  };
}

function startWorker(name: string, dir: string, socketPath: string, env: NodeJS.ProcessEnv): ChildProcess {
  const offers = ['--cpus', '8', '--memory', '16000M', '--gpus', '2', '--no-cpu-binding', '--grace', '1s'];
  const where = ['--server', `unix:${socketPath}`, '--name', name, '--data-dir', join(dir, `data-${name}`)];
  return spawn(process.execPath, [built('spored'), ...where, ...offers], { env, cwd: '/', stdio: 'ignore' });
}
