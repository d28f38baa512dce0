import type { FenceRun } from '../../api/session.ts';
import type { LogStream } from '../../core/log-record.ts';
import type { Outcome } from '../../core/outcome.ts';
import type { KnownJob } from '../job-book.ts';
import { outcomeOfDeath, stoppedInTime, whoRan } from './blame.ts';
import { CurrentTask } from './current-task.ts';
import type { HostEnd } from './host-forker.ts';
import { HostLife, type TaskWords } from './host-life.ts';
import { type HostRun, Outstanding } from './outstanding.ts';
import type { SaidEnd } from './record-stream.ts';
import { Requests } from './requests.ts';
import type { RunningTask } from './running-task.ts';
import { SlotEnds } from './slot-ends.ts';
import type { SlotOptions } from './slot-options.ts';
import type { CallKind, StopCause } from './wire.ts';

/** A host is replaced after so many tasks, since it counts them in 31 bits. */
const MOST_TASKS = 2 ** 30;
/** Before the first one a host may ask for what all need. */
const NO_TASK: HostRun = { fence: 0, position: 0, count: 0, attempt: 0 };
/** The room of one task in which a handler's tasks run one after the other, in one process after the other where one dies. */
export class HostSlot implements TaskWords {
  readonly #options: SlotOptions;
  readonly tasks = new Outstanding();
  #life: HostLife | undefined;
  /** So many are run one at a time, until it is known with whom a host died. */
  #careful = 0;
  #idleDeaths = 0;
  readonly #current = new CurrentTask();
  readonly #requests = new Requests(this.tasks);
  readonly #ends: SlotEnds;
  #over: PromiseWithResolvers<void> | undefined;
  idleSinceMs = performance.now();

  constructor(options: SlotOptions) {
    this.#options = options;
    this.#ends = new SlotEnds(options);
  }

  get job(): KnownJob {
    return this.#options.job;
  }

  /** A process is there, or on its way. */
  get isWarm(): boolean {
    return this.#life?.isLeaving === false;
  }

  /** Fence of the task that is known to have started. */
  get started(): number | undefined {
    return this.#current.running?.fence;
  }

  /** Gives the process what it has room for; starts one where there is none. */
  go(): void {
    if (this.tasks.count === 0) return;
    this.#life ??= new HostLife(this.#options, this);
    if (!this.#life.isOpen || this.#current.running?.isSuspended) return;
    const { process } = this.#life;
    const runs = this.tasks.send(this.#careful > 0 ? 1 : Number.POSITIVE_INFINITY);
    for (const { ordinal, position, count } of runs) {
      const params = this.#options.paramsOf(position, count);
      if (params !== undefined) process.params(ordinal, params);
    }
    if (runs.length > 0) process.run(runs);
  }

  revoke(base: number, count: number): void {
    this.#withdraw('revoked', base, count);
  }

  cancel(base: number, count: number): void {
    this.#withdraw('cancelled', base, count);
  }

  /** @param isOn whether they are to stand still */
  suspend(base: number, count: number, isOn: boolean): void {
    if (isOn) {
      this.#withdraw('suspended', base, count);
      return;
    }
    this.#requests.delete('suspended', base, count);
    const running = this.#current.among(base, count);
    if (running?.isSuspended) this.#resume(running);
  }

  drop(base: number, count: number): void {
    this.#withdraw('dropped', base, count);
    const { first, sent } = this.tasks;
    // At once, whoever else has to be tried again.
    if (sent > 0 && first !== undefined && this.#requests.has('dropped', first.fence)) this.#life?.process.kill();
  }

  limit(base: number, count: number, timeLimitMs: number): void {
    this.tasks.limit(base, count, timeLimitMs);
    this.#current.among(base, count)?.limit(timeLimitMs);
  }

  signal(base: number, count: number, signal: number, mainOnly: boolean): void {
    if (this.#current.among(base, count) !== undefined) this.#life?.process.signal(signal, mainOnly);
  }

  /** The first task is to stop: its signal is aborted, and its host killed after the grace time. */
  stop(cause: StopCause, graceMs = this.job.description.graceMs): void {
    const { first, sent, ordinal } = this.tasks;
    if (first === undefined || sent === 0 || this.#current.isStopping) return;
    const { running } = this.#current;
    if (running?.isSuspended) this.#resume(running);
    this.#current.stop(first.fence, cause, graceMs, () => this.#life?.process.kill());
    this.#life?.process.abort(ordinal, cause);
    // What follows it shall not wait for it.
    if (sent > 1) this.#life?.process.withdraw();
  }

  /** Kills it at once; resolves when it is gone. Nothing is said of its tasks. */
  async close(): Promise<void> {
    this.tasks.takeUnsent(0, Number.POSITIVE_INFINITY);
    if (this.#life === undefined) return;
    this.#over ??= Promise.withResolvers();
    this.#life.isLeaving = true;
    this.#life.process.kill();
    await this.#over.promise;
  }

  /** Takes its tasks away. */
  takeAll(): HostRun[] {
    this.#ends.forget();
    return this.tasks.takeAll();
  }

  end(said: SaidEnd): void {
    const { first, sent } = this.tasks;
    if (first === undefined || sent === 0) {
      this.#life?.process.kill();
      return;
    }
    const stopped = this.#current.causeOf(first.fence);
    const outcome = stopped === undefined ? said.outcome : stoppedInTime(stopped, said.outcome);
    const suspendedUs = (this.#current.running?.suspendedMs ?? 0) * 1_000;
    this.#ends.end({ ...first, count: 1 }, said, outcome, Math.max(1, Math.round(said.wallUs - suspendedUs)));
    this.#finish();
  }

  log(stream: LogStream, timeMs: number, data: Uint8Array): void {
    this.#ends.log(this.tasks.first, stream, timeMs, data);
  }

  result(piece: Uint8Array): void {
    this.#ends.result(this.tasks.first, piece);
  }

  call(kind: CallKind, number: number, data: Uint8Array): void {
    const process = this.#life?.process;
    const first = this.tasks.first ?? NO_TASK;
    this.#current.running?.heard();
    this.#options.onCall({ ...first, count: 1 }, kind, data, (answer, bytes) => process?.answer(number, answer, bytes));
  }

  onPiece(): void {
    this.#ends.flush();
    this.#ends.tell();
    this.#mayLeave();
    this.go();
    this.#options.onChange();
  }

  onWithdrawn(ordinal: number): void {
    this.tasks.unsend(ordinal);
    this.#settleRequests();
    this.#mayLeave();
    this.go();
    this.#options.onChange();
  }

  onRunning(ordinal: number, elapsedMs: number, rssBytes: number): void {
    this.#ends.rssBytes = rssBytes;
    const { first } = this.tasks;
    if (first === undefined || ordinal !== this.tasks.ordinal || this.#current.running !== undefined) return;
    const { timeLimitMs, heartbeatMs = 0, signal, id } = this.job.description;
    const startedAtMs = performance.now() - elapsedMs;
    this.#current.begin({
      ...{ fence: first.fence, startedAtMs, heartbeatMs },
      timeLimitMs: first.timeLimitMs ?? timeLimitMs,
      warning: signal === undefined || signal.steps ? undefined : { ...signal, signal: signal.number },
      onDue: (cause) => this.stop(cause),
      onWarning: (number, mainOnly) => this.#life?.process.signal(number, mainOnly),
    });
    const { segment, offset } = this.#options.logs.endOf(id);
    this.#options.onStarted({ fence: first.fence, startedAtMs, logSegment: segment, logOffset: offset });
    this.#settleRequests();
    this.#options.onChange();
  }

  onMemory(rssBytes: number): void {
    this.#ends.rssBytes = rssBytes;
    this.#mayLeave();
  }

  onGone(end: HostEnd): void {
    const life = this.#life!;
    life.over();
    this.#ends.tell();
    this.#bury(life, end);
    this.#life = undefined;
    this.#current.over();
    this.tasks.restart();
    this.#settleRequests();
    this.#ends.rssBytes = 0;
    this.#over?.resolve();
    if (this.#over === undefined) this.go();
    this.#options.onChange();
  }

  /** Says what became of the tasks of a process that is gone. */
  #bury(life: HostLife, end: HostEnd): void {
    if (end.kind === 'lost') {
      this.#lose();
      return;
    }
    const unusable = life.whyUnusable(end, this.#idleDeaths);
    if (unusable !== undefined) this.#options.onUnusable(unusable);
    if (unusable !== undefined || end.kind !== 'ended') return;
    const { first, sent, count } = this.tasks;
    const isFirstKnown = first !== undefined && this.#current.isKnown(first.fence);
    const who = whoRan({ isSpent: life.isSpent, sent, isFirstKnown, isCareful: this.#careful > 0 });
    if (who === 'oneOfMany') this.#careful = sent;
    if (who !== 'first') {
      this.#ends.forget();
      this.#idleDeaths += count > 0 && who === 'nobody' && !life.isLeaving ? 1 : 0;
      return;
    }
    // Those behind it were not started: one at a time was enough.
    this.#careful = 0;
    const stopped = this.#current.causeOf(first!.fence);
    this.#endFirst(outcomeOfDeath(end.event, end.words, stopped), end.words);
  }

  /** The forker is gone, or the lease is over. */
  #lose(): void {
    if (this.tasks.sent > 0) this.#endFirst({ kind: 'lost' }, '');
    this.#return(this.tasks.takeUnsent(0, Number.POSITIVE_INFINITY));
    this.tasks.unsend(0);
    this.#return(this.tasks.takeUnsent(0, Number.POSITIVE_INFINITY));
  }

  #endFirst(outcome: Outcome, words: string): void {
    this.#ends.die({ ...this.tasks.first!, count: 1 }, outcome, words, Math.round(this.#current.wallMs * 1_000));
    this.#finish();
  }

  /** The first task is over. */
  #finish(): void {
    const { fence } = this.tasks.first!;
    this.tasks.shift();
    this.#idleDeaths = 0;
    if (this.#careful > 0) this.#careful -= 1;
    this.#current.over();
    this.#requests.over(fence);
  }

  #withdraw(kind: 'revoked' | 'cancelled' | 'suspended' | 'dropped', base: number, count: number): void {
    if (!this.#requests.add(kind, base, count)) return;
    if (this.tasks.sent > 0 && this.#life?.isReady) this.#life.process.withdraw();
    else this.#settleRequests();
  }

  /** What was asked to be given back and has not started is; of what runs it is seen what was asked. */
  #settleRequests(): void {
    this.#return(this.#requests.takeUnsent());
    const { first, sent } = this.tasks;
    if (first === undefined || sent === 0) return;
    if (this.#requests.has('cancelled', first.fence)) this.stop('cancel');
    if (this.#requests.has('suspended', first.fence)) this.#standStill();
  }

  #standStill(): void {
    const { running, isStopping } = this.#current;
    // What has just begun is told of in a moment.
    if (running === undefined || running.isSuspended || isStopping) return;
    running.suspend(true);
    this.#life?.process.suspend(true);
    this.#return(this.tasks.takeUnsent(0, Number.POSITIVE_INFINITY));
  }

  #resume(running: RunningTask): void {
    this.#life?.process.suspend(false);
    running.suspend(false);
  }

  #return(runs: readonly FenceRun[]): void {
    if (runs.length > 0) this.#options.onReturned(runs);
  }

  #mayLeave(): void {
    const isFull = this.#current.running === undefined && this.#life?.isFull(this.#ends.rssBytes);
    if (isFull || this.tasks.ordinal > MOST_TASKS) this.#life?.retire(this.tasks.sent > 0);
    if (this.#life?.isLeaving && this.tasks.sent === 0) this.#life.process.quit();
  }
}
