import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { identify, type ProcessIdentity } from '../process-identity.ts';

/** How a process of a step ended. */
export type RankEnd = { readonly code: number } | { readonly signal: number };

/** `ignore`: /dev/null; a number: an open file of this process. */
export type RankStream = 'ignore' | 'pipe' | number;

export interface RankStart {
  readonly rank: number;
  /** The program is looked for in the PATH of `env`. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** It is there. */
  readonly cwd: string;
  readonly stdin: RankStream;
  readonly stdout: RankStream;
  readonly stderr: RankStream;
  /** It leads a session and a group of its own. Not where it is to have the terminal of this process. */
  readonly alone: boolean;
}

export interface RankEvents {
  /** @returns false: no more until `resume` */
  readonly onOutput: (rank: number, stream: 1 | 2, bytes: Uint8Array) => boolean;
  /** Its main process ended. */
  readonly onEnd: (rank: number, end: RankEnd) => void;
  /** Its program could not be run. @param name `ENOENT` @param errno 2 */
  readonly onFailed: (rank: number, name: string, errno: number) => void;
}

/** How long output is waited for after the last process ended: whoever has the pipe open besides has been killed by then. */
const LAST_OUTPUT_MS = 2_000;

/** The processes of a step on one machine, as children of this process. */
export class RankProcesses {
  readonly #events: RankEvents;
  readonly #running = new Map<number, ChildProcess>();
  readonly #groups: number[] = [];
  readonly #inputs = new Set<Writable>();
  readonly #outputs = new Set<Readable>();
  readonly #closed: Promise<unknown>[] = [];
  readonly #over = Promise.withResolvers<void>();
  #paused = false;

  constructor(events: RankEvents) {
    this.#events = events;
  }

  /** Resolves when everything that was started has ended, nothing of it is left, and its output has been given. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Starts all of them. @returns those that run */
  start(starts: readonly RankStart[]): readonly ProcessIdentity[] {
    const started = starts.flatMap((start) => this.#startOne(start));
    if (this.#running.size === 0) this.#finish();
    return started;
  }

  /** To all, or to one; each with whatever it started, where it leads a group. */
  signal(signal: number, rank?: number): void {
    for (const [number, child] of this.#running) {
      if (rank !== undefined && number !== rank) continue;
      const { pid } = child;
      if (pid !== undefined) kill(this.#groups.includes(pid) ? -pid : pid, signal);
    }
  }

  /** Gives bytes to all that read from a pipe; resolves when each has room for more. */
  async write(bytes: Uint8Array): Promise<void> {
    await Promise.all([...this.#inputs].map((input) => written(input, bytes)));
  }

  endInput(): void {
    for (const input of this.#inputs) input.end();
    this.#inputs.clear();
  }

  /** Output is wanted again. */
  resume(): void {
    this.#paused = false;
    for (const output of this.#outputs) output.resume();
  }

  #startOne(start: RankStart): ProcessIdentity[] {
    const { rank, alone } = start;
    const child = this.#spawn(start);
    if (child === undefined) return [];
    this.#running.set(rank, child);
    child.once('error', (error) => {
      if (child.pid !== undefined) return;
      this.#failed(rank, error);
      this.#ended(rank);
    });
    if (child.pid === undefined) return [];
    if (alone) this.#groups.push(child.pid);
    child.once('exit', (code, signal) => {
      this.#events.onEnd(rank, code === null ? { signal: constants.signals[signal!] ?? 1 } : { code });
      this.#ended(rank);
    });
    this.#closed.push(new Promise((resolve) => child.once('close', resolve)));
    if (child.stdout !== null) this.#read(rank, 1, child.stdout);
    if (child.stderr !== null) this.#read(rank, 2, child.stderr);
    if (child.stdin !== null) this.#feed(child.stdin);
    const identity = identify(child.pid);
    return identity === undefined ? [] : [identity];
  }

  /** Some errors come at once, E2BIG for one; the others when the process would be there. */
  #spawn({ rank, argv, env, cwd, stdin, stdout, stderr, alone }: RankStart): ChildProcess | undefined {
    const [program = '', ...args] = argv;
    try {
      return spawn(program, args, { stdio: [stdin, stdout, stderr], env: { ...env }, cwd, detached: alone });
    } catch (error) {
      this.#failed(rank, error as Error);
      return undefined;
    }
  }

  #failed(rank: number, error: NodeJS.ErrnoException): void {
    const name = error.code ?? 'EIO';
    this.#events.onFailed(rank, name, (constants.errno as Record<string, number>)[name] ?? 1);
  }

  #read(rank: number, stream: 1 | 2, output: Readable): void {
    this.#outputs.add(output);
    output.on('data', (bytes: Uint8Array) => {
      if (this.#events.onOutput(rank, stream, bytes)) return;
      this.#paused = true;
      for (const each of this.#outputs) each.pause();
    });
    output.once('close', () => this.#outputs.delete(output));
    if (this.#paused) output.pause();
  }

  /** It may end without having read everything. */
  #feed(input: Writable): void {
    this.#inputs.add(input);
    input.on('error', () => input.destroy());
    input.once('close', () => this.#inputs.delete(input));
  }

  #ended(rank: number): void {
    this.#running.delete(rank);
    if (this.#running.size === 0) this.#finish();
  }

  /** What ranks have left behind ends with the step. */
  #finish(): void {
    for (const group of this.#groups) kill(-group, constants.signals.SIGKILL);
    this.resume();
    const late = setTimeout(() => {
      for (const output of this.#outputs) output.destroy();
    }, LAST_OUTPUT_MS);
    void Promise.all(this.#closed).then(() => {
      clearTimeout(late);
      this.#over.resolve();
    });
  }
}

function kill(pid: number, signal: number): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended meanwhile.
  }
}

/** Gives bytes to a stream; resolves when it has room for more, or is gone. */
export function written(to: Writable, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (to.destroyed || to.write(bytes)) {
      resolve();
      return;
    }
    const go = () => {
      to.off('drain', go).off('close', go);
      resolve();
    };
    to.on('drain', go).on('close', go);
  });
}
