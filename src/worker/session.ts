import { Attempts } from './attempts.ts';
import { NO_RETRY } from './client.ts';
import { ExchangeLane } from './exchange-lane.ts';
import type { ForkerExit } from './forker/types.ts';
import { ForkerLives } from './forker-lives.ts';
import { Holdings } from './holdings.ts';
import { JobBook } from './job-book.ts';
import { type LeaseMoment, leaseMoment, leaseTerm } from './lease.ts';
import { openFileLimitOf } from './open-files.ts';
import { Outbox } from './outbox.ts';
import { sessionLogs } from './own-logs.ts';
import type { SessionOptions } from './session-options.ts';
import { LogShipper } from './shipper.ts';
import { Stages } from './stages.ts';
import { type NumberedMessage, StreamLane } from './stream-lane.ts';

/** How a session ended: the worker left it, the server does not know it (say hello again), the server was away for too long. */
export type SessionEnd = 'left' | 'unknown' | 'gone';

/** From TERM to KILL for tasks that are ended because the worker goes, unless their job says less. */
const MOST_SHUTDOWN_GRACE_MS = 10_000;
const BYE_WITHIN_MS = 2_000;
const SHIP_WITHIN_MS = 30_000;

/** One session of this worker with a coordinator: takes grants, runs them and reports, until it ends. */
export class Session {
  readonly #options: SessionOptions;
  readonly #ended = Promise.withResolvers<SessionEnd>();
  /** Aborts when the session is over. */
  readonly #over = new AbortController();
  readonly #outbox = new Outbox();
  readonly #stages: Stages;
  readonly #jobs: JobBook;
  readonly #attempts: Attempts;
  readonly #holdings: Holdings;
  readonly #lives: ForkerLives;
  readonly #exchanges: ExchangeLane;
  readonly #stream: StreamLane;
  /** Only where the coordinator does not read our disk. */
  readonly #shipper: LogShipper | undefined;
  #lease: { ms: number; sentAt: LeaseMoment };
  /** On the monotonic clock: nothing starts after this. */
  #leaseEndsMs = Number.NEGATIVE_INFINITY;
  #contactMs = performance.now();
  #troubled = false;
  #leaving = false;

  constructor(options: SessionOptions) {
    const { client, hello, marker, log, gpus } = options;
    const host = options.host.replace(/\..*$/s, '') || options.host;
    const { sessionId, sameHost, heartbeatMs, leaseMs } = hello;
    const ownLogs = sameHost && hello.logDir !== undefined ? undefined : sessionLogs(options.dataDir, marker);
    const onFailed = (error: unknown) => this.#failed(error);
    const lane = { client, sessionId, mostBackoffMs: sameHost ? 1_000 : 5_000 };
    this.#options = options;
    this.#lease = { ms: leaseMs, sentAt: options.helloSentAt };
    this.#stages = new Stages({ directory: options.dataDir, marker, client, signal: this.#over.signal });
    this.#jobs = new JobBook({
      files: options.files,
      stages: this.#stages,
      place: { session: marker, host, gpuVendor: gpus[0]?.vendor },
      onPrepared: () => this.#pump(),
      onFailed,
      signal: this.#over.signal,
    });
    this.#attempts = new Attempts({
      resources: options.resources,
      gpus,
      bindCpus: options.bindCpus,
      host,
      elsewhere: sameHost ? undefined : options.worker,
      job: (id, lane) => this.#jobs.get(id, lane),
      envId: (forker, job) => this.#lives.envId(forker, job),
      onStarted: (start) => this.#outbox.started(start),
      onEnded: (end, jobId) => {
        this.#holdings.over(end.fence);
        this.#outbox.ended(end);
        this.#shipper?.ended(jobId);
      },
      onRefused: (fence) => this.#holdings.refused(fence),
    });
    this.#holdings = new Holdings(this.#outbox, this.#attempts);
    this.#lives = new ForkerLives({
      port: options.forkers,
      kind: options.forkerKind,
      logDir: ownLogs ?? hello.logDir!,
      sessionId,
      session: marker,
      callbacks: {
        onStarted: (event) => this.#attempts.onStarted(event),
        onEnded: (event) => this.#attempts.onEnded(event),
        onSpawnFailed: (event) => {
          const forker = this.#lives.current;
          if (forker !== undefined) this.#attempts.onSpawnFailed(forker, event);
        },
        onRefused: (event) => this.#attempts.onRefused(event),
        onLeaseExpired: ({ killing }) => log(`the lease ended without an answer: ${killing} tasks are stopped`),
        onBatchEnd: () => this.#pump(),
      },
      onUp: (life) => {
        this.#attempts.life = life;
        this.#attempts.mostFiles = openFileLimitOf(this.#lives.current?.pid);
        this.#passLease();
        this.#pump();
      },
      onDown: (exit) => this.#forkerDied(exit),
      onFailed,
    });
    if (ownLogs !== undefined) {
      this.#shipper = new LogShipper({ client, sessionId, logDir: ownLogs, running: () => this.#attempts.jobs(), log });
    }
    this.#exchanges = new ExchangeLane({
      ...lane,
      heartbeatMs,
      leaseMs,
      sameHost,
      outbox: this.#outbox,
      ack: () => this.#stream.last,
      running: () => this.#attempts.started(),
      hungry: () => this.#holdings.queued === 0 && this.#attempts.hasRoom,
      onRenewed: (ms, sentAt) => this.#renewed(ms, sentAt),
      onFailed,
    });
    this.#stream = new StreamLane({
      ...lane,
      silenceMs: leaseMs,
      onMessage: (message) => this.#take(message),
      onBreak: (error) => {
        this.#outbox.resync = true;
        if (error !== undefined) this.#failed(error);
        this.#exchanges.touch();
      },
    });
  }

  /** Resolves when the session is over and nothing of it runs. Rejects when no forker starts here. */
  async run(): Promise<SessionEnd> {
    const { resolve, reject } = this.#ended;
    const lives = this.#lives.run();
    lives.catch(reject);
    const shipping = this.#shipper?.run();
    this.#exchanges.run().then((end) => resolve(end === 'unknown' ? 'unknown' : 'left'), reject);
    this.#stream.run().then((end) => end === 'unknown' && resolve('unknown'), reject);
    try {
      const end = await this.#ended.promise;
      this.#stream.stop();
      if (end === 'left') await this.#shipRest();
      if (end === 'left') await this.#sayBye();
      return end;
    } catch (error) {
      await this.#sayBye();
      throw error;
    } finally {
      this.#over.abort();
      this.#stream.stop();
      this.#exchanges.stop();
      await this.#lives.close();
      await lives.catch(() => {});
      await this.#stages.close();
      this.#shipper?.stop();
      await shipping;
    }
  }

  /**
   * Takes no more, gives back what has not started, and leaves when nothing runs.
   * @param graceMs after that what still runs gets TERM, then KILL; Infinity waits for it
   */
  drain(graceMs: number): void {
    if (!this.#outbox.draining) {
      this.#outbox.draining = true;
      this.#outbox.urgent = true;
      this.#holdings.giveBackAll(this.#lives.current);
    }
    if (Number.isFinite(graceMs)) {
      const timer = setTimeout(() => this.#shutDown(), graceMs);
      this.#over.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
    }
    this.#pump();
  }

  #shutDown(): void {
    const forker = this.#lives.current;
    if (forker !== undefined) this.#attempts.shutDown(forker, MOST_SHUTDOWN_GRACE_MS);
  }

  /** Starts what can start, says what is to be said, and leaves when all is done. */
  #pump(): void {
    const forker = this.#lives.current;
    if (forker !== undefined && performance.now() < this.#leaseEndsMs) this.#holdings.startAll(forker);
    if (this.#outbox.draining && this.#attempts.count === 0 && !this.#leaving) this.#leave();
    this.#exchanges.touch();
  }

  #leave(): void {
    this.#leaving = true;
    this.#exchanges.finish();
    // After the term of the lease the server has given up what would be reported.
    const timer = setTimeout(() => this.#exchanges.stop(), this.#lease.ms);
    this.#over.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  }

  #take(message: NumberedMessage): void {
    const forker = this.#lives.current;
    switch (message.type) {
      case 'job':
        this.#shipper?.known(message.job.id);
        this.#jobs.add(message.job);
        break;
      case 'grant':
        this.#grant(message);
        break;
      case 'revoke':
        this.#holdings.revoke(message.fences, forker);
        break;
      case 'cancel':
        this.#holdings.cancel(message.fences, forker);
        break;
      case 'drop':
        this.#holdings.drop(message.fences, forker);
        break;
      case 'limit':
        this.#holdings.limit(message.fences, message.timeLimitMs, forker);
        break;
      case 'forget':
        this.#lives.forget(message.job, this.#jobs.allOf(message.job));
        this.#jobs.forget(message.job);
        this.#shipper?.forget(message.job);
        break;
      case 'drain':
        this.drain(Number.POSITIVE_INFINITY);
        break;
    }
    this.#pump();
  }

  #grant({ job, runs, attempt, lane = 0 }: Extract<NumberedMessage, { type: 'grant' }>): void {
    const isKnown = lane === 0 || this.#jobs.get(job, lane) !== undefined;
    if (!isKnown) this.#options.log(`job ${job} has no lane ${lane} here: its tasks are given back`);
    this.#holdings.grant(job, isKnown ? lane : undefined, runs, attempt, this.#lives.current);
  }

  #forkerDied({ expected, code, signal, stderr }: ForkerExit): void {
    if (!expected) this.#options.log(`the forker died (${signal ?? `exit ${code}`}), its tasks are lost: ${stderr}`);
    this.#attempts.lost();
    this.#pump();
  }

  #renewed(ms: number, sentAt: LeaseMoment): void {
    if (this.#troubled) this.#options.log('the server answers again');
    this.#troubled = false;
    this.#contactMs = performance.now();
    this.#lease = { ms, sentAt };
    this.#passLease();
    this.#pump();
  }

  /** The forker enforces the lease, also when this process hangs. */
  #passLease(): void {
    const { sameHost } = this.#options.hello;
    const { ms, graceMs } = leaseTerm(this.#lease.ms, this.#lease.sentAt, leaseMoment(sameHost));
    this.#leaseEndsMs = performance.now() + ms;
    this.#lives.current?.lease(Math.max(0, ms), graceMs, sameHost ? 'monotonic' : 'boottime');
  }

  #failed(error: unknown): void {
    const { exitWhenGoneMs, log } = this.#options;
    if (!this.#troubled) log(`${error instanceof Error ? error.message : error}; trying again`);
    this.#troubled = true;
    if (exitWhenGoneMs === 0) return;
    if (performance.now() - this.#contactMs > Math.max(exitWhenGoneMs, this.#lease.ms)) this.#ended.resolve('gone');
  }

  /** The last words of the last tasks are worth a moment. */
  async #shipRest(): Promise<void> {
    if (this.#shipper === undefined || (await this.#shipper.finish(SHIP_WITHIN_MS))) return;
    this.#options.log('not all logs could be shipped; they are kept, and sent when this worker comes back');
  }

  async #sayBye(): Promise<void> {
    const signal = AbortSignal.timeout(BYE_WITHIN_MS);
    await this.#options.client.bye(this.#options.hello.sessionId, { ...NO_RETRY, signal }).catch(() => {});
  }
}
