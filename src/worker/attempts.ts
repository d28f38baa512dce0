import type { Placement } from '../api/gang.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Needs } from '../core/resources.ts';
import { AheadOfNeed, widthOf } from './ahead-of-need.ts';
import type { Attempt } from './attempt.ts';
import type { AttemptsOptions, ToSignal } from './attempts-options.ts';
import { type Explanation, explainFailure } from './explain-failure.ts';
import type { Forker, RunRefused, RunRequest, TaskEnded, TaskSpawnFailed, TaskStarted } from './forker/types.ts';
import type { KnownJob } from './job-book.ts';
import { Occupancy } from './occupancy.ts';
import { openFilesOf } from './open-files.ts';
import { attemptOutcome } from './outcome-of.ts';
import { clearData, dataRequest, takeDataTask } from './parts/data-task.ts';
import { endWithoutProcess, logStart, pendingEnd } from './pending-end.ts';
import type { Fit, Grant } from './queue.ts';
import { explanationRequest, taskRequest } from './run-request.ts';

/**
 * Tasks that the forker was told to start and has not: one behind thousands could not be stopped before it had started. Far more than
 * wait there for their turn.
 */
const MOST_UNSTARTED = 256;

/** The attempts that run on this worker or wait in its forker, and what of its resources is left. */
export class Attempts {
  readonly #options: AttemptsOptions;
  readonly #running = new Map<number, Attempt>();
  /** How many of them have. */
  #started = 0;
  /** Open for them in the forker. */
  #files = 0;
  readonly #ahead = new AheadOfNeed();
  readonly occupancy: Occupancy;
  /** Which forker of the session runs them. */
  life = 0;
  /** That it may have open for them. */
  mostFiles = Number.POSITIVE_INFINITY;

  constructor(options: AttemptsOptions) {
    this.#options = options;
    this.occupancy = new Occupancy(options.resources);
  }

  get count(): number {
    return this.#running.size;
  }

  /** A small task could start. */
  get hasRoom(): boolean {
    return this.occupancy.isOpen;
  }

  /** Nothing runs on this worker. */
  get isIdle(): boolean {
    return this.#running.size === 0 && this.occupancy.members === 0 && this.occupancy.hosts === 0;
  }

  /** Those of which anything runs. */
  jobs(): Set<number> {
    return new Set([...this.#running.values()].map(({ grant }) => grant.jobId));
  }

  /** Fences of those that have started. */
  *started(): Generator<number> {
    for (const [fence, { log }] of this.#running) if (log !== undefined) yield fence;
  }

  /** @param alone no task of another job or lane waits, so that none may be passed */
  fitOf(jobId: number, lane: number, position: number, alone: boolean, placement?: Placement): Fit {
    const job = this.#options.job(jobId, lane);
    if (job?.prepared === undefined) return 'unprepared';
    if (job.params !== undefined && job.params.at(position) === undefined) return 'unprepared';
    if (job.data?.parts?.isReady(position) === false) return 'unprepared';
    if (this.#running.size - this.#started >= MOST_UNSTARTED) return 'busy';
    if (this.#running.size > 0 && this.#files + openFilesOf(job.description) > this.mostFiles) return 'busy';
    // What is larger than the machine runs alone: the coordinator gave it, and waiting would not help.
    if (this.isIdle || this.occupancy.fits(this.#needsOf(job, placement))) return 'fits';
    return alone && placement === undefined && this.#ahead.mayQueue(job) ? 'fits' : 'busy';
  }

  start(forker: Forker, grant: Grant): void {
    const job = this.#options.job(grant.jobId, grant.lane)!;
    const needs = this.#needsOf(job, grant.placement);
    const short = this.#running.size === 0 ? this.occupancy.shortOf(needs) : undefined;
    const isImpossible = short !== undefined;
    const devices = isImpossible ? [] : this.#occupy(job, needs);
    const attempt: Attempt = {
      ...{ grant, job, needs, devices, isImpossible },
      ...{ data: undefined, log: undefined, dropped: false, cancelled: false, stalled: false, failure: undefined },
    };
    this.#running.set(grant.fence, attempt);
    this.#files += openFilesOf(job.description);
    const why = isImpossible ? `this worker has too few of: ${short}` : job.prepared!.missing;
    attempt.data = why === undefined ? takeDataTask(job, grant) : { missing: why, code: 126 };
    const request = dataRequest(this.#requestOf(attempt, this.#options.envId(forker, job)), attempt);
    if (!('missing' in request)) this.#run(forker, attempt, request);
    else this.#explain(forker, attempt, { text: request.missing, code: request.code, isUnstarted: true });
  }

  /** Takes back what waits in the forker and has not started. */
  withdraw(forker: Forker, base: number, count: number): void {
    for (const { grant, log } of this.#among(base, count)) if (log === undefined) forker.withdraw(grant.fence);
  }

  /** TERM, then KILL after the grace time of its job; the attempt ends as cancelled. */
  cancel(forker: Forker | undefined, base: number, count: number): void {
    for (const attempt of this.#among(base, count)) {
      attempt.cancelled = true;
      forker?.kill(attempt.grant.fence, 'cancel', attempt.job.description.graceMs);
    }
  }

  /** The same because it said nothing for too long. */
  stall(forker: Forker | undefined, fence: number): void {
    const attempt = this.#running.get(fence);
    if (attempt === undefined) return;
    attempt.stalled = true;
    forker?.kill(fence, 'cancel', attempt.job.description.graceMs);
  }

  /** What runs; undefined for what has ended, or what nobody wants any more. */
  find(fence: number): Attempt | undefined {
    const attempt = this.#running.get(fence);
    return attempt?.dropped ? undefined : attempt;
  }

  /** From the start of each. */
  limit(forker: Forker, base: number, count: number, timeLimitMs: number): void {
    for (const { grant } of this.#among(base, count)) {
      forker.limit(grant.fence, timeLimitMs);
      this.#options.steps?.limit(grant.fence, timeLimitMs);
    }
  }

  /** Those that have started stand still, or go on. */
  suspend(forker: Forker, base: number, count: number, on: boolean): void {
    for (const { grant, log } of this.#among(base, count)) {
      if (log === undefined) continue;
      forker.suspend(grant.fence, on);
      this.#options.onSuspended(grant.fence, on);
      this.#options.steps?.suspend(grant.fence, on);
    }
  }

  /** To those that have started. */
  signal(forker: Forker, { fences, signal, mainOnly, steps }: ToSignal): void {
    for (const [base, count] of fences) {
      for (const { grant, log } of this.#among(base, count)) {
        if (log === undefined) continue;
        if (steps) this.#options.steps?.signal(grant.fence, signal);
        else forker.signal(grant.fence, signal, mainOnly);
      }
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
  shutDown(forker: Forker | undefined, mostGraceMs: number): void {
    for (const { grant, job } of this.#running.values()) {
      forker?.kill(grant.fence, 'shutdown', Math.min(job.description.graceMs, mostGraceMs));
    }
  }

  onStarted({ fence, log }: TaskStarted): void {
    const attempt = this.#running.get(fence);
    if (attempt === undefined) return;
    attempt.log = log;
    this.#started += 1;
    if (attempt.dropped) return;
    const { signal, timeLimitMs } = attempt.job.description;
    if (signal?.steps) this.#options.steps?.warn(fence, attempt.grant.timeLimitMs ?? timeLimitMs, signal);
    const { logSegment, logOffset } = logStart(this.life, log);
    this.#options.onStarted({ fence, startedAtMs: performance.now(), logSegment, logOffset }, attempt);
  }

  onEnded(event: TaskEnded): void {
    const attempt = this.#remove(event.fence);
    if (attempt === undefined) return;
    if (!attempt.isImpossible) this.#ahead.ended(attempt.job, event.wallUs);
    if (attempt.dropped) return;
    this.#options.onEnded(pendingEnd(this.life, attemptOutcome(attempt, event), event), attempt);
  }

  onSpawnFailed(forker: Forker, event: TaskSpawnFailed): void {
    const attempt = this.#running.get(event.fence);
    if (attempt === undefined) return;
    if (attempt.dropped || attempt.cancelled || attempt.failure !== undefined) {
      this.#endWithoutProcess(attempt, attempt.failure ?? { kind: 'cancelled' });
      return;
    }
    const { elsewhere } = this.#options;
    const { run } = attempt.job.description;
    const { argv, cwd } = attempt.job.prepared!;
    const command = run.kind === 'script' ? run.name : (argv[0] ?? '');
    const explanation = explainFailure(event, { command, cwd, ...this.#filesOf(attempt), elsewhere });
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
    else this.#remove(fence, true);
    if (reason !== 'unknownEnv' && !attempt.dropped) this.#options.onRefused(fence);
  }

  /** The forker is gone, and with it every attempt. */
  lost(): void {
    for (const attempt of this.#running.values()) this.#endWithoutProcess(attempt, { kind: 'lost' });
  }

  #run(forker: Forker, { job, devices }: Attempt, request: RunRequest): void {
    // Never behind another: whoever has devices started because they are free.
    if (devices.length > 0) forker.run(request);
    else forker.run({ ...request, queue: { id: job.queueId, width: widthOf(job, this.occupancy.idle) } });
  }

  /** Lets a process write why nothing runs, so that the reason stands in the task's log like everything else. */
  #explain(forker: Forker, attempt: Attempt, { text, code, isUnstarted }: Explanation): void {
    attempt.failure = { kind: 'exited', code, ...(isUnstarted ? { isUnstarted } : {}) };
    // Not with the job's environment: it may be what exec found too large.
    const bare = this.#options.envId(forker);
    this.#run(forker, attempt, explanationRequest(this.#runOf(attempt), bare, text));
  }

  #requestOf(attempt: Attempt, envId: number): RunRequest {
    const { host, bindCpus, secretOf } = this.#options;
    const isBound = bindCpus && !this.#ahead.inStream(attempt.job);
    return taskRequest(this.#runOf(attempt), envId, { host, bindCpus: isBound, secretOf });
  }

  #runOf({ grant, job, devices }: Attempt) {
    return { grant, job, gpus: devices.map((device) => this.#options.gpus[device]!) };
  }

  #filesOf(attempt: Attempt): { readonly files: string[]; readonly input: string | undefined } {
    const { outputPath, errorPath, stdin } = this.#requestOf(attempt, 0);
    return { files: [...new Set([outputPath, errorPath].filter((path) => path !== undefined))], input: stdin };
  }

  #endWithoutProcess(attempt: Attempt, outcome: Outcome): void {
    const { fence } = attempt.grant;
    this.#remove(fence);
    if (attempt.dropped) return;
    this.#options.onEnded(endWithoutProcess(this.life, outcome, fence, attempt.log), attempt);
  }

  #remove(fence: number, isRefused = false): Attempt | undefined {
    const attempt = this.#running.get(fence);
    if (attempt === undefined) return undefined;
    this.#running.delete(fence);
    if (attempt.dropped || isRefused) clearData(attempt.data);
    this.#options.steps?.over(fence);
    if (attempt.log !== undefined) this.#started -= 1;
    this.#files -= openFilesOf(attempt.job.description);
    const { job, needs, devices, isImpossible } = attempt;
    if (isImpossible) return attempt;
    this.#ahead.gone(job);
    // One that waits in the forker takes its place, and its resources.
    this.occupancy.give(needs, devices, !this.#ahead.tookOver(job));
    return attempt;
  }

  #needsOf({ needs, description }: KnownJob, placement: Placement | undefined): Needs {
    if (placement === undefined) return needs;
    const { resources = {} } = description;
    return this.occupancy.needsOf({ ...placement, cpus: placement.nodes[0]!.cpus, resources });
  }

  /** Gives its devices. */
  #occupy(job: KnownJob, needs: Needs): number[] {
    this.#ahead.sent(job);
    if (this.#running.size > 0 && !this.occupancy.fits(needs)) {
      this.#ahead.queued(job);
      return [];
    }
    return this.occupancy.take(needs);
  }

  #among(base: number, count: number): Attempt[] {
    if (count > this.#running.size) {
      return [...this.#running.values()].filter(({ grant }) => grant.fence >= base && grant.fence < base + count);
    }
    const fences = Array.from({ length: count }, (_, at) => base + at);
    return fences.flatMap((fence) => this.#running.get(fence) ?? []);
  }
}
