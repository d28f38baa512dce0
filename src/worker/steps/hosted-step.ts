import { statSync } from 'node:fs';
import { constants } from 'node:os';
import { isAbsolute } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { identify } from '../../client/node/process-identity.ts';
import { RankProcesses } from '../../client/node/steps/rank-processes.ts';
import { removeRecord, writeRecord } from '../../client/node/steps/step-folder.ts';
import {
  type EndFrame,
  type Frame,
  FrameCutter,
  FrameType,
  frame,
  jsonFrame,
  jsonOf,
  outputFrames,
  type RunFrame,
} from '../../client/node/steps/step-wire.ts';

const { SIGKILL } = constants.signals;
/** A connection says within it what it wants. */
const ASK_WITHIN_MS = 10_000;
const MOST_RANKS = 4_096;
const MOST_SIGNAL = 64;

export interface HostedStepOptions {
  readonly socket: TLSSocket;
  /** Of the attempt. */
  readonly folder: string;
  /** Over what srun sends. */
  readonly env: Readonly<Record<string, string>>;
}

/** One step on this node, for a srun that has proved to know the secret of the attempt. It ends with the connection. */
export class HostedStep {
  readonly #options: HostedStepOptions;
  readonly #cutter = new FrameCutter();
  readonly #late: NodeJS.Timeout;
  readonly #ended = Promise.withResolvers<void>();
  #run: RunFrame | undefined;
  #processes: RankProcesses | undefined;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(options: HostedStepOptions) {
    this.#options = options;
    const { socket } = options;
    this.#late = setTimeout(() => socket.destroy(), ASK_WITHIN_MS);
    socket.setNoDelay(true).setKeepAlive(true, ASK_WITHIN_MS);
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    socket.on('drain', () => this.#processes?.resume());
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#closed());
  }

  /** Resolves when nothing of it runs. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  signal(signal: number): void {
    this.#processes?.signal(signal);
  }

  #take(bytes: Buffer): void {
    try {
      for (const each of this.#cutter.add(bytes)) this.#one(each);
    } catch (error) {
      this.#options.socket.end(frame(FrameType.notice, Buffer.from(`srun: error: ${(error as Error).message}`)));
      this.#options.socket.destroySoon();
    }
  }

  #one(each: Frame): void {
    const isFirst = this.#run === undefined;
    if (isFirst !== (each.type === FrameType.run)) throw new Error('a step was expected first, and once');
    if (each.type === FrameType.run) this.#start(checkRun(jsonOf(each)));
    else if (each.type === FrameType.signal) this.signal(Math.min(each.data[0] ?? 0, MOST_SIGNAL));
    else if (each.type === FrameType.input) this.#input(each.data);
    else throw new Error(`a frame of type ${each.type} that is none of srun`);
  }

  #start(run: RunFrame): void {
    const { socket, folder, env } = this.#options;
    clearTimeout(this.#late);
    this.#run = run;
    const send = (end: EndFrame) => socket.write(jsonFrame(FrameType.end, end));
    const ends: EndFrame[] = [];
    const processes = new RankProcesses({
      onOutput: (rank, stream, bytes) => socket.destroyed || socket.write(outputFrames(rank, stream, bytes)),
      onEnd: (rank, end) => ends.push({ rank, ...end }),
      onFailed: (rank, failed, errno) => ends.push({ rank, failed, errno }),
    });
    this.#processes = processes;
    process.umask(run.umask);
    const cwd = this.#directory(run.cwd);
    const started = processes.start(
      run.ranks.map((one) => ({
        rank: one.rank,
        argv: run.argv,
        env: { ...run.env, ...one.env, ...env },
        cwd,
        stdin: run.input === 'all' || run.input === one.rank ? 'pipe' : 'ignore',
        stdout: 'pipe',
        stderr: 'pipe',
        alone: true,
      })),
    );
    const tell = () => ends.splice(0).forEach(send);
    const timer = setInterval(tell, TELL_EVERY_MS);
    void processes.over.then(() => {
      clearInterval(timer);
      removeRecord(folder, run.step);
      tell();
      socket.end();
      this.#ended.resolve();
    });
    // Without it no signal would find them: what cannot be written ends the step, and what runs of it.
    writeRecord(folder, run.step, { owner: identify(process.pid)!, cpus: {}, ranks: started });
    socket.write(frame(FrameType.begun));
  }

  /** One that is not there is no error in Slurm. */
  #directory(cwd: string): string {
    if (statSync(cwd, { throwIfNoEntry: false })?.isDirectory()) return cwd;
    const why = `couldn't chdir to \`${cwd}': No such file or directory: going to /tmp instead`;
    this.#options.socket.write(frame(FrameType.notice, Buffer.from(`slurmstepd: error: ${why}`)));
    return '/tmp';
  }

  /** One after the other: the next is sent when this one was taken. No bytes: there are no more. */
  #input(bytes: Uint8Array): void {
    const processes = this.#processes!;
    if (bytes.length === 0) {
      void this.#writing.then(() => processes.endInput());
      return;
    }
    const copy = Uint8Array.from(bytes);
    this.#writing = this.#writing
      .then(() => processes.write(copy))
      .then(() => this.#options.socket.destroyed || this.#options.socket.write(frame(FrameType.took)));
  }

  #closed(): void {
    clearTimeout(this.#late);
    if (this.#processes === undefined) this.#ended.resolve();
    this.#processes?.signal(SIGKILL);
    // What nobody reads any more must not keep it.
    this.#processes?.resume();
  }
}

const TELL_EVERY_MS = 20;

/** @throws Error that says what is wrong with it */
function checkRun(run: Partial<RunFrame> | null): RunFrame {
  const { step, argv, env, cwd, umask, ranks, input } = run ?? {};
  const isText = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0');
  const isEnv = (value: unknown) =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries(value).every(([name, one]) => isText(one) && isText(name) && name !== '' && !name.includes('='));
  const isNumber = (value: unknown, most: number) =>
    Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= most;
  const isFine =
    isNumber(step, 1e9) &&
    Array.isArray(argv) &&
    argv.length > 0 &&
    argv.every(isText) &&
    isEnv(env) &&
    isText(cwd) &&
    isAbsolute(cwd) &&
    isNumber(umask, 0o777) &&
    Array.isArray(ranks) &&
    ranks.length > 0 &&
    ranks.length <= MOST_RANKS &&
    ranks.every((one: { rank?: unknown; env?: unknown } | null) => isNumber(one?.rank, 1e9) && isEnv(one?.env)) &&
    new Set(ranks.map(({ rank }) => rank)).size === ranks.length &&
    (input === 'none' || input === 'all' || isNumber(input, 1e9));
  if (!isFine) throw new Error('a step that cannot be understood');
  return run as RunFrame;
}
