import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DataFiles, dataFiles } from '../../src/client/node/data-files.ts';
import { identify, type ProcessIdentity } from '../../src/client/node/process-identity.ts';
import { type ProcessRecord, readLiveRecord } from '../../src/client/node/process-record.ts';
import { until } from './until.ts';

const builtSpawn = fileURLToPath(new URL('../../dist/bin/spawn.js', import.meta.url));

/** A task that notes its start, waits for the file `go`, and notes its end. */
export const WAITER = `
  echo "start $SPAWN_TASK_ID $SPAWN_ATTEMPT $$" >>notes
  until [ -e go ]; do sleep 0.02; done
  echo "end $SPAWN_TASK_ID $SPAWN_ATTEMPT" >>notes`;

export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A user's own data and runtime directories, and the built command in them. Several commands may run at once. */
export class OwnCoordinator {
  readonly folder: string;
  readonly dataDir: string;
  readonly runtimeDir: string;
  readonly files: DataFiles;
  readonly env: NodeJS.ProcessEnv;
  readonly uid: number | undefined;

  /**
   * @param uid as whom the commands run; only root can choose
   * @param name a part of the name of every path
   */
  constructor(uid?: number, name = '') {
    this.folder = mkdtempSync(join(tmpdir(), `spawn-own-${name}`));
    this.dataDir = join(this.folder, 'data');
    this.runtimeDir = join(this.folder, 'run');
    this.files = dataFiles(this.dataDir);
    this.uid = uid;
    const { PATH, LANG = 'C.UTF-8', SPAWN_CI_RUN } = process.env;
    this.env = {
      PATH,
      LANG,
      HOME: this.folder,
      // Compiled code is shared with other tests: made anew for each it would cost more than all else.
      ...(uid === undefined
        ? { XDG_CACHE_HOME: process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? '/tmp', '.cache') }
        : {}),
      SPAWN_DATA_DIR: this.dataDir,
      SPAWN_RUNTIME_DIR: this.runtimeDir,
      ...(SPAWN_CI_RUN === undefined ? {} : { SPAWN_CI_RUN }),
    };
    if (uid === undefined) return;
    chmodSync(this.folder, 0o700);
    chownSync(this.folder, uid, uid);
  }

  start(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
    const as = this.uid === undefined ? {} : { uid: this.uid, gid: this.uid };
    return spawn(process.execPath, [builtSpawn, ...args], {
      cwd: this.folder,
      env: { ...this.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...as,
    });
  }

  /** Runs `spawn ARGS…` to its end. */
  async run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> {
    return finished(this.start(args, env));
  }

  /** As `run`; fails unless it ends with 0. */
  async ok(...args: readonly string[]): Promise<string> {
    const { code, out, err } = await this.run(args);
    if (code !== 0) throw new Error(`spawn ${args.join(' ')} ended with ${code}: ${err}${out}`);
    return out;
  }

  /** The JSON that a command prints. */
  async json<T>(...args: readonly string[]): Promise<T> {
    return JSON.parse(await this.ok(...args, '-o', 'json')) as T;
  }

  /** Submits, and gives the job's number. */
  async submit(...args: readonly string[]): Promise<string> {
    return (await this.ok('submit', '--quiet', ...args)).trim();
  }

  /** A job of tasks that wait until `letGo`. */
  submitWaiter(...options: readonly string[]): Promise<string> {
    return this.submit(...options, '--', 'sh', '-c', WAITER);
  }

  letGo(): void {
    writeFileSync(join(this.folder, 'go'), '');
  }

  starts(): string[] {
    return this.lines('notes').filter((line) => line.startsWith('start'));
  }

  ends(): string[] {
    return this.lines('notes').filter((line) => line.startsWith('end'));
  }

  /** Waits for the n-th start of a waiter and gives the process that noted it, if it lives. */
  async started(count: number): Promise<ProcessIdentity | undefined> {
    await until(`${count} starts`, () => this.starts().length >= count);
    return identify(Number(this.starts()[count - 1]!.split(' ')[3]));
  }

  keeper(otherThan?: number): Promise<ProcessRecord> {
    return this.#live('keeper', this.files.keeper, otherThan);
  }

  server(otherThan?: number): Promise<ProcessRecord> {
    return this.#live('server', this.files.server, otherThan);
  }

  /** The local worker, once its forker is known. */
  worker(otherThan?: number): Promise<Required<ProcessRecord>> {
    return until('a worker', () => {
      const dir = this.files.instancesDir;
      const records = existsSync(dir) ? readdirSync(dir).map((name) => readLiveRecord(join(dir, name))) : [];
      const found = records.find((record) => record?.forker !== undefined && record.pid !== otherThan);
      return found as Required<ProcessRecord> | undefined;
    });
  }

  /** Lines of a file of the test's own, none while there is no such file. */
  lines(name: string): string[] {
    const path = join(this.folder, name);
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
  }

  /** Every process that carries this folder in its command or its environment. */
  processes(): number[] {
    return readdirSync('/proc').flatMap((name) =>
      /^\d+$/.test(name) && mentions(name, this.folder) ? [Number(name)] : [],
    );
  }

  /** Stops everything, and fails when something is left. */
  async close(): Promise<void> {
    if (existsSync(this.dataDir)) await this.ok('server', 'stop');
    await until('the end of every process of the directory', () => this.processes().length === 0);
    rmSync(this.folder, { recursive: true, force: true });
  }

  makeFolder(name: string): string {
    const path = join(this.folder, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  #live(what: string, path: string, otherThan: number | undefined): Promise<ProcessRecord> {
    return until(`another ${what}`, () => {
      const record = readLiveRecord(path);
      return record?.pid === otherThan ? undefined : record;
    });
  }
}

export async function finished(child: ChildProcess): Promise<Finished> {
  let out = '';
  let err = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
}

function mentions(pid: string, text: string): boolean {
  try {
    return ['cmdline', 'environ'].some((name) => readFileSync(`/proc/${pid}/${name}`, 'utf8').includes(text));
  } catch {
    return false;
  }
}
