import { randomBytes } from 'node:crypto';
import { JobSpec, type JobSpecInput } from '../../src/api/job-spec.ts';
import { API_VERSION } from '../../src/api/limits.ts';
import type { ExchangeReply, ExchangeRequest, HelloRequest, StreamMessage } from '../../src/api/session.ts';
import type { AlertPorts } from '../../src/coordinator/alerts/channel.ts';
import type { Clock } from '../../src/coordinator/clock.ts';
import { Coordinator } from '../../src/coordinator/coordinator.ts';
import type { InstancePorts } from '../../src/coordinator/instances/ports.ts';
import { Ledger } from '../../src/coordinator/ledger.ts';
import type { Caller } from '../../src/coordinator/use-cases.ts';
import type { Job } from '../../src/core/job.ts';
import { TASK_STATES, type TaskStateName } from '../../src/core/task-state.ts';
import type { Blobs, Checkpoints, LogReader, Results, SegmentCopies } from '../../src/objects/log-reader.ts';
import type { Store } from '../../src/store/store.ts';
import { MemoryDisk, type MemoryStoreHooks, openMemoryStore } from './memory-store.ts';

export const CALLER: Caller = { owner: '1000', tenant: 'local', sameHost: true, role: 'admin' };

/** Time that stands still until a test moves it. */
export class HandClock implements Clock {
  nowMs = 1_700_000_000_000;
  leaseMs = 0;
  steadyMs = 0;
  #timers: { at: number; task: () => void }[] = [];

  now = () => this.nowMs;
  lease = () => this.leaseMs;
  steady = () => this.steadyMs;

  timer(ms: number, task: () => void): () => void {
    const timer = { at: this.steadyMs + ms, task };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  soon(task: () => void): void {
    setImmediate(task);
  }

  /** Timers that have not fired. */
  get pending(): number {
    return this.#timers.length;
  }

  /** All clocks go on, and what is due by then happens. */
  pass(ms: number): void {
    this.nowMs += ms;
    this.leaseMs += ms;
    this.steadyMs += ms;
    const due = this.#timers.filter(({ at }) => at <= this.steadyMs);
    this.#timers = this.#timers.filter(({ at }) => at > this.steadyMs);
    for (const { task } of due) task();
  }
}

export interface AtHandOptions {
  /** Default: a store in memory. */
  readonly openStore?: () => Promise<Store>;
  readonly hooks?: MemoryStoreHooks;
  /** Awaited before the store is read as a whole. */
  readonly beforeLoad?: () => Promise<void>;
  readonly logs?: LogReader;
  readonly copies?: SegmentCopies;
  readonly blobs?: Blobs;
  readonly checkpoints?: Checkpoints;
  readonly results?: Results;
  /** Absent: jobs with instances are refused. */
  readonly instances?: InstancePorts;
  /** Absent: nobody is told anything. */
  readonly alerts?: AlertPorts;
}

const NO_BLOBS: Blobs = {
  put: () => Promise.reject(new Error('none')),
  get: () => Promise.resolve(undefined),
  has: () => Promise.resolve(false),
  list: () => Promise.resolve([]),
  remove: () => Promise.resolve(false),
};

/** A coordinator over a store in memory. Its loops are not started, and its time stands still. */
export class LedgerAtHand {
  readonly clock = new HandClock();
  readonly disk = new MemoryDisk();
  readonly fatal: Error[] = [];
  /** What chance gives, 0 to 1. */
  random = 0;
  ledger!: Ledger;
  coordinator!: Coordinator;
  readonly #options: AtHandOptions;

  private constructor(options: AtHandOptions) {
    this.#options = options;
  }

  static async open(options: AtHandOptions = {}): Promise<LedgerAtHand> {
    const opened = new LedgerAtHand(options);
    await opened.restart();
    return opened;
  }

  /** Another coordinator takes over what is durable. */
  async restart(): Promise<void> {
    const { beforeLoad, openStore, hooks } = this.#options;
    const store = openStore === undefined ? openMemoryStore(this.disk, hooks) : await openStore();
    if (beforeLoad !== undefined) {
      const load = store.load.bind(store);
      store.load = () => beforeLoad().then(load);
    }
    this.ledger = new Ledger({
      store,
      clock: this.clock,
      blobs: this.#options.blobs ?? NO_BLOBS,
      logs: this.#options.logs as LogReader,
      copies: this.#options.copies ?? { append: () => Promise.reject(new Error('none')), reach: async () => {} },
      ...(this.#options.checkpoints === undefined ? {} : { checkpoints: this.#options.checkpoints }),
      ...(this.#options.results === undefined ? {} : { results: this.#options.results }),
      // Secrets differ; the rest of an array id does not, so that tests can name it.
      randomHex: (digits) =>
        digits > 16 ? randomBytes(digits).toString('hex').slice(0, digits) : 'abcdef0123456789'.slice(0, digits),
      random: () => this.random,
      ...(this.#options.instances === undefined ? {} : { instances: this.#options.instances }),
      ...(this.#options.alerts === undefined ? {} : { alerts: this.#options.alerts }),
      onFatal: (error) => this.fatal.push(error),
      options: { version: 'test', host: 'here', dataDir: '/', logDir: '/' },
    });
    await this.ledger.load();
    this.coordinator = new Coordinator(this.ledger);
    await this.ledger.idle();
  }

  async submit(spec: Partial<JobSpecInput> = {}, idempotencyKey?: string, caller = CALLER): Promise<number> {
    const { job } = await this.coordinator.submit(caller, {
      spec: JobSpec.parse({ run: { kind: 'argv', argv: ['true'] }, cwd: '/', ...spec }),
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    });
    return job.id;
  }

  job(id: number): Job {
    return this.ledger.entry(id).job;
  }

  /** States of all tasks of a job that is in memory. */
  states(id: number): TaskStateName[] {
    return [...this.job(id).table.state].map((state) => TASK_STATES[state]!);
  }

  /** All ended jobs that nobody waits for leave memory. */
  evictAll(): void {
    this.clock.pass(1);
    this.ledger.evict(0);
  }
}

export const HELLO: HelloRequest = {
  worker: 'w',
  host: 'here',
  pid: 1,
  bootId: 'boot',
  resources: { cpus: 2, memoryBytes: 2 ** 30 },
  api: API_VERSION,
  version: 'test',
};

type Message<T extends StreamMessage['type']> = Extract<StreamMessage, { type: T }>;

interface Held {
  readonly job: number;
  readonly position: number;
}

/** The other end of one session, which says what a test tells it to. */
export class WorkerAtHand {
  readonly messages: StreamMessage[] = [];
  /** Fences that it was granted and has not reported on. */
  readonly held = new Map<number, Held>();
  sessionId = 0;
  #seq = 0;
  #ack = 0;
  #detach: (() => void) | undefined;
  closed = 0;
  readonly #at: LedgerAtHand;

  constructor(at: LedgerAtHand) {
    this.#at = at;
  }

  static async join(at: LedgerAtHand, hello: Partial<HelloRequest> = {}, caller = CALLER): Promise<WorkerAtHand> {
    const worker = new WorkerAtHand(at);
    const reply = await at.coordinator.hello(caller, { ...HELLO, ...hello });
    worker.sessionId = reply.sessionId;
    worker.#ack = reply.after ?? 0;
    worker.connect();
    await at.ledger.idle();
    return worker;
  }

  connect(): void {
    this.#detach = this.#at.coordinator.stream(CALLER, this.sessionId, this.#ack, {
      write: (line) => this.#receive(JSON.parse(line) as StreamMessage),
      close: () => {
        this.closed++;
      },
    });
  }

  disconnect(): void {
    this.#detach?.();
  }

  told<T extends StreamMessage['type']>(type: T): Message<T>[] {
    return this.messages.filter((message): message is Message<T> => message.type === type);
  }

  /** The fence under which it holds a task. */
  fenceOf(job: number, position: number): number {
    for (const [fence, held] of this.held) if (held.job === job && held.position === position) return fence;
    throw new Error(`task ${position} of job ${job} is not held`);
  }

  start(job: number, ...positions: number[]): Promise<ExchangeReply> {
    return this.say({ starts: { fences: positions.map((position) => this.fenceOf(job, position)) } });
  }

  /** Reports the end of tasks with an encoded outcome. */
  async end(job: number, positions: readonly number[], outcome = 0): Promise<ExchangeReply> {
    const fences = positions.map((position) => this.fenceOf(job, position));
    for (const fence of fences) this.held.delete(fence);
    const reply = await this.say({
      ends: { runs: fences.map((fence) => [fence, 1]), outcome: fences.map(() => outcome) },
    });
    await this.#at.ledger.idle();
    return reply;
  }

  /** One exchange with the true digest. */
  say(parts: Partial<ExchangeRequest> = {}): Promise<ExchangeReply> {
    return this.#at.coordinator.exchange(CALLER, this.sessionId, this.request(parts));
  }

  /** The next exchange, numbered, not sent. */
  request(parts: Partial<ExchangeRequest> = {}): ExchangeRequest {
    const fences = [...this.held.keys()];
    return {
      seq: ++this.#seq,
      ack: this.#ack,
      held: { count: fences.length, sum: fences.reduce((sum, fence) => (sum + fence) % 2 ** 48, 0) },
      ...parts,
    };
  }

  /** Tells all it holds, as after a reconnect. */
  async resync(started: readonly number[] = []): Promise<ExchangeReply> {
    const reply = await this.say({
      heldRuns: [...this.held.keys()].map((fence) => [fence, 1]),
      startedRuns: started.map((fence) => [fence, 1]),
    });
    await this.#at.ledger.idle();
    return reply;
  }

  #receive(message: StreamMessage): void {
    if (message.type !== 'ping') this.#ack = message.n;
    this.messages.push(message);
    if (message.type !== 'grant') return;
    for (const [fence, position, count] of message.runs)
      for (let at = 0; at < count; at++) this.held.set(fence + at, { job: message.job, position: position + at });
  }
}
