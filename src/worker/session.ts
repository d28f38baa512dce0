import { decodeOutcome } from '../core/outcome.ts';
import { Attempts } from './attempts.ts';
import type { TaskDesk } from './calls/task-desk.ts';
import { Contact } from './contact.ts';
import { ExchangeLane } from './exchange-lane.ts';
import type { ForkerExit } from './forker/types.ts';
import { forkerCallbacks } from './forker-callbacks.ts';
import type { Lives } from './forker-lives.ts';
import { Holdings } from './holdings.ts';
import { openHosts } from './hosts/open-hosts.ts';
import { JobBook } from './job-book.ts';
import { sayBye, shipRest } from './last-words.ts';
import { openFileLimitOf } from './open-files.ts';
import { Outbox, type PendingEnd } from './outbox.ts';
import { sessionLogs } from './own-logs.ts';
import { Quiet } from './quiet.ts';
import { callsPlace, dataFolder, deskCallbacks, openDesk } from './session-desk.ts';
import { SessionLease } from './session-lease.ts';
import { placeOf, type SessionOptions } from './session-options.ts';
import { LogShipper } from './shipper.ts';
import { Stages } from './stages.ts';
import { type NumberedMessage, StreamLane } from './stream-lane.ts';

/** How it ended: left; not known to the server (say hello again); the server was away for too long; another process goes on with it. */
export type SessionEnd = 'left' | 'unknown' | 'gone' | 'released';

/** One session of this worker with a coordinator: takes grants, runs them and reports, until it ends. */
export class Session {
  readonly #options: SessionOptions;
  /** What the coordinator may not know yet, for whoever says it later: it is not said here any more. */
  readonly unsaid = () => this.#exchanges.unsaid();
  readonly #ended = Promise.withResolvers<SessionEnd>();
  readonly #over = new AbortController();
  readonly #outbox: Outbox;
  readonly #stages: Stages;
  readonly #jobs: JobBook;
  readonly #attempts: Attempts;
  readonly #holdings: Holdings;
  readonly #lives: Lives;
  readonly #exchanges: ExchangeLane;
  readonly #stream: StreamLane;
  /** Only where the coordinator does not read our disk. */
  readonly #shipper: LogShipper | undefined;
  /** Not of a bound session: in an instance they ask its agent. */
  readonly #desk: TaskDesk | undefined;
  readonly #lease: SessionLease;
  readonly #contact: Contact;
  readonly #quiet = new Quiet(() => this.#isQuiet);
  #leaving = false;
  /** Of a bound session: it has been told to go when nothing runs. */
  #mayLeave: boolean;

  constructor(options: SessionOptions) {
    const { client, hello, marker, log, gpus, bound } = options;
    const host = options.host.replace(/\..*$/s, '') || options.host;
    const { sessionId, sameHost, heartbeatMs, leaseMs } = hello;
    const ownLogs = sameHost && hello.logDir !== undefined ? undefined : sessionLogs(options.dataDir, marker);
    const onFailed = (error: unknown) => this.#failed(error);
    const sayEnd = (end: PendingEnd, jobId: number) => {
      this.#holdings.over(end.fence);
      this.#outbox.ended(end);
      this.#shipper?.ended(jobId);
      bound?.onEnded(decodeOutcome(end.outcome));
    };
    const lane = { client, sessionId, mostBackoffMs: sameHost ? 1_000 : 5_000 };
    this.#options = options;
    this.#contact = new Contact(options);
    this.#mayLeave = bound === undefined;
    this.#outbox = new Outbox(bound?.report);
    this.#lease = new SessionLease(hello, options.helloSentAt, bound !== undefined);
    this.#stages = new Stages({ directory: options.dataDir, marker, client, signal: this.#over.signal });
    this.#jobs = new JobBook({
      files: options.files,
      stages: this.#stages,
      place: { ...placeOf(options, host), calls: callsPlace(options) },
      directory: dataFolder(options),
      onPrepared: () => this.#pump(),
      onFailed,
      adapter: bound?.adapter,
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
      steps: options.stepFolders,
      ...deskCallbacks(() => this.#desk, this.#outbox, sayEnd),
      onRefused: (fence) => this.#holdings.refused([[fence, 1]]),
    });
    this.#desk = openDesk(options, {
      ...{ logDir: ownLogs ?? hello.logDir!, attempts: this.#attempts, jobs: this.#jobs, outbox: this.#outbox },
      forker: () => this.#lives.current,
      onChange: () => this.#pump(),
      onEnd: sayEnd,
    });
    const hosts = openHosts(options, this.#desk, {
      ...{ logDir: ownLogs ?? hello.logDir!, occupancy: this.#attempts.occupancy, outbox: this.#outbox, onFailed },
      ...{ holdings: () => this.#holdings, onEnded: (jobId) => this.#shipper?.ended(jobId) },
      onChange: () => this.#pump(),
    });
    this.#holdings = new Holdings({
      ...{ outbox: this.#outbox, attempts: this.#attempts, jobs: this.#jobs, steps: options.stepPlaces, hosts, log },
      onChange: () => this.#pump(),
    });
    this.#lives = options.lives({
      logDir: ownLogs ?? hello.logDir!,
      sessionId,
      session: marker,
      callbacks: {
        ...forkerCallbacks(this.#attempts, () => this.#lives.current),
        onLeaseExpired: ({ killing }) => log(`the lease ended without an answer: ${killing} tasks are stopped`),
        onBatchEnd: () => this.#pump(),
      },
      onUp: (life) => {
        this.#attempts.life = life;
        this.#attempts.mostFiles = openFileLimitOf(this.#lives.current?.pid);
        this.#lease.pass(this.#lives.current, hosts);
        this.#pump();
      },
      onDown: (exit) => this.#forkerDied(exit),
      onFailed,
    });
    if (ownLogs !== undefined) {
      this.#shipper = new LogShipper({ client, sessionId, logDir: ownLogs, running: () => this.#holdings.jobs(), log });
    }
    this.#exchanges = new ExchangeLane({
      ...lane,
      heartbeatMs,
      leaseMs,
      sameHost,
      outbox: this.#outbox,
      ack: () => this.#stream.last,
      running: () => [...this.#holdings.started(), ...(this.#desk?.finishing ?? [])],
      hungry: () => this.#holdings.queued === 0 && this.#attempts.hasRoom,
      onRenewed: (ms, sentAt) => {
        this.#contact.answered();
        this.#lease.renewed(ms, sentAt);
        this.#lease.pass(this.#lives.current, hosts);
        this.#pump();
      },
      onSaid: () => this.#quiet.look(),
      onFailed,
    });
    this.#stream = new StreamLane({
      ...lane,
      after: hello.after ?? 0,
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
    const { client, hello, log } = this.#options;
    const { resolve, reject } = this.#ended;
    await this.#desk?.listen();
    const lives = this.#lives.run();
    lives.catch(reject);
    const shipping = this.#shipper?.run();
    this.#exchanges.run().then((end) => resolve(end === 'unknown' ? 'unknown' : 'left'), reject);
    this.#stream.run().then((end) => end === 'unknown' && resolve('unknown'), reject);
    try {
      const end = await this.#ended.promise;
      this.#stream.stop();
      if (end === 'left') await shipRest(this.#shipper, log);
      if (end === 'left') await sayBye(client, hello.sessionId);
      return end;
    } catch (error) {
      await sayBye(client, hello.sessionId);
      throw error;
    } finally {
      this.#over.abort();
      this.#stream.stop();
      this.#exchanges.stop();
      await this.#lives.close();
      await lives.catch(() => {});
      await this.#holdings.close();
      await Promise.all([this.#desk?.close(), this.#jobs.close()]);
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
    if (Number.isFinite(graceMs)) this.#after(graceMs, () => this.#holdings.shutDown(this.#lives.current));
    this.#pump();
  }

  /** Takes no more, and ends what runs as cancelled. */
  cancelAll(): void {
    this.drain(Number.POSITIVE_INFINITY);
    this.#attempts.cancel(this.#lives.current, 0, Number.POSITIVE_INFINITY);
    this.#holdings.members.giveUp();
  }

  /** The report of the instance has changed: it is said at once. */
  tell(): void {
    this.#outbox.urgent = true;
    this.#exchanges.touch();
  }

  /** Of a bound session: leaves when nothing runs and everything is said. */
  leave(): void {
    this.#mayLeave = this.#outbox.urgent = true;
    this.drain(0);
  }

  /** Another process goes on with this session, and with what runs. */
  release(): void {
    this.#ended.resolve('released');
  }

  /** True once nothing runs and the coordinator has everything, unless it is away; false after `withinMs`. */
  settled(withinMs: number): Promise<boolean> {
    return this.#quiet.within(withinMs);
  }

  get #isIdle(): boolean {
    return this.#holdings.running === 0 && (this.#desk?.finishing.size ?? 0) === 0;
  }

  get #isQuiet(): boolean {
    return this.#isIdle && (this.#exchanges.hasSaidAll || this.#contact.isTroubled);
  }

  #pump(): void {
    const forker = this.#lives.current;
    if (forker !== undefined && this.#lease.isValid) this.#holdings.startAll(forker);
    if (this.#outbox.draining && this.#mayLeave && this.#isIdle && !this.#leaving) this.#leave();
    this.#exchanges.touch();
    this.#quiet.look();
  }

  #leave(): void {
    this.#leaving = true;
    this.#exchanges.finish();
    if (Number.isFinite(this.#lease.termMs)) this.#after(this.#lease.termMs, () => this.#exchanges.stop());
  }

  /** Unless the session is over before. */
  #after(ms: number, work: () => void): void {
    const timer = setTimeout(work, ms);
    this.#over.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  }

  #take(message: NumberedMessage): void {
    switch (message.type) {
      case 'job':
        this.#shipper?.known(message.job.id);
        this.#jobs.add(message.job);
        break;
      case 'forget':
        this.#lives.forget(message.job, this.#jobs.allOf(message.job));
        this.#holdings.forget(message.job);
        this.#jobs.forget(message.job);
        this.#desk?.forget(message.job);
        this.#shipper?.forget(message.job);
        break;
      case 'drain':
        if (this.#options.bound === undefined) this.drain(Number.POSITIVE_INFINITY);
        break;
      case 'instance':
        this.#options.bound?.onDirective(message.directive);
        break;
      default:
        this.#holdings.take(message, this.#lives.current);
    }
    this.#pump();
  }

  #forkerDied({ expected, code, signal, stderr }: ForkerExit): void {
    if (!expected) this.#options.log(`the forker died (${signal ?? `exit ${code}`}), its tasks are lost: ${stderr}`);
    this.#attempts.lost();
    this.#pump();
  }

  #failed(error: unknown): void {
    if (this.#contact.failed(error, this.#lease.termMs)) this.#ended.resolve('gone');
    this.#quiet.look();
  }
}
