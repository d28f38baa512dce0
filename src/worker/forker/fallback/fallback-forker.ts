import { LogFlag } from '../../../core/log-record.ts';
import type { CommandMessage, RunCommand } from '../commands.ts';
import { writeEnded, writeLeaseExpired, writeReady, writeRefused, writeSpawnFailed, writeStarted } from '../events.ts';
import { Capability, Command, PID_VARIABLE } from '../protocol.ts';
import type { KillCause, RunRefused } from '../types.ts';
import { FrameWriter } from '../wire.ts';
import { AttemptLog } from './attempt-log.ts';
import { CopyFiles } from './copy-files.ts';
import { Deadline } from './deadline.ts';
import { FallbackTask } from './fallback-task.ts';
import { FifoPool } from './fifo-pool.ts';
import { canWatchMemory, LEAST_MEMORY_BYTES, MemoryWatch, type Watched } from './memory-watch.ts';
import { OrphanSweep } from './orphan-sweep.ts';
import { RunQueue } from './run-queue.ts';
import { Segments } from './segments.ts';
import { StartFailure } from './start-failure.ts';
import { startProcess } from './start-process.ts';

const SAMPLE_EVERY_MS = 1000;
/** While so many event bytes wait for the worker, runs are refused: they would only add more. */
const BACKLOG_BYTES = 64 * 1024 * 1024;
const STOP_WITHIN_MS = 5000;

export interface FallbackOutput {
  write(bytes: Buffer): void;
  /** Bytes the worker has not taken yet. */
  readonly waitingBytes: number;
  /** Everything written is on its way; the process may end. */
  finish(): void;
}

/** The forker in plain Node: the same protocol and rules as native/forker, for machines without it. */
export class FallbackForker {
  readonly #output: FallbackOutput;
  readonly #out = new FrameWriter();
  readonly #envs = new Map<number, readonly string[]>();
  readonly #tasks = new Map<number, FallbackTask>();
  /** Between their RUN and their STARTED: what is done as soon as they are there. */
  readonly #starting = new Map<number, ((task: FallbackTask) => void)[]>();
  readonly #queue = new RunQueue((run) => void this.#start(run));
  readonly #pipes = new FifoPool();
  readonly #sweep = new OrphanSweep();
  readonly #memory = canWatchMemory() ? new MemoryWatch() : null;
  // A newer LEASE may wait in the pipe, when something has kept us from reading it: it is read first.
  readonly #lease = new Deadline(() => setImmediate(() => this.#expireLease()));
  readonly #sampling = setInterval(() => this.#sample(), SAMPLE_EVERY_MS);
  #segments: Segments | null = null;
  #leaseGraceMs = 0;
  #leaseExpired = false;
  #quitting = false;
  #flushing = false;

  constructor(output: FallbackOutput) {
    this.#output = output;
    writeReady(this.#out, 'node', this.#memory === null ? 0 : Capability.MEMORY_SAMPLED, process.pid);
    this.#flush();
  }

  execute(command: CommandMessage): void {
    switch (command.type) {
      case Command.ENV:
        this.#envs.set(command.envId, command.env);
        break;
      case Command.DROP_ENV:
        this.#envs.delete(command.envId);
        break;
      case Command.LOGS:
        this.#segments = new Segments(command.logDir, command.sessionTag, command.maxSegmentBytes);
        break;
      case Command.FORGET_JOB:
        this.#segments?.forget(command.jobId);
        break;
      case Command.RUN:
        this.#run(command);
        break;
      case Command.KILL:
        this.#kill(command.fence, command.cause, command.graceMs);
        break;
      case Command.SIGNAL:
        this.#tasks.get(command.fence)?.pass(command.signal, command.mainOnly);
        break;
      case Command.LIMIT:
        this.#limit(command.fence, command.timeLimitMs);
        break;
      case Command.SUSPEND:
        this.#tasks.get(command.fence)?.suspend(command.on);
        break;
      case Command.LEASE:
        this.#setLease(command.ms, command.graceMs, command.sentAtUs);
        break;
      case Command.QUIT:
        this.#quitting = true;
        this.#leaveIfDone();
        break;
    }
  }

  /** The worker has closed our input, or is dead: nothing that we started may outlive us. */
  stop(): void {
    this.#quitting = true;
    for (const run of this.#queue.clear()) this.#refuse(run.fence, 'quitting');
    this.#killAll('shutdown', 0);
    this.#sweep.flush();
    setTimeout(() => this.#leave(), STOP_WITHIN_MS);
    this.#leaveIfDone();
  }

  #run(run: RunCommand): void {
    const env = this.#envs.get(run.envId);
    if (this.#quitting) this.#refuse(run.fence, 'quitting');
    else if (this.#leaseExpired || this.#lease.isDue) this.#refuse(run.fence, 'lease');
    else if (this.#output.waitingBytes > BACKLOG_BYTES) this.#refuse(run.fence, 'backlog');
    else if (this.#isKnown(run.fence)) this.#refuse(run.fence, 'duplicateFence');
    else if (env === undefined) this.#refuse(run.fence, 'unknownEnv');
    // Joined now: the block may be replaced while the run waits.
    else this.#queue.add({ ...run, env: [...env, ...run.env] });
  }

  #isKnown(fence: number): boolean {
    return this.#tasks.has(fence) || this.#starting.has(fence) || this.#queue.has(fence);
  }

  async #start(run: RunCommand): Promise<void> {
    const { fence } = run;
    this.#starting.set(fence, []);
    const segments = run.logCapBytes > 0 ? this.#segments : null;
    const startedAt = performance.now();
    const log = new AttemptLog(segments, run, () => Math.floor(performance.now() - startedAt));
    let copies: CopyFiles | undefined;
    try {
      copies = new CopyFiles(run, (text) => log.note(LogFlag.COPY, text));
      const pipes = segments === null && !copies.isWanted ? null : this.#pipes;
      const process = await startProcess(run, environmentOf(run.env), pipes);
      const session = run.env.findLast((entry) => entry.startsWith('SPAWN_SESSION='));
      const task = new FallbackTask(run, process, log, copies, startedAt, session, {
        onSignalled: (signalled, signal) => this.#sweep.add(signalled.session, fence, signalled.pid, signal),
        onEnded: (ended, event) => {
          this.#tasks.delete(fence);
          if (watched !== null) this.#memory?.delete(watched);
          writeEnded(this.#out, event);
          this.#sweep.add(ended.session, fence, ended.pid, 'SIGKILL');
          this.#over(run);
        },
      });
      const watched = watchedOf(task, session);
      if (watched !== null) this.#memory?.add(watched);
      this.#tasks.set(fence, task);
      writeStarted(this.#out, { fence, pid: task.pid, log: log.start });
      const waiting = this.#starting.get(fence) ?? [];
      this.#starting.delete(fence);
      for (const act of waiting) act(task);
      this.#flushSoon();
    } catch (error) {
      if (!(error instanceof StartFailure)) throw error;
      this.#starting.delete(fence);
      copies?.close();
      log.finish();
      writeSpawnFailed(this.#out, { fence, step: error.step, errno: error.errno });
      this.#over(run);
    }
  }

  #over(run: RunCommand): void {
    this.#flushSoon();
    this.#queue.done(run);
    this.#leaveIfDone();
  }

  #kill(fence: number, cause: KillCause, graceMs: number): void {
    if (this.#queue.remove(fence)) this.#refuse(fence, 'withdrawn');
    else if (cause !== 'none') this.#withTask(fence, (task) => task.kill(cause, graceMs));
  }

  #limit(fence: number, timeLimitMs: number): void {
    if (!this.#queue.limit(fence, timeLimitMs)) this.#withTask(fence, (task) => task.limit(timeLimitMs));
  }

  #withTask(fence: number, act: (task: FallbackTask) => void): void {
    const waiting = this.#starting.get(fence);
    const task = this.#tasks.get(fence);
    if (waiting !== undefined) waiting.push(act);
    else if (task !== undefined) act(task);
  }

  #killAll(cause: KillCause, graceMs: number): number {
    const fences = [...this.#tasks.keys(), ...this.#starting.keys()];
    for (const fence of fences) this.#kill(fence, cause, graceMs);
    return fences.length;
  }

  /** @param sentAtUs when the worker sent it; the age is taken off, so that a message stuck in the pipe prolongs nothing */
  #setLease(ms: number, graceMs: number, sentAtUs: number): void {
    const nowUs = Number(process.hrtime.bigint() / 1000n);
    const left = sentAtUs === 0 ? ms : ms - Math.max(0, nowUs - sentAtUs) / 1000;
    this.#leaseGraceMs = graceMs;
    if (left > 0) this.#leaseExpired = false;
    if (!this.#leaseExpired) this.#lease.set(left);
  }

  #expireLease(): void {
    if (this.#lease.isSet || this.#leaseExpired) return;
    this.#leaseExpired = true;
    const queued = this.#queue.clear();
    for (const run of queued) this.#refuse(run.fence, 'lease');
    writeLeaseExpired(this.#out, { killing: this.#killAll('lease', this.#leaseGraceMs), refused: queued.length });
    this.#flushSoon();
  }

  #refuse(fence: number, reason: RunRefused['reason']): void {
    writeRefused(this.#out, { fence, reason });
    this.#flushSoon();
  }

  #sample(): void {
    for (const task of this.#tasks.values()) task.sample();
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    if (!this.#out.isEmpty) this.#output.write(this.#out.take());
  }

  #leaveIfDone(): void {
    if (this.#quitting && this.#tasks.size === 0 && this.#starting.size === 0 && this.#queue.isEmpty) this.#leave();
  }

  #leave(): void {
    this.#sweep.flush();
    this.#flush();
    clearInterval(this.#sampling);
    this.#memory?.close();
    this.#lease.clear();
    this.#pipes.close();
    this.#output.finish();
  }
}

function watchedOf(task: FallbackTask, session: string | undefined): Watched | null {
  const { memoryBytes, fence } = task.run;
  if (memoryBytes === 0) return null;
  return {
    pid: task.pid,
    memoryBytes: Math.max(LEAST_MEMORY_BYTES, memoryBytes),
    marks: session === undefined ? [] : [session, `SPAWN_FENCE=${fence}`],
    onOver: () => task.kill('memory', 0),
  };
}

/** A later string wins; one without a name is left out, as the system would. */
function environmentOf(strings: readonly string[]): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const string of strings) {
    const at = string.indexOf('=');
    if (at > 0 && !string.startsWith(PID_VARIABLE)) env[string.slice(0, at)] = string.slice(at + 1);
  }
  return env;
}
