import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { LogStream } from '../../../core/log-record.ts';
import type { RunCommand } from '../commands.ts';
import type { KillCause, TaskEnded } from '../types.ts';
import type { AttemptLog } from './attempt-log.ts';
import type { CopyFiles } from './copy-files.ts';
import { Deadline } from './deadline.ts';
import { OutputPipe } from './output-pipe.ts';
import type { StartedProcess } from './start-process.ts';
import { NO_USAGE, sampleUsage } from './usage-sample.ts';

/** Between two looks at a group whose main process has ended inside its grace. */
const SETTLE_EVERY_MS = 25;

export interface TaskCallbacks {
  /** Its group was sent this signal; processes that have left the group need it too. */
  readonly onSignalled: (task: FallbackTask, signal: NodeJS.Signals) => void;
  readonly onEnded: (task: FallbackTask, ended: TaskEnded) => void;
}

/** One started task, until its end is reported. */
export class FallbackTask {
  readonly run: RunCommand;
  readonly pid: number;
  /** `SPAWN_SESSION=...` of its environment, when it has one. */
  readonly session: string | undefined;
  readonly #log: AttemptLog;
  readonly #copies: CopyFiles;
  readonly #startedAt: number;
  readonly #callbacks: TaskCallbacks;
  readonly #pipes: readonly OutputPipe[];
  readonly #deadline = new Deadline(() => this.#expire());
  #usage = NO_USAGE;
  #cause: KillCause = 'none';
  #timeLimitMs: number;
  #warned: boolean;
  /** Since when it stands still; undefined: it does not. */
  #suspendedAt: number | undefined;
  /** How long it did before, ms. */
  #stoodMs = 0;
  #killing: 'SIGTERM' | 'SIGKILL' | null = null;
  #settling: NodeJS.Timeout | undefined;
  #main: { readonly end: TaskEnded['end']; readonly wallUs: number } | null = null;
  #ended = false;

  constructor(
    run: RunCommand,
    process: StartedProcess,
    log: AttemptLog,
    copies: CopyFiles,
    startedAt: number,
    session: string | undefined,
    callbacks: TaskCallbacks,
  ) {
    this.run = run;
    this.pid = process.pid;
    this.session = session;
    this.#log = log;
    this.#copies = copies;
    this.#timeLimitMs = run.timeLimitMs;
    this.#warned = run.warning.signal === 0;
    this.#startedAt = startedAt;
    this.#callbacks = callbacks;
    const streams = [LogStream.STDOUT, LogStream.STDERR] as const;
    this.#pipes = (process.outputs ?? []).map((fd, i) => {
      const stream = streams[i]!;
      return new OutputPipe(fd, (bytes) => {
        log.put(stream, bytes);
        copies.put(stream, bytes);
      });
    });
    this.#arm();
    this.#watch(process.child);
  }

  kill(cause: KillCause, graceMs: number): void {
    if (this.#cause === 'none') this.#cause = cause;
    if (graceMs === 0) {
      this.#killNow();
    } else if (this.#killing === null) {
      this.#killing = 'SIGTERM';
      this.#signal('SIGTERM');
      this.#signal('SIGCONT'); // a stopped process would not see the TERM
      this.#goOn();
      this.#deadline.set(graceMs);
      this.#callbacks.onSignalled(this, 'SIGTERM');
    } else if (this.#killing === 'SIGTERM' && performance.now() + graceMs < this.#deadline.at) {
      this.#deadline.set(graceMs);
    }
  }

  /** Another time limit, from the start; 0: none. */
  limit(timeLimitMs: number): void {
    if (this.#killing !== null) return;
    this.#timeLimitMs = timeLimitMs;
    this.#arm();
  }

  /** All its processes stand still, and its time limit with them; false: they go on. */
  suspend(on: boolean): void {
    if (this.#killing !== null || this.#main !== null || on === (this.#suspendedAt !== undefined)) return;
    const signal = on ? 'SIGSTOP' : 'SIGCONT';
    this.#signal(signal);
    this.#callbacks.onSignalled(this, signal);
    if (on) {
      this.sample();
      this.#suspendedAt = performance.now();
      this.#deadline.clear();
    } else {
      this.#goOn();
      this.#arm();
    }
  }

  #goOn(): void {
    if (this.#suspendedAt !== undefined) this.#stoodMs += performance.now() - this.#suspendedAt;
    this.#suspendedAt = undefined;
  }

  /** One that somebody asked for: to the whole group, or to the main process while there is one. */
  pass(signal: number, mainOnly: boolean): void {
    // It stands still until it is told to go on.
    if (this.#suspendedAt !== undefined && signal === constants.signals.SIGCONT) return;
    if (!mainOnly) this.#signal(signal);
    else if (this.#main === null) this.#signal(signal, this.pid);
  }

  /** To the whole group. False: it has no process any more. */
  #signal(signal: NodeJS.Signals | number, to = -this.pid): boolean {
    try {
      return process.kill(to, signal);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EPERM';
    }
  }

  /** Node does not tell what a process used, so it is looked at while it runs. */
  sample(): void {
    if (this.#main === null) this.#usage = sampleUsage(this.pid) ?? this.#usage;
  }

  #watch(child: ChildProcess): void {
    child.once('exit', (code, signal) => {
      this.#main = {
        end:
          signal === null
            ? { kind: 'exited', code: code ?? 0 }
            : { kind: 'signalled', signal: constants.signals[signal], core: false },
        wallUs: Math.round(this.#ranMs() * 1000),
      };
      this.#settle();
    });
  }

  /** A shell dies of TERM at once; the program it ran may still be writing its checkpoint, and has its grace. */
  #settle(): void {
    if (this.#killing === 'SIGTERM' && this.#signal(0)) {
      this.#settling = setTimeout(() => this.#settle(), SETTLE_EVERY_MS);
    } else {
      this.#finish();
    }
  }

  /** For the warning or the time limit, whichever comes first. */
  #arm(): void {
    const limitMs = this.#timeLimitMs;
    const { beforeMs } = this.run.warning;
    const afterMs = this.#warned ? limitMs : Math.max(0, limitMs - beforeMs);
    if (limitMs === 0 || this.#suspendedAt !== undefined) this.#deadline.clear();
    else this.#deadline.set(Math.max(0, afterMs - this.#ranMs()));
  }

  /** Since its start, without the time it stood still. */
  #ranMs(): number {
    return (this.#suspendedAt ?? performance.now()) - this.#startedAt - this.#stoodMs;
  }

  #expire(): void {
    this.sample();
    if (this.#killing !== null) {
      this.#killNow();
    } else if (this.#ranMs() >= this.#timeLimitMs) {
      this.kill('timeLimit', this.run.graceMs);
    } else {
      const { signal, mainOnly } = this.run.warning;
      this.#warned = true;
      // One that has no process any more is about to report its end.
      if (this.#main === null) this.pass(signal, mainOnly);
      this.#arm();
    }
  }

  #killNow(): void {
    this.sample();
    this.#killing = 'SIGKILL';
    this.#deadline.clear();
    this.#signal('SIGKILL');
    this.#callbacks.onSignalled(this, 'SIGKILL');
    if (this.#main !== null) this.#finish();
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#settling);
    this.#deadline.clear();
    this.#signal('SIGKILL');
    for (const pipe of this.#pipes) pipe.drain();
    this.#copies.close();
    const { end, wallUs } = this.#main!;
    this.#callbacks.onEnded(this, {
      fence: this.run.fence,
      pid: this.pid,
      end,
      cause: this.#cause,
      wallUs,
      ...this.#usage,
      exactUsage: false,
      ...this.#log.finish(),
      copyLostBytes: this.#copies.lostBytes,
    });
  }
}
