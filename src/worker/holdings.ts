import type { Placement } from '../api/gang.ts';
import type { FenceRun, StreamMessage } from '../api/session.ts';
import type { Attempts } from './attempts.ts';
import { FenceSet } from './fence-set.ts';
import type { Forker } from './forker/types.ts';
import type { HostPool } from './hosts/pool.ts';
import type { JobBook, KnownJob } from './job-book.ts';
import { Members } from './members.ts';
import type { Outbox } from './outbox.ts';
import { GrantQueue } from './queue.ts';
import type { StepPlaces } from './step-places.ts';

/** Fences that were held once and are remembered, so that a grant which comes twice does not run twice; in runs. */
const REMEMBERED_RUNS = 4_096;

/** From TERM to KILL for tasks that are ended because the worker goes, unless their job says less. */
const MOST_SHUTDOWN_GRACE_MS = 10_000;

/** What the coordinator says of grants that are here. */
type AboutHeld = Extract<
  StreamMessage,
  { type: 'revoke' | 'cancel' | 'drop' | 'limit' | 'suspend' | 'resume' | 'signal' }
>;

/** And of what is to be. */
type Taken = AboutHeld | Extract<StreamMessage, { type: 'grant' | 'member' | 'memberEnd' | 'gang' }>;
type GrantMessage = Extract<StreamMessage, { type: 'grant' }>;

export interface HoldingsOptions {
  readonly outbox: Outbox;
  readonly attempts: Attempts;
  readonly jobs: JobBook;
  /** Absent: handlers do not run here. */
  readonly hosts: HostPool | undefined;
  /** Absent: this worker starts no steps. */
  readonly steps: StepPlaces | undefined;
  /** There is something to say, or room for something to start. */
  readonly onChange: () => void;
  /** One line for a person. */
  readonly log: (line: string) => void;
}

/** What was granted to a session: queued or running, and what becomes of it. */
export class Holdings {
  readonly #options: HoldingsOptions;
  readonly #outbox: Outbox;
  readonly #attempts: Attempts;
  /** Parts in gangs of which others have the grant. */
  readonly members: Members;
  readonly #queue = new GrantQueue();
  readonly #over = new FenceSet();

  constructor(options: HoldingsOptions) {
    this.#options = options;
    this.#outbox = options.outbox;
    this.#attempts = options.attempts;
    this.members = new Members({
      ...options,
      occupancy: options.attempts.occupancy,
      resourcesOf: (id, lane) => options.jobs.get(id, lane)?.description.resources ?? {},
    });
    options.outbox.membersHeld = () => this.members.fences();
  }

  /** Attempts here, and parts in those that run elsewhere. */
  get running(): number {
    return this.#attempts.count + this.members.count + (this.#options.hosts?.count ?? 0);
  }

  /** Tasks that have not started. */
  get queued(): number {
    return this.#queue.count;
  }

  /** Takes tasks; those of a lane that was not described go back. */
  #grant({ job, lane = 0, runs, attempt, placement }: GrantMessage, forker: Forker | undefined): void {
    const isKnown = lane === 0 || this.#options.jobs.get(job, lane) !== undefined;
    if (!isKnown) this.#options.log(`job ${job} has no lane ${lane} here: its tasks are given back`);
    let done = 0;
    for (const [fence, position, count] of runs) {
      for (const [from, length] of this.#unknownOf(fence, count)) {
        const at = done + from - fence;
        this.#outbox.held.add(from, length);
        if (!isKnown) {
          this.#giveBack([[from, length]]);
          continue;
        }
        this.#queue.add(job, lane, {
          fence: from,
          position: position + from - fence,
          count: length,
          attempt: typeof attempt === 'number' ? attempt : attempt.slice(at, at + length),
          placement,
        });
      }
      done += count;
    }
    if (this.#outbox.draining) this.giveBackAll(forker);
  }

  take(message: Taken, forker: Forker | undefined): void {
    switch (message.type) {
      case 'grant':
        this.#grant(message, forker);
        break;
      case 'member':
      case 'memberEnd':
      case 'gang':
        this.members.take(message);
        break;
      case 'revoke':
      case 'cancel':
      case 'drop':
      case 'limit':
      case 'suspend':
      case 'resume':
      case 'signal':
        this.#about(message, forker);
        break;
    }
  }

  #about(message: AboutHeld, forker: Forker | undefined): void {
    const { fences } = message;
    const { hosts } = this.#options;
    for (const [base, count] of fences) if (hosts !== undefined) aboutHosted(hosts, message, base, count);
    switch (message.type) {
      case 'revoke':
        this.#revoke(fences, forker);
        break;
      case 'cancel':
        this.#cancel(fences, forker);
        break;
      case 'drop':
        this.#drop(fences, forker);
        break;
      case 'limit':
        this.#limit(fences, message.timeLimitMs, forker);
        break;
      case 'suspend':
      case 'resume':
        this.members.pass(message);
        for (const [base, count] of fences) {
          if (forker !== undefined) this.#attempts.suspend(forker, base, count, message.type === 'suspend');
        }
        break;
      case 'signal':
        this.members.pass(message);
        if (forker !== undefined) this.#attempts.signal(forker, message);
        break;
    }
  }

  /** What has started goes on. */
  #revoke(fences: readonly FenceRun[], forker: Forker | undefined): void {
    for (const [base, count] of fences) {
      this.#giveBack(this.#queue.remove(base, count));
      if (forker !== undefined) this.#attempts.withdraw(forker, base, count);
    }
  }

  #cancel(fences: readonly FenceRun[], forker: Forker | undefined): void {
    for (const [base, count] of fences) {
      this.#giveBack(this.#queue.remove(base, count));
      if (forker !== undefined) this.#attempts.cancel(forker, base, count);
    }
  }

  #drop(fences: readonly FenceRun[], forker: Forker | undefined): void {
    for (const [base, count] of fences) {
      this.#queue.remove(base, count);
      this.#attempts.drop(forker, base, count);
      this.#outbox.dropped(base, count);
      this.over(base, count);
    }
  }

  /** Of what runs from its start on, of what waits from its start to come. */
  #limit(fences: readonly FenceRun[], timeLimitMs: number, forker: Forker | undefined): void {
    for (const [base, count] of fences) {
      this.#queue.limit(base, count, timeLimitMs);
      if (forker !== undefined) this.#attempts.limit(forker, base, count, timeLimitMs);
    }
  }

  /** Jobs of which anything runs. */
  jobs(): Set<number> {
    return new Set([...this.#attempts.jobs(), ...(this.#options.hosts?.jobs() ?? [])]);
  }

  /** Fences of what has started. */
  *started(): Generator<number> {
    yield* this.#attempts.started();
    if (this.#options.hosts !== undefined) yield* this.#options.hosts.started();
  }

  /** Ends everything because the worker goes. */
  shutDown(forker: Forker | undefined): void {
    this.#attempts.shutDown(forker, MOST_SHUTDOWN_GRACE_MS);
    this.#options.hosts?.shutDown(MOST_SHUTDOWN_GRACE_MS);
    this.members.giveUp();
  }

  /** The job is over here. */
  forget(jobId: number): void {
    this.#options.hosts?.forget(this.#options.jobs.allOf(jobId));
  }

  async close(): Promise<void> {
    await Promise.all([this.#options.hosts?.close(), this.members.close()]);
  }

  giveBackAll(forker: Forker | undefined): void {
    this.#giveBack(this.#queue.clear());
    if (forker !== undefined) this.#attempts.withdraw(forker, 0, Number.POSITIVE_INFINITY);
    this.#options.hosts?.revoke(0, Number.POSITIVE_INFINITY);
  }

  /** They were to start and could not: for example because the lease had just ended. */
  refused(runs: readonly FenceRun[]): void {
    this.#giveBack(runs);
  }

  over(base: number, count = 1): void {
    this.#over.add(base, count);
    this.#over.keepHighest(REMEMBERED_RUNS);
  }

  /** Starts what can start. */
  startAll(forker: Forker): void {
    this.members.admitWaiting();
    const now = performance.now();
    const { hosts, jobs } = this.#options;
    const fitOf = (jobId: number, lane: number, position: number, placement?: Placement) => {
      const isAlone = this.#queue.laneCount === 1;
      const hosted = hosts === undefined ? undefined : hostedJob(jobs, jobId, lane);
      if (hosted === undefined) return this.#attempts.fitOf(jobId, lane, position, isAlone, placement);
      return hosts!.fitOf(hosted, position, isAlone, this.#attempts.isIdle);
    };
    while (this.#queue.count > 0) {
      const grant = this.#queue.take(fitOf, now);
      if (grant === undefined) break;
      const { jobId, lane } = grant;
      const hosted = hosts === undefined ? undefined : hostedJob(jobs, jobId, lane);
      if (hosted === undefined) this.#attempts.start(forker, grant);
      else hosts!.start(hosted, grant, (most, mayGo) => this.#queue.takeMore(jobId, lane, most, mayGo));
    }
  }

  #giveBack(runs: readonly FenceRun[]): void {
    this.#outbox.returned(runs);
    for (const [base, count] of runs) this.over(base, count);
  }

  /** Of a run, what is neither held nor over. */
  #unknownOf(base: number, count: number): FenceRun[] {
    return this.#outbox.held.without(base, count).flatMap(([from, length]) => this.#over.without(from, length));
  }
}

/** A lane whose tasks a host runs. */
function hostedJob(jobs: JobBook, jobId: number, lane: number): KnownJob | undefined {
  const job = jobs.get(jobId, lane);
  return job?.description.run.kind === 'handler' ? job : undefined;
}

function aboutHosted(hosts: HostPool, message: AboutHeld, base: number, count: number): void {
  switch (message.type) {
    case 'revoke':
      hosts.revoke(base, count);
      break;
    case 'cancel':
      hosts.cancel(base, count);
      break;
    case 'drop':
      hosts.drop(base, count);
      break;
    case 'limit':
      hosts.limit(base, count, message.timeLimitMs);
      break;
    case 'suspend':
    case 'resume':
      hosts.suspend(base, count, message.type === 'suspend');
      break;
    case 'signal':
      if (message.steps !== true) hosts.signal(base, count, message.signal, message.mainOnly);
  }
}
