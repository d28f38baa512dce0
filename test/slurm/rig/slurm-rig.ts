import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandOf, descendants, leftOfJobs, MARK, markedProcesses, markOf, signal } from './rig-processes.ts';
import {
  DEFAULTS,
  type Ports,
  type RigOptions,
  writeGresConf,
  writeSlurmConf,
  writeSlurmdbdConf,
} from './slurm-conf.ts';

/** A running Slurm of its own below one directory. */
export interface SlurmRig {
  readonly dir: string;
  /** What commands of Slurm need in their environment. */
  readonly env: NodeJS.ProcessEnv;
  readonly startedInMs: number;
}

interface RigState {
  readonly pids: Record<string, number>;
  readonly mark: string;
}

const START_LIMIT_MS = 60_000;

/**
 * Starts munged, slurmctld and one slurmd a node, all below `dir` with ports of their own, and waits until every node is idle.
 * Needs root and Debian's slurm-wlm and munge (with accounting also slurmdbd and mariadb-server-core).
 */
export async function startSlurm(dir: string, options: Partial<RigOptions> = {}): Promise<SlurmRig> {
  const o: RigOptions = { ...DEFAULTS, ...options };
  if (process.getuid?.() !== 0) throw new Error('a rig of Slurm needs root: jobs run as the user that submits them');
  if (existsSync(join(dir, 'rig.json'))) throw new Error(`${dir} holds a rig already`);
  const begun = performance.now();
  mkdirSync(dir, { recursive: true, mode: 0o755 });
  chmodSync(dir, 0o755);
  const mark = randomBytes(8).toString('hex');
  const pids: Record<string, number> = {};
  const note = () => writeFileSync(join(dir, 'rig.json'), JSON.stringify({ pids, mark } satisfies RigState));
  note();
  try {
    const ports = await findPorts(o);
    prepareFiles(dir, ports, o);
    const env = rigEnv(dir);
    const daemonEnv = { ...env, [MARK]: mark };
    const start = (name: string, program: string, args: readonly string[]) => {
      const out = join(dir, `${name}.out`);
      const child = startDaemon(out, program, args, daemonEnv);
      child.once('exit', (code) => {
        // Once all run, nobody asks; a stop may have removed the file.
        if (existsSync(out)) ended.push(`${name} ended with ${code}: ${readFileSync(out, 'utf8').slice(-500)}`);
      });
      if (child.pid !== undefined) pids[name] = child.pid;
      note();
    };
    const ended: string[] = [];
    const until = (what: string, holds: () => boolean) =>
      waitUntil(what, () => {
        if (ended[0] !== undefined) throw new Error(ended[0]);
        return holds();
      });
    start('munged', '/usr/sbin/munged', mungedArgs(dir));
    await until('munge answers', () => existsSync(join(dir, 'munge/socket')));
    if (o.accounting === 'slurmdbd') await startDatabase(dir, ports, env, o.users, start, until);
    start('slurmctld', '/usr/sbin/slurmctld', ['-D', '-f', join(dir, 'slurm.conf')]);
    for (let i = 1; i <= o.nodes; i++) {
      start(`slurmd-n${i}`, '/usr/sbin/slurmd', ['-D', '-N', `n${i}`, '-f', join(dir, 'slurm.conf')]);
    }
    await until('every node is idle', () => {
      const out = spawnSync('sinfo', ['-h', '-N', '-p', 'main', '-o', '%T'], { env, encoding: 'utf8' });
      const states = out.stdout.split('\n').filter((line) => line !== '');
      return states.length === o.nodes && states.every((state) => state === 'idle');
    });
    return { dir, env, startedInMs: Math.round(performance.now() - begun) };
  } catch (error) {
    await stopSlurm(dir, { keep: true });
    throw error;
  }
}

/** Cancels every job, ends what the rig started (by its own pids and mark) and removes the directory. */
export async function stopSlurm(dir: string, options: { readonly keep?: boolean } = {}): Promise<void> {
  const path = join(dir, 'rig.json');
  if (!existsSync(path)) return;
  const { pids, mark }: RigState = JSON.parse(readFileSync(path, 'utf8'));
  // Not every marked process: slurmctld hangs when its slurmscriptd is killed before it.
  const stepsOfRig = () => markedProcesses(mark).filter((pid) => commandOf(pid).startsWith('slurmstepd'));
  // Jobs are children of slurmstepd and may have changed their group: they are collected while their parents live.
  const jobs = stepsOfRig().flatMap((pid) => [pid, ...descendants(pid)]);
  // What a job left behind has no parent that tells where it came from, but the environment of the job.
  for (const pid of new Set([...jobs, ...leftOfJobs(dir)])) signal(pid, 'SIGKILL');
  const order = Object.keys(pids).sort((a, b) => rank(a) - rank(b));
  for (const name of order) {
    const pid = pids[name];
    if (pid === undefined || markOf(pid) !== mark) continue;
    signal(pid, 'SIGTERM');
    await waitUntil(`${name} ends`, () => markOf(pid) !== mark, 15_000).catch(() => signal(pid, 'SIGKILL'));
  }
  for (const pid of markedProcesses(mark)) signal(pid, 'SIGKILL');
  await waitUntil('nothing of the rig runs', () => markedProcesses(mark).length === 0, 5_000);
  if (options.keep === true) rmSync(path);
  else rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
}

/** Environment in which the commands of Slurm talk to the rig of `dir`. */
export function rigEnv(dir: string): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, SLURM_CONF: join(dir, 'slurm.conf') };
  for (const name of Object.keys(env))
    if (/^(SLURM_(?!CONF$)|SBATCH_|SQUEUE_|SCANCEL_|SACCT_|SINFO_)/.test(name)) delete env[name];
  return env;
}

// slurmd before slurmctld: it then says good-bye; munged last, because all others sign with it.
const rank = (name: string) =>
  name.startsWith('slurmd-') ? 0 : ['slurmctld', 'slurmdbd', 'mysqld', 'munged'].indexOf(name) + 1;

function prepareFiles(dir: string, ports: Ports, o: RigOptions): void {
  for (const sub of ['munge', 'state']) mkdirSync(join(dir, sub), { mode: 0o755 });
  writeFileSync(join(dir, 'munge/key'), randomBytes(128), { mode: 0o400 });
  // Slurm wants character devices; it never opens them.
  for (let i = 0; i < o.gpusPerNode; i++) symlinkSync('/dev/null', join(dir, `gpu${i}`));
  // Mails of Slurm (`mail -s SUBJECT USER`) become lines of a file.
  writeFileSync(join(dir, 'mail'), `#!/bin/sh\nprintf '%s\\n' "$*" >> '${dir}/mail.txt'\n`, { mode: 0o755 });
  writeFileSync(join(dir, 'slurm.conf'), writeSlurmConf(dir, ports, o), { mode: 0o644 });
  writeFileSync(join(dir, 'gres.conf'), writeGresConf(dir, o), { mode: 0o644 });
  // An empty file says: no cgroups here. Without it slurmd looks for some.
  writeFileSync(join(dir, 'cgroup.conf'), 'CgroupAutomount=no\n', { mode: 0o644 });
  writeFileSync(join(dir, 'slurmdbd.conf'), writeSlurmdbdConf(dir, ports), { mode: 0o600 });
}

function mungedArgs(dir: string): readonly string[] {
  const at = (name: string) => join(dir, 'munge', name);
  return [
    '--foreground',
    `--socket=${at('socket')}`,
    `--key-file=${at('key')}`,
    `--log-file=${at('log')}`,
    `--pid-file=${at('pid')}`,
    `--seed-file=${at('seed')}`,
    '--num-threads=2',
  ];
}

async function startDatabase(
  dir: string,
  ports: Ports,
  env: NodeJS.ProcessEnv,
  users: readonly string[],
  start: (name: string, program: string, args: readonly string[]) => void,
  until: (what: string, holds: () => boolean) => Promise<void>,
): Promise<void> {
  const data = join(dir, 'mysql');
  execFileSync(
    'mariadb-install-db',
    ['--no-defaults', '--user=root', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db'],
    {
      stdio: 'ignore',
    },
  );
  start('mysqld', '/usr/sbin/mariadbd', [
    '--no-defaults',
    '--user=root',
    `--datadir=${data}`,
    `--socket=${data}/socket`,
    `--pid-file=${data}/pid`,
    '--bind-address=127.0.0.1',
    `--port=${ports.mysql}`,
    '--skip-name-resolve=0',
    '--innodb-buffer-pool-size=64M',
    '--innodb-log-file-size=64M',
    '--innodb-lock-wait-timeout=900',
    '--innodb-flush-log-at-trx-commit=0',
  ]);
  await until('the database listens', () => existsSync(join(data, 'socket')));
  start('slurmdbd', '/usr/sbin/slurmdbd', ['-D']);
  const ask = (args: readonly string[]) => spawnSync('sacctmgr', ['-i', ...args], { env, encoding: 'utf8' });
  await until('slurmdbd answers', () => ask(['-n', 'list', 'cluster']).status === 0);
  ask(['add', 'cluster', 'rig']);
  ask(['add', 'account', 'test', 'Description=test', 'Organization=test']);
  for (const user of users) ask(['add', 'user', user, 'Account=test']);
}

function startDaemon(out: string, program: string, args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  const file = openSync(out, 'a');
  const child = spawn(program, args, { env, detached: true, cwd: '/', stdio: ['ignore', file, file] });
  child.unref();
  return child;
}

async function findPorts(o: RigOptions): Promise<Ports> {
  const servers = Array.from({ length: o.nodes + 3 }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            if (address !== null && typeof address === 'object') resolve(address.port);
            else reject(new Error('no port'));
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  const [slurmctld, slurmdbd, mysql, ...slurmd] = ports;
  if (slurmctld === undefined || slurmdbd === undefined || mysql === undefined) throw new Error('no ports');
  return { slurmctld, slurmdbd, mysql, slurmd };
}

async function waitUntil(what: string, holds: () => boolean, limitMs = START_LIMIT_MS): Promise<void> {
  const end = performance.now() + limitMs;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited ${limitMs} ms in vain until ${what}`);
    await sleep(20);
  }
}
