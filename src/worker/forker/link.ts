import { constants } from 'node:os';
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
import { Command, Event, PROTOCOL_VERSION } from './protocol.ts';
import type { Forker, ForkerCallbacks, ForkerExit, LeaseClock, RunRequest } from './types.ts';
import { type FrameReader, FrameSplitter, FrameWriter, ProtocolError } from './wire.ts';

const SEGMENT_BYTES = 64 * 1024 * 1024;

/** How bytes get to a forker, and how it is ended. */
export interface ForkerPipe {
  /** Does nothing once it is gone. */
  send(bytes: Uint8Array): void;
  /** What it says cannot be read: it is killed, and its end follows. */
  kill(why: string): void;
  /** Everything in it is killed at once; resolves when it is gone. */
  close(): Promise<void>;
}

/** How a forker left. */
export type ForkerLeft = Pick<ForkerExit, 'code' | 'signal' | 'stderr'>;

/** The worker's side of one forker, whatever carries the bytes: whoever has the pipe gives what comes to `push`, and its end to `left`. */
export class ForkerLink implements Forker {
  readonly #pipe: ForkerPipe;
  readonly #callbacks: ForkerCallbacks;
  readonly #out = new FrameWriter();
  readonly #splitter = new FrameSplitter((type, payload) => this.#take(type, payload));
  /** By fence; the pid once it has started. */
  readonly #unfinished = new Map<number, number | null>();
  readonly #readied = Promise.withResolvers<void>();
  #ready: ForkerReady | undefined;
  #flushing = false;
  #ending = false;
  #gone = false;
  #unreadable = false;

  constructor(pipe: ForkerPipe, callbacks: ForkerCallbacks) {
    this.#pipe = pipe;
    this.#callbacks = callbacks;
    // Whoever waits for it learns of its end; nobody has to.
    this.#readied.promise.catch(() => {});
  }

  /** Bytes of its events, cut anywhere. */
  push(bytes: Buffer): void {
    if (this.#unreadable) return;
    try {
      this.#splitter.push(bytes);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#unreadable = true;
      this.#pipe.kill(`unreadable event: ${error.message}`);
      return;
    }
    this.#callbacks.onBatchEnd?.();
  }

  /** It is gone; nothing follows. */
  left({ code, signal, stderr }: ForkerLeft): void {
    if (this.#gone) return;
    this.#gone = true;
    const unfinished = [...this.#unfinished].map(([fence, pid]) => ({ fence, pid }));
    if (this.#ready === undefined) {
      this.#readied.reject(
        new SpawnError('INTERNAL', { why: `the forker did not start (${signal ?? code}): ${stderr.trim()}` }),
      );
      return;
    }
    const expected = this.#ending && code === 0;
    this.#callbacks.onExit({ expected, code, signal, unfinished, stderr: stderr.trim() });
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

  openLogs(logDir: string, sessionTag: string, maxSegmentBytes = SEGMENT_BYTES): void {
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

  signal(fence: number, signal: number, mainOnly: boolean): void {
    this.#send({ type: Command.SIGNAL, fence, signal, mainOnly });
  }

  limit(fence: number, timeLimitMs: number): void {
    this.#send({ type: Command.LIMIT, fence, timeLimitMs });
  }

  suspend(fence: number, on: boolean): void {
    this.#send({ type: Command.SUSPEND, fence, on });
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
    await this.#pipe.close();
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
    if (!this.#out.isEmpty) this.#pipe.send(this.#out.take());
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
}
