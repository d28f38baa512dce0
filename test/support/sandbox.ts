import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const node = join(root, 'node_modules/node/bin/node');
const program = join(root, 'dist/bin/spawn.js');

export interface Ended {
  /** 128+n when a signal ended it. */
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** Standard output as it came. */
  readonly bytes: Buffer;
}

export interface Started {
  readonly child: ChildProcess;
  /** What it has written to standard output and standard error until now. */
  readonly out: () => string;
  readonly err: () => string;
  readonly ended: Promise<Ended>;
}

export interface RunOptions {
  /** Of standard input; default none at all. */
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A user with an own data directory and thus an own coordinator, and nothing else running. */
export interface Sandbox {
  /** For the test's files. */
  readonly folder: string;
  readonly dataDir: string;
  /** What commands run with. */
  readonly env: NodeJS.ProcessEnv;
  /** Runs the built `spawn` to its end. */
  spawn(args: readonly string[], options?: RunOptions): Promise<Ended>;
  /** Starts the built `spawn`. */
  start(args: readonly string[], options?: RunOptions): Started;
  /** Processes that were started, directly or not, with this data directory and live. */
  processes(): number[];
  /** Stops the coordinator and removes the folder; fails, after ending them, when processes are left. */
  close(): Promise<void>;
}

export function makeSandbox(): Sandbox {
  const folder = mkdtempSync(join(tmpdir(), 'spawn-test-'));
  const dataDir = join(folder, 'data');
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    LANG: 'C.UTF-8',
    // Compiled code is shared with other tests: made anew for each it would cost more than all else.
    XDG_CACHE_HOME: process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? '/tmp', '.cache'),
    SPAWN_DATA_DIR: dataDir,
    SPAWN_RUNTIME_DIR: join(folder, 'run'),
  };
  const start = (args: readonly string[], options: RunOptions = {}) =>
    follow(spawn(node, ['--', program, ...args], spawnOptions(folder, env, options)), options.input);
  const run = (args: readonly string[], options?: RunOptions) => start(args, options).ended;
  const processes = () => processesWith(dataDir);
  return {
    folder,
    dataDir,
    env,
    spawn: run,
    start,
    processes,
    close: async () => {
      const stopped = await run(['server', 'stop']);
      const left = processes();
      const what = left.map((pid) => `${pid} (${commandOf(pid)})`).join(', ');
      for (const pid of left) kill(pid);
      rmSync(folder, { recursive: true, force: true });
      if (stopped.code !== 0) throw new Error(`spawn server stop: exit code ${stopped.code}: ${stopped.err}`);
      if (left.length > 0) throw new Error(`processes were left after spawn server stop: ${what}`);
    },
  };
}

function spawnOptions(folder: string, env: NodeJS.ProcessEnv, options: RunOptions): SpawnOptions {
  return {
    cwd: options.cwd ?? folder,
    env: { ...env, ...options.env },
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  };
}

function follow(child: ChildProcess, input: string | Uint8Array | undefined): Started {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout!.on('data', (piece: Buffer) => out.push(piece));
  child.stderr!.on('data', (piece: Buffer) => err.push(piece));
  const text = (pieces: readonly Buffer[]) => Buffer.concat(pieces).toString();
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const bytes = Buffer.concat(out);
      resolve({ code: code ?? 128 + SIGNALS[signal!]!, out: bytes.toString(), err: text(err), bytes });
    });
  });
  // A command may end without reading what it is given.
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  return { child, out: () => text(out), err: () => text(err), ended };
}

const SIGNALS: Readonly<Partial<Record<NodeJS.Signals, number>>> = { SIGINT: 2, SIGKILL: 9, SIGPIPE: 13, SIGTERM: 15 };

/** Looks at arguments and environment of every process: the background ones name the folder in both. */
function processesWith(dataDir: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    if (!(pid > 0) || pid === process.pid || isDead(pid)) return [];
    return [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`].some((path) => read(path).includes(dataDir)) ? [pid] : [];
  });
}

/** A zombie runs nothing any more; its parent has only not looked yet. */
function isDead(pid: number): boolean {
  const stat = read(`/proc/${pid}/stat`);
  return stat === '' || stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
}

function commandOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself meanwhile.
  }
}
