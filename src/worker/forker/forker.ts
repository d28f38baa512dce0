import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { getSystemErrorName } from 'node:util';
import { SpawnError } from '../../core/errors.ts';
import { type CommandMessage, type RunCommand, writeCommand, writeRun } from './commands.ts';
import {
  type ForkerReady,
  readEnded,
  readLeaseExpired,
  readReady,
  readRefused,
  readSpawnFailed,
  readStarted,
} from './events.ts';
import { chooseForkerKind, type ForkerProgram, forkerProgram } from './programs.ts';
import { Command, Event, PROTOCOL_VERSION } from './protocol.ts';
import type { Forker, ForkerCallbacks, ForkerExit, ForkerOptions, LeaseClock, RunRequest } from './types.ts';
import { type FrameReader, FrameSplitter, FrameWriter, ProtocolError } from './wire.ts';

const SEGMENT_BYTES = 64 * 1024 * 1024;
const STDERR_CHARS = 4096;
/** A forker kills everything within 5 s of the end of its input; one that does not is killed itself. */
const CLOSE_WITHIN_MS = 10_000;

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** The parent side of one forker process. */
class ForkerProcess implements Forker {
  readonly #child: Child;
  readonly #callbacks: ForkerCallbacks;
  readonly #out = new FrameWriter();
  /** By fence; the pid once it has started. */
  readonly #unfinished = new Map<number, number | null>();
  readonly #exited = Promise.withResolvers<ForkerExit>();
  readonly #readied = Promise.withResolvers<void>();
  #ready: ForkerReady | undefined;
  #flushing = false;
  #ending = false;
  #gone = false;
  #stderr = '';

  constructor(child: Child, callbacks: ForkerCallbacks) {
    this.#child = child;
    this.#callbacks = callbacks;
    const splitter = new FrameSplitter((type, payload) => this.#take(type, payload));
    child.stdout.on('data', (chunk: Buffer) => {
      try {
        splitter.push(chunk);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        this.#stderr += `unreadable event: ${error.message}`;
        child.stdout.removeAllListeners('data').resume();
        child.kill('SIGKILL');
        return;
      }
      callbacks.onBatchEnd?.();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_CHARS);
    });
    // Its exit follows and says more than EPIPE.
    child.stdin.on('error', () => {});
    child.on('error', (error) => {
      this.#stderr += error.message;
      if (child.pid === undefined) this.#leave(null, null);
    });
    child.on('close', (code, signal) => this.#leave(code, signal));
  }

  get kind() {
    return this.#ready!.kind;
  }

  get capabilities() {
    return this.#ready!.capabilities;
  }

  get pid() {
    return this.#ready!.pid;
  }

  get unfinishedCount(): number {
    return this.#unfinished.size;
  }

  /** Resolves after READY. */
  get readied(): Promise<void> {
    return this.#readied.promise;
  }

  setEnv(envId: number, env: readonly string[]): void {
    // One that fits in no frame leaves its runs without an environment: they are refused.
    if (!this.#send({ type: Command.ENV, envId, env })) this.dropEnv(envId);
  }

  dropEnv(envId: number): void {
    this.#send({ type: Command.DROP_ENV, envId });
  }

  forgetJob(jobId: number): void {
    this.#send({ type: Command.FORGET_JOB, jobId });
  }

  openLogs(logDir: string, sessionTag: string, maxSegmentBytes: number): void {
    this.#send({ type: Command.LOGS, logDir, sessionTag, maxSegmentBytes });
  }

  run(request: RunRequest): void {
    if (this.#gone) return;
    const { fence } = request;
    if (this.#unfinished.has(fence)) {
      this.#soon(() => this.#callbacks.onRefused({ fence, reason: 'duplicateFence' }));
    } else if (writeRun(this.#out, request)) {
      this.#unfinished.set(fence, null);
      this.#flushSoon();
    } else {
      const errno = constants.errno.E2BIG;
      this.#soon(() => this.#callbacks.onSpawnFailed({ fence, step: 'exec', errno, errorName: 'E2BIG' }));
    }
  }

  kill(fence: number, cause: 'cancel' | 'timeLimit' | 'lease' | 'shutdown', graceMs: number): void {
    this.#send({ type: Command.KILL, fence, cause, graceMs });
  }

  withdraw(fence: number): void {
    this.#send({ type: Command.KILL, fence, cause: 'none', graceMs: 0 });
  }

  signal(fence: number, signal: number): void {
    this.#send({ type: Command.SIGNAL, fence, signal });
  }

  limit(fence: number, timeLimitMs: number): void {
    this.#send({ type: Command.LIMIT, fence, timeLimitMs });
  }

  lease(ms: number, graceMs: number, clock: LeaseClock = 'boottime'): void {
    const sentAtUs = Number(process.hrtime.bigint() / 1000n);
    this.#send({ type: Command.LEASE, ms, clock, graceMs, sentAtUs });
  }

  quit(): void {
    this.#ending = true;
    this.#send({ type: Command.QUIT });
  }

  async close(): Promise<void> {
    this.#ending = true;
    this.#flush();
    this.#child.stdin.end();
    const late = setTimeout(() => this.#child.kill('SIGKILL'), CLOSE_WITHIN_MS);
    await this.#exited.promise;
    clearTimeout(late);
  }

  #send(command: Exclude<CommandMessage, RunCommand>): boolean {
    if (this.#gone) return true;
    const fits = writeCommand(this.#out, command);
    this.#flushSoon();
    return fits;
  }

  /** In a later microtask, so that the caller has returned; never after onExit. */
  #soon(answer: () => void): void {
    queueMicrotask(() => {
      if (!this.#gone) answer();
    });
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    if (!this.#out.isEmpty && this.#child.stdin.writable) this.#child.stdin.write(this.#out.take());
  }

  #take(type: number, from: FrameReader): void {
    switch (type) {
      case Event.READY:
        this.#ready = readReady(from);
        if (this.#ready.version !== PROTOCOL_VERSION) throw new ProtocolError(`version ${this.#ready.version}`);
        this.#readied.resolve();
        break;
      case Event.STARTED: {
        const event = readStarted(from);
        this.#unfinished.set(event.fence, event.pid);
        this.#callbacks.onStarted(event);
        break;
      }
      case Event.ENDED: {
        const event = readEnded(from);
        this.#unfinished.delete(event.fence);
        this.#callbacks.onEnded(event);
        break;
      }
      case Event.SPAWN_FAILED: {
        const event = readSpawnFailed(from);
        this.#unfinished.delete(event.fence);
        this.#callbacks.onSpawnFailed({ ...event, errorName: getSystemErrorName(-event.errno) });
        break;
      }
      case Event.REFUSED: {
        const event = readRefused(from);
        this.#unfinished.delete(event.fence);
        this.#callbacks.onRefused(event);
        break;
      }
      case Event.LEASE_EXPIRED:
        this.#callbacks.onLeaseExpired?.(readLeaseExpired(from));
        break;
      default:
        throw new ProtocolError(`unknown event ${type}`);
    }
    from.done();
  }

  #leave(code: number | null, signal: string | null): void {
    if (this.#gone) return;
    this.#gone = true;
    const unfinished = [...this.#unfinished].map(([fence, pid]) => ({ fence, pid }));
    const exit: ForkerExit = {
      expected: this.#ending && code === 0,
      code,
      signal,
      unfinished,
      stderr: this.#stderr.trim(),
    };
    if (this.#ready === undefined) {
      this.#readied.reject(
        new SpawnError('INTERNAL', { why: `the forker did not start (${signal ?? code}): ${exit.stderr}` }),
      );
    } else {
      this.#callbacks.onExit(exit);
    }
    this.#exited.resolve(exit);
  }
}

/**
 * Starts a forker in its own session, so that no terminal reaches it or its tasks.
 * @param options.program instead of the one for the kind
 * @throws SpawnError INTERNAL when it cannot be started
 */
export async function startForker(options: ForkerOptions & { readonly program?: ForkerProgram }): Promise<Forker> {
  const { command, args } = options.program ?? forkerProgram(chooseForkerKind(options.kind));
  // Its tasks get their environments by ENV; its own is empty, so that nothing of the worker's leaks into them.
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true, env: {}, cwd: '/' });
  const forker = new ForkerProcess(child, options.callbacks);
  await forker.readied;
  forker.openLogs(options.logDir, options.sessionTag, options.maxSegmentBytes ?? SEGMENT_BYTES);
  return forker;
}
