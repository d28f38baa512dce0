import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** A database that a peer keeps its tasks in, in a folder of its own and on a Unix socket only. */
export interface PeerServer {
  /** What the peer's script is told: the socket, or the folder that it is in. */
  readonly socket: string;
  readonly version: string;
  stop(): Promise<void>;
}

const START_WITHIN_MS = 20_000;
const DEBIAN_POSTGRES = '/usr/lib/postgresql';

/** Redis that syncs its log every second; `undefined` where it is not installed. */
export async function startRedis(): Promise<PeerServer | undefined> {
  const version = /v=([\d.]+)/.exec(spawnSync('redis-server', ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1];
  if (version === undefined) return undefined;
  const base = mkdtempSync(join(tmpdir(), 'spawn-redis-'));
  const socket = join(base, 's.sock');
  const args = ['--port', '0', '--unixsocket', socket, '--dir', base, '--save', ''];
  const child = spawn('redis-server', [...args, '--appendonly', 'yes', '--appendfsync', 'everysec'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await ready(child, () => spawnSync('redis-cli', ['-s', socket, 'ping'], { encoding: 'utf8' }).stdout === 'PONG\n');
  return { socket, version, stop: () => stop(child, 'SIGTERM', base) };
}

/** A new PostgreSQL cluster with its default settings; `undefined` where it is not installed. */
export async function startPostgres(): Promise<PeerServer | undefined> {
  const bin = postgresPrograms();
  if (bin === undefined) return undefined;
  const base = mkdtempSync(join(tmpdir(), 'spawn-postgres-'));
  // PostgreSQL refuses to run as root.
  const owner = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {};
  if (owner.uid !== undefined) chownSync(base, owner.uid, owner.gid);
  const data = join(base, 'data');
  const made = spawnSync(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8'], {
    ...owner,
    cwd: base,
    encoding: 'utf8',
  });
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`);
  const child = spawn(join(bin, 'postgres'), ['-D', data, '-k', base, '-c', 'listen_addresses='], {
    ...owner,
    cwd: base,
    stdio: 'ignore',
  });
  await ready(child, () => spawnSync(join(bin, 'pg_isready'), ['-q', '-h', base]).status === 0);
  const { stdout } = spawnSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8' });
  // SIGINT asks for a fast shutdown: it does not wait for clients to go.
  return { socket: base, version: stdout.split(' ')[2] ?? '', stop: () => stop(child, 'SIGINT', base) };
}

/** Debian keeps the server's programs out of PATH, one folder a version. */
function postgresPrograms(): string | undefined {
  try {
    const newest = readdirSync(DEBIAN_POSTGRES).toSorted((a, b) => Number(b) - Number(a))[0];
    return newest === undefined ? undefined : join(DEBIAN_POSTGRES, newest, 'bin');
  } catch {
    return undefined;
  }
}

function idOf(which: '-u' | '-g'): number {
  const { status, stdout } = spawnSync('id', [which, 'postgres'], { encoding: 'utf8' });
  if (status !== 0) throw new Error('root needs the user postgres to run PostgreSQL');
  return Number(stdout);
}

async function ready(child: ChildProcess, answers: () => boolean): Promise<void> {
  for (const from = performance.now(); !answers(); await wait(20)) {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended with ${child.exitCode}`);
    if (performance.now() - from > START_WITHIN_MS) {
      child.kill('SIGKILL');
      throw new Error(`${child.spawnfile} did not answer`);
    }
  }
}

async function stop(child: ChildProcess, signal: NodeJS.Signals, base: string): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  if (child.exitCode === null && child.signalCode === null) await gone;
  rmSync(base, { recursive: true, force: true });
}
