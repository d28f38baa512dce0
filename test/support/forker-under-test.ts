import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import {
  type LogRecord,
  LogStream,
  parseLogNote,
  parseLogRecords,
  segmentFileName,
} from '../../src/core/log-record.ts';
import { startForker } from '../../src/worker/forker/forker.ts';
import { type ForkerProgram, forkerProgram } from '../../src/worker/forker/programs.ts';
import type {
  Forker,
  ForkerExit,
  ForkerKind,
  LeaseExpired,
  RunRefused,
  RunRequest,
  TaskEnded,
  TaskSpawnFailed,
  TaskStarted,
} from '../../src/worker/forker/types.ts';
import { until } from './until.ts';

export type Answer =
  | { readonly ended: TaskEnded }
  | { readonly failed: TaskSpawnFailed }
  | { readonly refused: RunRefused };

/** What a test says of a run; the rest has defaults. */
export type RunPart = Partial<RunRequest> & ({ readonly argv: readonly string[] } | { readonly script: string });

export interface ReadLog {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** In the order of the file. */
  readonly notes: readonly { readonly flags: number; readonly stdoutBytes: number; readonly stderrBytes: number }[];
  /** As they are in the file. */
  readonly records: readonly LogRecord[];
}

export interface ForkerUnderTestOptions {
  readonly logDir?: string;
  readonly maxSegmentBytes?: number;
  /** Instead of the one for the kind. */
  readonly program?: ForkerProgram;
}

const SESSION = `test-${process.pid}`;
let runs = 0;

/** A real forker with its events kept, and a log directory of its own. */
export class ForkerUnderTest implements AsyncDisposable {
  readonly logDir: string;
  readonly exit: Promise<ForkerExit>;
  readonly tag = `t${process.pid}-${++runs}`;
  readonly session = `${SESSION}-${runs}`;
  readonly leaseExpired: LeaseExpired[] = [];
  readonly order: string[] = [];
  readonly #started = new Map<number, PromiseWithResolvers<TaskStarted>>();
  readonly #answers = new Map<number, PromiseWithResolvers<Answer>>();
  readonly #exit = Promise.withResolvers<ForkerExit>();
  readonly #ownsLogDir: boolean;
  #forker: Forker | undefined;
  #lastFence = 0;

  private constructor(options: ForkerUnderTestOptions) {
    this.exit = this.#exit.promise;
    this.#ownsLogDir = options.logDir === undefined;
    this.logDir = options.logDir ?? mkdtempSync(join(tmpdir(), 'forker-test-'));
  }

  static async start(kind: ForkerKind, options: ForkerUnderTestOptions = {}): Promise<ForkerUnderTest> {
    const test = new ForkerUnderTest(options);
    const over = (name: string, fence: number, answer: Answer) => {
      test.order.push(`${name} ${fence}`);
      test.#answerOf(fence).resolve(answer);
    };
    test.#forker = await startForker({
      kind,
      logDir: test.logDir,
      sessionTag: test.tag,
      ...(options.program === undefined ? {} : { program: options.program }),
      ...(options.maxSegmentBytes === undefined ? {} : { maxSegmentBytes: options.maxSegmentBytes }),
      callbacks: {
        onStarted: (event) => {
          test.order.push(`started ${event.fence}`);
          test.#startedOf(event.fence).resolve(event);
        },
        onEnded: (ended) => over('ended', ended.fence, { ended }),
        onSpawnFailed: (failed) => over('failed', failed.fence, { failed }),
        onRefused: (refused) => over('refused', refused.fence, { refused }),
        onLeaseExpired: (event) => test.leaseExpired.push(event),
        onExit: (exit) => test.#exit.resolve(exit),
      },
    });
    test.forker.setEnv(1, [`PATH=${process.env.PATH}`, `SPAWN_SESSION=${test.session}`, 'BASE=base', 'BOTH=base']);
    return test;
  }

  get forker(): Forker {
    return this.#forker!;
  }

  /** Sends a run; its fence. */
  run(part: RunPart): number {
    const fence = part.fence ?? ++this.#lastFence;
    const { script, ...rest } = { script: '', ...part };
    this.forker.run({
      jobId: 1,
      position: fence - 1,
      attempt: 1,
      envId: 1,
      argv: ['/bin/sh', '-c', script],
      cwd: this.logDir,
      graceMs: 60_000,
      logCapBytes: 1024 * 1024,
      ...rest,
      fence,
      env: [`SPAWN_FENCE=${fence}`, ...(part.env ?? [])],
    });
    return fence;
  }

  started(fence: number): Promise<TaskStarted> {
    return this.#startedOf(fence).promise;
  }

  answer(fence: number): Promise<Answer> {
    return this.#answerOf(fence).promise;
  }

  /** The end of a task that is expected to have started. */
  async ended(fence: number): Promise<TaskEnded> {
    const answer = await this.answer(fence);
    if ('ended' in answer) return answer.ended;
    throw new Error(`task ${fence} did not run: ${JSON.stringify(answer)}`);
  }

  /** Runs one script to its end. */
  async complete(script: string, part: Partial<RunRequest> = {}): Promise<{ ended: TaskEnded; log: ReadLog }> {
    const ended = await this.ended(this.run({ script, ...part }));
    return { ended, log: this.log(ended, part.jobId) };
  }

  /** What the log of an ended attempt says, read as a server reads it. */
  log(ended: TaskEnded, jobId = 1): ReadLog {
    const { logStart, logEnd, fence } = ended;
    const parts = { [LogStream.STDOUT]: [] as Uint8Array[], [LogStream.STDERR]: [] as Uint8Array[] };
    const notes: { flags: number; stdoutBytes: number; stderrBytes: number }[] = [];
    const records: LogRecord[] = [];
    const written = ended.keptStdoutBytes + ended.keptStderrBytes + ended.droppedBytes + ended.lostBytes > 0;
    for (let segment = logStart.segment; written && segment > 0 && segment <= logEnd.segment; segment++) {
      const bytes = readFileSync(join(this.logDir, String(jobId), segmentFileName(this.tag, segment)));
      const from = segment === logStart.segment ? logStart.offset : 0;
      const to = segment === logEnd.segment ? logEnd.offset : bytes.length;
      const parsed = parseLogRecords(bytes.subarray(from, to), fence);
      if (parsed.rest !== 'none') throw new Error(`segment ${segment} is ${parsed.rest} at ${from + parsed.consumed}`);
      for (const record of parsed.records) {
        records.push(record);
        if (record.stream === LogStream.NOTE) {
          const { stdoutBytes, stderrBytes } = parseLogNote(record.data)!;
          notes.push({ flags: record.flags, stdoutBytes, stderrBytes });
        } else parts[record.stream].push(record.data);
      }
    }
    const stdout = Buffer.concat(parts[LogStream.STDOUT]);
    const stderr = Buffer.concat(parts[LogStream.STDERR]);
    return { stdout, stderr, notes, records };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.forker.close();
    if (this.#ownsLogDir) rmSync(this.logDir, { recursive: true, force: true });
  }

  #startedOf(fence: number): PromiseWithResolvers<TaskStarted> {
    const known = this.#started.get(fence) ?? Promise.withResolvers<TaskStarted>();
    this.#started.set(fence, known);
    return known;
  }

  #answerOf(fence: number): PromiseWithResolvers<Answer> {
    const known = this.#answers.get(fence) ?? Promise.withResolvers<Answer>();
    this.#answers.set(fence, known);
    return known;
  }
}

/** Whether a process is there and not a zombie. */
export function processLives(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat[stat.lastIndexOf(')') + 2] !== 'Z';
  } catch {
    return false;
  }
}

/** Reads the number that a script writes into a file. */
export const readPid = (path: string): Promise<number> =>
  until(`a pid in ${path}`, () =>
    existsSync(path) && readFileSync(path, 'utf8').endsWith('\n') ? Number(readFileSync(path, 'utf8')) : undefined,
  );

export const gone = (pid: number): Promise<true> => until(`the end of ${pid}`, () => !processLives(pid));

/** The part of a script that starts a process outside the task's group and session, and waits until it runs. */
export const daemon = (pidFile: string): string =>
  `(setsid sh -c 'echo $$ > ${pidFile}; sleep 1000' &) ; until [ -s ${pidFile} ]; do sleep 0.02; done`;

/** A forker without a parent side, after its READY. */
export async function rawForker(kind: ForkerKind): Promise<ChildProcessByStdio<Writable, Readable, Readable>> {
  const { command, args } = forkerProgram(kind);
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: {} });
  await once(child.stdout, 'data');
  return child;
}

export const KILLED = { kind: 'signalled', signal: constants.signals.SIGKILL, core: false } as const;
export const TERMED = { kind: 'signalled', signal: constants.signals.SIGTERM, core: false } as const;
