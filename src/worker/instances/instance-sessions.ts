import type { LastWords } from '../../api/instance-memory.ts';
import { API_VERSION } from '../../api/limits.ts';
import type { HelloRequest, JobForWorker } from '../../api/session.ts';
import { isSpawnError } from '../../core/errors.ts';
import { Backoff } from '../backoff.ts';
import { NO_RETRY } from '../client.ts';
import type { LivesWiring } from '../forker-lives.ts';
import type { JobAdapter, PreparedJob } from '../job-book.ts';
import { sessionLogs } from '../own-logs.ts';
import { type Greeting, sayHello } from '../say-hello.ts';
import { Session, type SessionEnd } from '../session.ts';
import { addVariables, instanceVariables, OUTPUT, taskVariables } from './instance-environment.ts';
import { InstanceLives } from './instance-lives.ts';
import type { OpenSession, ServedInstance } from './served-instance.ts';

/** One that lasted so long is followed by the next without a growing pause. */
const LONG_SESSION_MS = 10_000;
/** A session that goes on is told again what it holds, all at once; at the latest after so long it is not waited for. */
const CATCH_UP_MS = 3_000;
const ALL_AT_ONCE_MS = 100;
/** From TERM to KILL for what runs and was not granted again. */
const UNASKED_GRACE_MS = 10_000;

/** The sessions of one instance: as a rule one, and another only when the coordinator does not know it any more. */
export class InstanceSessions {
  readonly #instance: ServedInstance;
  readonly #ending = new AbortController();
  readonly #placesKnown = Promise.withResolvers<true | undefined>();
  readonly #over = Promise.withResolvers<void>();
  #resume: OpenSession | undefined;
  #open: OpenSession | undefined;
  #session: Session | undefined;
  #caughtUp: Promise<void> = Promise.resolve();
  #isLeaving = false;
  #isStarted = false;

  constructor(instance: ServedInstance, resume: OpenSession | undefined) {
    this.#instance = instance;
    this.#resume = resume;
    this.#open = resume;
  }

  /** Undefined while there is none. */
  get open(): OpenSession | undefined {
    return this.#open;
  }

  /** Resolves when everything that must be visible in the machine is known: its forker can start. Undefined: it never will be. */
  get placesKnown(): Promise<true | undefined> {
    return this.#placesKnown.promise;
  }

  run(): void {
    this.#isStarted = true;
    this.#serve()
      .catch((error: Error) => {
        this.#instance.log(`no session: ${error.message}`);
        if (isSpawnError(error) && error.code === 'INSTANCE_NOT_FOUND') this.#instance.unwanted();
      })
      .finally(() => {
        this.#placesKnown.resolve(undefined);
        this.#over.resolve();
      });
  }

  tell(): void {
    this.#session?.tell();
  }

  /** Ends what runs; resolves when that is known to the coordinator, or it is away, at the latest after `withinMs`. */
  async endAttempts(how: 'shutdown' | 'cancel', withinMs: number): Promise<void> {
    await this.#caughtUp;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), withinMs);
    // What an agent before this one started ends for a reason, too, and not as if it had come to its own end.
    const rest = this.#instance.knownForker?.endUnasked(how, UNASKED_GRACE_MS);
    const session = this.#session;
    if (how === 'shutdown') session?.drain(0);
    else session?.cancelAll();
    const isLate = new Promise<void>((resolve) => late.signal.addEventListener('abort', () => resolve()));
    await Promise.all([session?.settled(withinMs), Promise.race([rest, isLate])]);
    clearTimeout(timer);
  }

  /** Lets what runs come to its end; resolves when that is known to the coordinator, or it is away, at the latest after `withinMs`. */
  async settled(withinMs: number): Promise<void> {
    await this.#session?.settled(withinMs);
  }

  /** Resolves when the coordinator knows all there is to know, and that nothing follows. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    await this.#caughtUp;
    this.#session?.leave();
    if (this.#isStarted) await this.#over.promise;
  }

  /** For an agent after this one: what is left to say. */
  lastWords(): LastWords {
    const { machine, place } = this.#instance;
    const report = { seq: 1, ack: 0, held: { count: 0, sum: 0 }, instance: this.#instance.report() };
    return {
      order: machine.order,
      wallMs: place.clock.wallMs(),
      requests: this.#session?.unsaid() ?? [report],
      ...(this.#open === undefined ? {} : { session: this.#open.id }),
    };
  }

  /** Another agent goes on. */
  async release(): Promise<void> {
    this.#ending.abort();
    this.#session?.release();
    if (this.#isStarted) await this.#over.promise;
  }

  async #serve(): Promise<void> {
    const backoff = new Backoff({ firstMs: 50, mostMs: 5_000 });
    for (;;) {
      const sinceMs = performance.now();
      const greeting = await this.#greet();
      if (greeting === undefined) return;
      const end = await this.#serveOne(greeting);
      if (end !== 'unknown') return;
      this.#instance.log('the server does not take this session any more; saying hello again');
      if (performance.now() - sinceMs > LONG_SESSION_MS) backoff.reset();
      await backoff.pause(this.#ending.signal);
    }
  }

  #greet(): Promise<Greeting | undefined> {
    return sayHello({
      client: this.#instance.place.client,
      request: () => this.#helloRequest(),
      signal: this.#ending.signal,
      mostMs: 5_000,
      log: (line) => this.#instance.log(line),
      failed: async (error) => {
        if (isSpawnError(error) && error.code === 'INSTANCE_SERVED') await this.#closeOther(error.details);
        return undefined;
      },
    });
  }

  /** Only one agent can have the machine: whoever had it before is gone, and what ran in it then, too. */
  async #closeOther({ session }: Readonly<Record<string, unknown>>): Promise<void> {
    this.#resume = undefined;
    if (typeof session !== 'number') return;
    const options = { ...NO_RETRY, signal: this.#ending.signal };
    await this.#instance.place.client.bye(session, options).catch(() => {});
  }

  async #serveOne({ hello, sentAt }: Greeting): Promise<SessionEnd> {
    const instance = this.#instance;
    const { machine, place, life } = instance;
    const store = hello.storeId.replaceAll(/[^\w-]/g, '_');
    const isSame = hello.resumed === true && this.#resume?.id === hello.sessionId;
    const marker = `${store}-${hello.sessionId}`;
    const logDir = hello.sameHost && hello.logDir !== undefined ? hello.logDir : sessionLogs(place.directory, marker);
    const logsInside = machine.inside(logDir);
    machine.inside(place.directory);
    this.#placesKnown.resolve(true);
    const { type, name } = machine.order;
    this.#open = { store, id: hello.sessionId };
    this.#resume = this.#open;
    // Before anything runs for it: an agent that comes later has to know of it.
    await instance.remember();
    const told = Promise.withResolvers<void>();
    if (isSame) setTimeout(told.resolve, CATCH_UP_MS).unref();
    this.#caughtUp = isSame ? told.promise : Promise.resolve();
    const session = new Session({
      client: place.client,
      hello,
      helloSentAt: hello.sameHost ? { ...sentAt, bootMs: sentAt.monotonicMs } : sentAt,
      resources: resourcesOf(type),
      gpus: [],
      bindCpus: false,
      host: name,
      worker: name,
      dataDir: place.directory,
      files: place.files,
      lives: (wiring: LivesWiring) => new InstanceLives(instance.forker, wiring, isSame ? undefined : logsInside, life),
      marker,
      exitWhenGoneMs: 0,
      bound: {
        onDirective(directive) {
          setTimeout(told.resolve, ALL_AT_ONCE_MS).unref();
          instance.takeDirective(directive);
        },
        report: () => instance.report(),
        onEnded: (outcome) => instance.attemptEnded(outcome),
        adapter: this.#adapter(),
      },
      log: instance.log,
    });
    this.#session = session;
    if (this.#isLeaving || instance.isGone || life.state === 'stopped' || life.state === 'terminated') {
      void this.#caughtUp.then(() => session.leave());
    } else session.tell();
    if (this.#ending.signal.aborted) session.release();
    try {
      return await session.run();
    } finally {
      this.#session = undefined;
      if (!this.#ending.signal.aborted) this.#open = undefined;
    }
  }

  /** How the task of the instance is started in it. */
  #adapter(): JobAdapter {
    const { machine, life, place, folder } = this.#instance;
    return {
      describe: (job) => withOutput(job, `${machine.places.log}/${OUTPUT}`),
      prepare: ({ argv, cwd, env }, job): PreparedJob => {
        const { bin } = machine.places;
        const all = addVariables(env, instanceVariables(machine, life.size), bin);
        folder.jobIsKnown([...all, ...taskVariables(machine.order, job)]);
        return { argv: [place.spored ?? `${bin}/spored`, 'boot', '--', ...argv], cwd, env: all };
      },
      path: (path) =>
        path.startsWith(`${place.directory}/`)
          ? `${machine.inside(place.directory)}${path.slice(place.directory.length)}`
          : path,
    };
  }

  #helloRequest(): HelloRequest {
    const { machine, place } = this.#instance;
    const { order } = machine;
    return {
      worker: order.name,
      host: place.host,
      pid: process.pid,
      bootId: place.clock.bootId,
      instance: order.id,
      bound: this.#resume === undefined ? {} : { resume: this.#resume.id },
      resources: resourcesOf(order.type),
      api: API_VERSION,
      version: place.version,
    };
  }
}

function resourcesOf({ vcpus, memoryBytes }: { readonly vcpus: number; readonly memoryBytes: number }) {
  return { cpus: vcpus, memoryBytes };
}

/** Unless its owner said where, what a task prints is also where the output of a first start is looked for. */
function withOutput(job: JobForWorker, output: string): JobForWorker {
  if (job.outputPath !== undefined || job.errorPath !== undefined) return job;
  return { ...job, outputPath: output, errorPath: output, openMode: 'append' };
}
