import type { Resources } from '../api/session.ts';
import { encodeOutcome, type Outcome } from '../core/outcome.ts';
import { AheadOfNeed, ROUNDING, widthOf } from './ahead-of-need.ts';
import { taskEnvironment } from './environment.ts';
import { type Explanation, explainFailure } from './explain-failure.ts';
import type { Forker, LogPosition, RunRefused, TaskEnded, TaskSpawnFailed, TaskStarted } from './forker/types.ts';
import type { KnownJob } from './job-book.ts';
import type { PendingEnd, PendingStart } from './outbox.ts';
import { outcomeOf } from './outcome-of.ts';
import type { Fit, Grant } from './queue.ts';

/** Segment numbers on the wire: `life * 65536 + segment`, so that the forkers of one session do not meet. */
const SEGMENTS_OF_A_LIFE = 65_536;

interface Attempt {
  readonly grant: Grant;
  readonly job: KnownJob;
  log: LogPosition | undefined;
  /** Nobody wants to know how it ends. */
  dropped: boolean;
  cancelled: boolean;
  /** Its command could not be run; a process that says so runs in its place, and this is how the attempt ends. */
  failure: Outcome | undefined;
}

export interface AttemptsOptions {
  readonly resources: Resources;
  readonly job: (jobId: number) => KnownJob | undefined;
  /** The number in the forker of the job's environment, or of one with as good as nothing. */
  readonly envId: (forker: Forker, job?: KnownJob) => number;
  readonly onStarted: (start: PendingStart) => void;
  readonly onEnded: (end: PendingEnd) => void;
  /** It did not start and will not: its grant goes back. */
  readonly onRefused: (fence: number) => void;
}

/** The attempts that run on this worker or wait in its forker, and what of its resources is left. */
export class Attempts {
  readonly #options: AttemptsOptions;
  readonly #running = new Map<number, Attempt>();
  readonly #ahead = new AheadOfNeed();
  #freeCpus: number;
  #freeMemoryBytes: number;
  /** Which forker of the session runs them. */
  life = 0;

  constructor(options: AttemptsOptions) {
    this.#options = options;
    this.#freeCpus = options.resources.cpus;
    this.#freeMemoryBytes = options.resources.memoryBytes;
  }

  get count(): number {
    return this.#running.size;
  }

  /** A small task could start. */
  get hasRoom(): boolean {
    return this.#freeCpus > ROUNDING;
  }

  /** Fences of those that have started. */
  *started(): Generator<number> {
    for (const [fence, { log }] of this.#running) if (log !== undefined) yield fence;
  }

  /** @param alone no task of another job waits, so that none may be passed */
  fitOf(jobId: number, alone: boolean): Fit {
    const job = this.#options.job(jobId);
    if (job?.prepared === undefined) return 'unprepared';
    // What is larger than the machine runs alone: the coordinator gave it, and waiting would not help.
    if (this.#running.size === 0 || this.#hasRoomFor(job)) return 'fits';
    return alone && this.#ahead.mayQueue(job) ? 'fits' : 'busy';
  }

  start(forker: Forker, grant: Grant): void {
    const job = this.#options.job(grant.jobId)!;
    const attempt = { grant, job, log: undefined, dropped: false, cancelled: false, failure: undefined };
    if (this.#running.size > 0 && !this.#hasRoomFor(job)) this.#ahead.queued(job);
    else this.#take(job, 1);
    this.#ahead.sent(job);
    this.#running.set(grant.fence, attempt);
    const { argv, missing } = job.prepared!;
    if (missing === undefined) this.#run(forker, attempt, this.#options.envId(forker, job), argv, job.description.cwd);
    else this.#explain(forker, attempt, { text: missing, code: 126 });
  }

  /** Takes back what waits in the forker and has not started. */
  withdraw(forker: Forker, base: number, count: number): void {
    for (const { grant, log } of this.#among(base, count)) if (log === undefined) forker.withdraw(grant.fence);
  }

  /** TERM, then KILL after the grace time of its job; the attempt ends as cancelled. */
  cancel(forker: Forker, base: number, count: number): void {
    for (const attempt of this.#among(base, count)) {
      attempt.cancelled = true;
      forker.kill(attempt.grant.fence, 'cancel', attempt.job.description.graceMs);
    }
  }

  /** KILL at once; nothing is reported. */
  drop(forker: Forker | undefined, base: number, count: number): void {
    for (const attempt of this.#among(base, count)) {
      attempt.dropped = true;
      forker?.kill(attempt.grant.fence, 'cancel', 0);
    }
  }

  /** Ends everything because the worker goes; what does not finish its work is preempted. `graceMs` 0 kills at once. */
  shutDown(forker: Forker, mostGraceMs: number): void {
    for (const { grant, job } of this.#running.values()) {
      forker.kill(grant.fence, 'shutdown', Math.min(job.description.graceMs, mostGraceMs));
    }
  }

  onStarted({ fence, log }: TaskStarted): void {
    const attempt = this.#running.get(fence);
    if (attempt === undefined) return;
    attempt.log = log;
    if (attempt.dropped) return;
    const { logSegment, logOffset } = this.#logStart(log);
    this.#options.onStarted({ fence, startedAtMs: performance.now(), logSegment, logOffset });
  }

  onEnded(event: TaskEnded): void {
    const attempt = this.#remove(event.fence);
    if (attempt === undefined) return;
    this.#ahead.ended(attempt.job, event.wallUs);
    if (attempt.dropped) return;
    const outcome = event.cause === 'none' && attempt.failure !== undefined ? attempt.failure : outcomeOf(event);
    const end = this.#logStart(event.logEnd);
    this.#options.onEnded({
      fence: event.fence,
      outcome: encodeOutcome(outcome),
      wallUs: event.wallUs,
      cpuUs: event.userUs + event.systemUs,
      maxRssKb: event.maxRssKb,
      ...this.#logStart(event.logStart),
      logEndSegment: end.logSegment,
      logEndOffset: end.logOffset,
      outBytes: event.keptStdoutBytes,
      errBytes: event.keptStderrBytes,
      cutBytes: event.droppedBytes,
      missingBytes: event.lostBytes,
    });
  }

  onSpawnFailed(forker: Forker, event: TaskSpawnFailed): void {
    const attempt = this.#running.get(event.fence);
    if (attempt === undefined) return;
    if (attempt.dropped || attempt.cancelled || attempt.failure !== undefined) {
      this.#endWithoutProcess(attempt, attempt.failure ?? { kind: 'cancelled' });
      return;
    }
    const { run, cwd } = attempt.job.description;
    const command = run.kind === 'script' ? run.name : (attempt.job.prepared!.argv[0] ?? '');
    const explanation = explainFailure(event, command, cwd);
    if (explanation === undefined) this.#endWithoutProcess(attempt, { kind: 'lost' });
    else this.#explain(forker, attempt, explanation);
  }

  onRefused({ fence, reason }: RunRefused): void {
    // The one that has the fence goes on.
    if (reason === 'duplicateFence') return;
    const attempt = this.#running.get(fence);
    if (attempt === undefined) return;
    // A grant that came back for this would come again at once and for ever; a loss is counted.
    if (reason === 'unknownEnv') this.#endWithoutProcess(attempt, { kind: 'lost' });
    else this.#remove(fence);
    if (reason !== 'unknownEnv' && !attempt.dropped) this.#options.onRefused(fence);
  }

  /** The forker is gone, and with it every attempt. */
  lost(): void {
    for (const attempt of this.#running.values()) this.#endWithoutProcess(attempt, { kind: 'lost' });
  }

  #run(forker: Forker, { grant, job }: Attempt, envId: number, argv: readonly string[], cwd: string): void {
    const { description } = job;
    forker.run({
      fence: grant.fence,
      jobId: grant.jobId,
      position: grant.position,
      attempt: grant.attempt,
      envId,
      env: taskEnvironment(description, job.indices, grant),
      argv,
      cwd,
      timeLimitMs: description.timeLimitMs,
      graceMs: description.graceMs,
      logCapBytes: description.logCapBytes,
      umask: description.umask,
      queue: { id: job.description.id, width: widthOf(job, this.#options.resources) },
    });
  }

  /** Lets a process write why nothing runs, so that the reason stands in the task's log like everything else. */
  #explain(forker: Forker, attempt: Attempt, { text, code }: Explanation): void {
    attempt.failure = { kind: 'exited', code };
    // Not with the job's environment: it may be what exec found too large.
    const bare = this.#options.envId(forker);
    this.#run(forker, attempt, bare, ['/bin/sh', '-c', 'printf "spawn: %s\\n" "$1" >&2', 'sh', text], '/');
  }

  #endWithoutProcess(attempt: Attempt, outcome: Outcome): void {
    const { fence } = attempt.grant;
    this.#remove(fence);
    if (attempt.dropped) return;
    this.#options.onEnded({
      fence,
      outcome: encodeOutcome(outcome),
      wallUs: 0,
      cpuUs: 0,
      maxRssKb: 0,
      ...this.#logStart(attempt.log ?? { segment: 0, offset: 0 }),
      logEndSegment: 0,
      logEndOffset: 0,
      outBytes: 0,
      errBytes: 0,
      cutBytes: 0,
      missingBytes: 0,
    });
  }

  #remove(fence: number): Attempt | undefined {
    const attempt = this.#running.get(fence);
    if (attempt === undefined) return undefined;
    this.#running.delete(fence);
    this.#ahead.gone(attempt.job);
    // One that waits in the forker takes its place, and its resources.
    if (!this.#ahead.tookOver(attempt.job)) this.#take(attempt.job, -1);
    return attempt;
  }

  #hasRoomFor({ description: { cpus, memoryBytes } }: KnownJob): boolean {
    return cpus <= this.#freeCpus + ROUNDING && memoryBytes <= this.#freeMemoryBytes;
  }

  #take({ description }: KnownJob, times: 1 | -1): void {
    this.#freeCpus -= times * description.cpus;
    this.#freeMemoryBytes -= times * description.memoryBytes;
  }

  #among(base: number, count: number): Attempt[] {
    return [...this.#running.values()].filter(({ grant }) => grant.fence >= base && grant.fence < base + count);
  }

  #logStart({ segment, offset }: LogPosition): { logSegment: number; logOffset: number } {
    return { logSegment: segment === 0 ? 0 : this.life * SEGMENTS_OF_A_LIFE + segment, logOffset: offset };
  }
}
