import { join } from 'node:path';
import { decodeOutcome, encodeOutcome, isOk, type Outcome } from '../../core/outcome.ts';
import type { PendingEnd } from '../outbox.ts';
import { ResultWriter, resultJson } from '../records/results.ts';
import type { AttemptCallsOptions, CallingTask, Completion } from './attempt-calls.ts';
import { CallSecrets } from './call-secrets.ts';
import { CallSocket } from './call-socket.ts';
import { Heartbeats } from './heartbeats.ts';
import { TaskCalls } from './task-calls.ts';
import type { TaskOutput } from './task-output.ts';

/** EX_IOERR of sysexits.h. */
const UNPUBLISHED = 74;

export interface TaskDeskOptions extends Omit<AttemptCallsOptions, 'onHeard' | 'signal'> {
  /** For the socket alone. */
  readonly folder: string;
  /** Holds a folder a job, for segments with results. */
  readonly logDir: string;
  /** Of an attempt that runs. */
  readonly taskOf: (fence: number) => CallingTask | undefined;
  /** It is still the right of this worker to say how the attempt ended. */
  readonly isHeld: (fence: number) => boolean;
  /** It has been silent for too long. */
  readonly onStalled: (fence: number) => void;
  /** Everything that the attempt left is on disk: its end can be said. */
  readonly onEnd: (end: PendingEnd, jobId: number) => void;
  /** One line for a person. */
  readonly log: (line: string) => void;
}

interface Published {
  readonly json?: Uint8Array | undefined;
  readonly failure?: Outcome;
}

/** Where the tasks of a session turn to with what they ask of their worker, and what is done with what they leave. */
export class TaskDesk {
  readonly #options: TaskDeskOptions;
  readonly #over = new AbortController();
  readonly #secrets = new CallSecrets();
  readonly #socket: CallSocket;
  readonly #heartbeats: Heartbeats;
  /** Attempts that have ended, and of which something is being written. */
  readonly #finishing = new Set<number>();
  readonly calls: TaskCalls;
  readonly results: ResultWriter;
  #isTroubled = false;

  constructor(options: TaskDeskOptions) {
    const { folder, logDir, sessionId, taskOf, log } = options;
    this.#options = options;
    this.#heartbeats = new Heartbeats(options.onStalled);
    const onHeard = (fence: number) => this.#heartbeats.heard(fence);
    this.calls = new TaskCalls({ ...options, onHeard, signal: this.#over.signal });
    this.results = new ResultWriter({ logDir, sessionId, onFailed: (error) => this.#troubled(error) });
    const callsOf = (task: CallingTask) => this.calls.of(task);
    this.#socket = new CallSocket({ folder, secrets: this.#secrets, taskOf, callsOf, log });
  }

  /** What `SPAWN_TASK_SECRET` of a task is. */
  secretOf(fence: number): string {
    return this.#secrets.of(fence);
  }

  /** Fences of attempts whose processes have ended, and whose ends cannot be said yet. */
  get finishing(): ReadonlySet<number> {
    return this.#finishing;
  }

  listen(): Promise<void> {
    return this.#socket.listen();
  }

  /** @param heartbeatMs 0: it may be silent for ever */
  started(fence: number, heartbeatMs = 0): void {
    if (heartbeatMs > 0) this.#heartbeats.watch(fence, heartbeatMs);
  }

  suspend(fence: number, on: boolean): void {
    this.#heartbeats.suspend(fence, on);
  }

  /**
   * Its process has ended, or there was none. What it left is written down before its end is said.
   * @param output with files that it may have made without any call
   */
  ended(end: PendingEnd, task: CallingTask, output?: TaskOutput): void {
    this.#heartbeats.over(task.fence);
    const calls = this.calls.known(task.fence);
    if (calls === undefined && output === undefined) {
      this.#options.onEnd(end, task.jobId);
      return;
    }
    const outcome = settled(decodeOutcome(end.outcome), calls?.completion);
    const settledEnd = { ...end, outcome: encodeOutcome(outcome) };
    if (output === undefined && !calls?.hasLeft) this.#say(settledEnd, task);
    else void this.#finish(settledEnd, task, isOk(outcome), output);
  }

  /** Nobody wants to know of it any more. */
  dropped(fence: number): void {
    this.#heartbeats.over(fence);
    this.calls.over(fence);
  }

  forget(jobId: number): void {
    void this.results.forget(jobId);
  }

  /** Nothing of the session runs any more. */
  async close(): Promise<void> {
    this.#over.abort(new Error('the session is over'));
    this.#heartbeats.close();
    await Promise.all([this.#socket.close(), this.calls.close(), this.results.close()]);
  }

  async #finish(end: PendingEnd, task: CallingTask, isDone: boolean, output?: TaskOutput): Promise<void> {
    const { jobId, position, attempt, fence } = task;
    this.#finishing.add(fence);
    let last = end;
    try {
      // Whoever has the task now has its output, too.
      const left = this.#options.isHeld(fence) ? await this.#publish(task, isDone, output) : {};
      const { json } = left;
      if (left.failure !== undefined) last = { ...last, outcome: encodeOutcome(left.failure) };
      const [place] = json === undefined ? [] : await this.results.write(jobId, [{ fence, position, attempt, json }]);
      last = { ...last, ...place };
    } catch {
      // The session is over, and nobody will be told.
      last = { ...end, outcome: encodeOutcome({ kind: 'lost' }) };
    } finally {
      this.#finishing.delete(fence);
      this.#say(last, task);
    }
  }

  /** An output that cannot be put where it belongs makes the attempt fail. */
  async #publish(task: CallingTask, isDone: boolean, output: TaskOutput | undefined): Promise<Published> {
    try {
      return { json: await this.calls.of(task).finish(isDone, output) };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#options.log(`job ${task.jobId}: the output of a task cannot be published: ${message}`);
      return { json: resultJson({ message }), failure: { kind: 'exited', code: UNPUBLISHED } };
    }
  }

  #say(end: PendingEnd, { fence, jobId }: CallingTask): void {
    this.calls.over(fence);
    this.#options.onEnd(end, jobId);
  }

  #troubled(error: unknown): void {
    if (this.#over.signal.aborted || this.#isTroubled) return;
    this.#isTroubled = true;
    const why = error instanceof Error ? error.message : String(error);
    this.#options.log(`results cannot be written (${why}): their tasks wait for it`);
    setTimeout(() => {
      this.#isTroubled = false;
    }, 60_000).unref();
  }
}

/** What was said with `complete` decides, whatever the process made of it; not over a cancellation, or over a worker that was lost. */
function settled(outcome: Outcome, completion: Completion | undefined): Outcome {
  if (completion === undefined) return outcome;
  switch (outcome.kind) {
    case 'cancelled':
    case 'lost':
      return outcome;
    case 'preempted':
    case 'timedOut':
    case 'stalled':
    case 'outOfMemory':
    case 'signalled':
      return { kind: 'exited', code: completion.isFailed ? 1 : 0 };
    case 'exited':
      if (!completion.isFailed) return { kind: 'exited', code: 0 };
      return outcome.code === 0 ? { kind: 'exited', code: 1 } : outcome;
  }
}

/** Below the folder of a worker. */
export function callsFolder(directory: string, marker: string): string {
  return join(directory, 'calls', marker);
}
