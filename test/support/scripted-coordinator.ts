import { createHash } from 'node:crypto';
import type { PeersReply } from '../../src/api/instance.ts';
import type {
  ExchangeReply,
  ExchangeRequest,
  FenceRun,
  GrantRun,
  HelloReply,
  HelloRequest,
  StreamMessage,
} from '../../src/api/session.ts';
import { SpawnError } from '../../src/core/errors.ts';
import type { CallOptions, WorkerClient } from '../../src/worker/client.ts';
import { expand, rowsOf, type TakenEnd } from './taken-ends.ts';

export { scriptedJob } from './scripted-job.ts';

type Unnumbered<M> = M extends { n: number } ? Omit<M, 'n'> : never;
type Numbered = Extract<StreamMessage, { n: number }>;

const SUM_MODULUS = 2n ** 48n;

/** A coordinator in memory that does what a test tells it, keeps the worker's protocol and notes where the worker does not. */
export class ScriptedCoordinator implements WorkerClient {
  leaseMs = 30_000;
  heartbeatMs = 10_000;
  sameHost = true;
  logDir: string | undefined;
  storeId = `test-${process.pid}-${Math.random().toString(36).slice(2)}`;
  readonly blobs = new Map<string, Uint8Array>();
  readonly hellos: HelloRequest[] = [];
  /** Every exchange that arrived, copies too. */
  readonly exchanges: ExchangeRequest[] = [];
  readonly ends: TakenEnd[] = [];
  readonly started = new Set<number>();
  readonly returned: number[] = [];
  readonly byes: number[] = [];
  /** What the worker did that the protocol does not allow. */
  readonly faults: string[] = [];
  /** So many next exchanges are taken in, and their replies lost. */
  loseReplies = 0;
  /** So many next exchanges are answered as deferred. */
  deferNext = 0;
  askResync = false;
  /** Every call fails with this while it is set. */
  failure: Error | undefined;
  /** No call is answered while it is set. */
  frozen = false;
  sessionId = 0;
  #nextFence = 1;
  #n = 0;
  #messages: Numbered[] = [];
  #held = new Set<number>();
  #open: { wake: () => void; abort: AbortController }[] = [];
  #seq = 0;
  #body = '';
  #reply: ExchangeReply | undefined;

  /** Fences granted and not over, as the coordinator sees it. */
  get held(): ReadonlySet<number> {
    return this.#held;
  }

  get streams(): number {
    return this.#open.length;
  }

  send(message: Unnumbered<StreamMessage>): void {
    this.#messages.push({ ...message, n: ++this.#n } as Numbered);
    for (const { wake } of this.#open) wake();
  }

  /** Grants `count` tasks of a job from a position on; gives the first fence. */
  grant(job: number, position: number, count: number, attempt: number | number[] = 1, lane = 0): number {
    const fence = this.#nextFence;
    this.#nextFence += count;
    for (let i = 0; i < count; i++) this.#held.add(fence + i);
    const runs: GrantRun[] = [[fence, position, count]];
    this.send({ type: 'grant', job, runs, attempt, ...(lane === 0 ? {} : { lane }) });
    return fence;
  }

  /** Sends the fences of a grant again in a message of its own, as a coordinator that is not sure does. */
  grantAgain(job: number, fence: number, position: number, count: number): void {
    this.send({ type: 'grant', job, runs: [[fence, position, count]], attempt: 1 });
  }

  drop(fences: FenceRun[]): void {
    for (const fence of expand(fences)) this.#held.delete(fence);
    this.send({ type: 'drop', fences });
  }

  breakStreams(): void {
    for (const { abort } of this.#open) abort.abort(new Error('the link broke'));
  }

  /** As a coordinator that gave the session up: everything it had is ready for others. */
  forgetSession(): void {
    this.sessionId += 1_000;
    this.#held.clear();
    this.#messages = [];
    this.#n = 0;
    this.breakStreams();
  }

  endOf(fence: number): TakenEnd | undefined {
    return this.ends.find((end) => end.fence === fence);
  }

  addBlob(text: string): string {
    const bytes = Buffer.from(text);
    const hash = createHash('sha256').update(bytes).digest('hex');
    this.blobs.set(hash, bytes);
    return hash;
  }

  async hello(request: HelloRequest): Promise<HelloReply> {
    await this.#admit();
    this.hellos.push(request);
    const resumed = this.sessionId > 0 && request.bound?.resume === this.sessionId && this.byes.length === 0;
    const after = this.#n + 1;
    if (resumed) this.#sendAgain();
    else this.sessionId += 1;
    this.#seq = 0;
    this.#reply = undefined;
    const { sessionId, leaseMs, heartbeatMs, sameHost, storeId, logDir } = this;
    const more = { ...(logDir === undefined ? {} : { logDir }), ...(resumed ? { resumed, after } : {}) };
    return { sessionId, leaseMs, heartbeatMs, sameHost, storeId, ...more };
  }

  /** To an agent that took a session over: what is open, numbered anew, and the last directive. */
  #sendAgain(): void {
    const said = this.#messages;
    this.#messages = [];
    this.#n += 1;
    this.started.clear();
    const isOpen = (message: Numbered) =>
      message.type === 'job' ||
      (message.type === 'grant' && message.runs.some(([fence]) => this.#held.has(fence))) ||
      (message.type === 'instance' && message === said.findLast(({ type }) => type === 'instance'));
    for (const message of said.filter(isOpen)) this.send(message);
  }

  async *stream(sessionId: number, after: number, options: CallOptions = {}): AsyncGenerator<StreamMessage> {
    await this.#admit(sessionId);
    const abort = new AbortController();
    options.signal?.addEventListener('abort', () => abort.abort(options.signal?.reason));
    let last = after;
    let wake = () => {};
    const entry = { wake: () => wake(), abort };
    this.#open.push(entry);
    abort.signal.addEventListener('abort', () => wake());
    try {
      while (!abort.signal.aborted) {
        const next = this.#messages.find(({ n }) => n > last);
        if (next === undefined) await new Promise<void>((resolve) => (wake = resolve));
        else {
          last = next.n;
          yield next;
        }
      }
      throw abort.signal.reason;
    } finally {
      this.#open = this.#open.filter((one) => one !== entry);
    }
  }

  async exchange(sessionId: number, request: ExchangeRequest, options: CallOptions = {}): Promise<ExchangeReply> {
    this.exchanges.push(request);
    await this.#admit(sessionId, options.signal);
    const reply = this.#take(request);
    if (this.loseReplies > 0) {
      this.loseReplies -= 1;
      throw new SpawnError('SERVER_UNREACHABLE', { address: 'nowhere', why: 'the reply was lost' });
    }
    return reply;
  }

  async bye(sessionId: number): Promise<void> {
    await this.#admit(sessionId);
    this.byes.push(sessionId);
  }

  /** What came of each segment, by `session/job/segment`. */
  readonly shipped = new Map<string, Uint8Array>();

  async putLog(sessionId: number, jobId: number, segment: number, offset: number, bytes: Uint8Array) {
    await this.#admit();
    const key = `${sessionId}/${jobId}/${segment}`;
    const before = this.shipped.get(key) ?? new Uint8Array();
    if (offset <= before.length) this.shipped.set(key, Buffer.concat([before.subarray(0, offset), bytes]));
    return { size: this.shipped.get(key)?.length ?? 0 };
  }

  peersReply: PeersReply = { version: 0, members: [] };
  peersAsked = 0;

  async peers(sessionId: number): Promise<PeersReply> {
    await this.#admit(sessionId);
    this.peersAsked += 1;
    return this.peersReply;
  }

  async getBlob(hash: string): Promise<Uint8Array> {
    await this.#admit();
    const bytes = this.blobs.get(hash);
    if (bytes === undefined) throw new SpawnError('FILE_NOT_FOUND', { path: hash });
    return bytes;
  }

  async putBlob(_: string, bytes: Uint8Array): Promise<{ hash: string }> {
    await this.#admit();
    const hash = createHash('sha256').update(bytes).digest('hex');
    this.blobs.set(hash, bytes);
    return { hash };
  }

  /** By `job/position`. */
  readonly checkpoints = new Map<string, Uint8Array>();

  async checkpoint(sessionId: number, fence: number, options: CallOptions = {}): Promise<Uint8Array | undefined> {
    await this.#admit(sessionId, options.signal);
    return this.checkpoints.get(this.#taskOf(fence));
  }

  async putCheckpoint(sessionId: number, fence: number, bytes: Uint8Array, options: CallOptions = {}): Promise<void> {
    await this.#admit(sessionId, options.signal);
    this.checkpoints.set(this.#taskOf(fence), bytes);
  }

  #taskOf(fence: number): string {
    for (const message of this.#messages) {
      if (message.type !== 'grant') continue;
      const run = message.runs.find(([base, , count]) => fence >= base && fence < base + count);
      if (run !== undefined) return `${message.job}/${run[1] + fence - run[0]}`;
    }
    throw new SpawnError('CONFLICT', { what: 'the fence', expected: 'the current one', found: fence });
  }

  async #admit(sessionId?: number, signal?: AbortSignal): Promise<void> {
    if (this.frozen) {
      await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    }
    if (this.failure !== undefined) throw this.failure;
    if (sessionId !== undefined && sessionId !== this.sessionId) {
      throw new SpawnError('SESSION_UNKNOWN', { session: sessionId });
    }
  }

  #take(request: ExchangeRequest): ExchangeReply {
    const body = JSON.stringify(request);
    const answer = { seq: request.seq, leaseMs: this.leaseMs, stale: 0, resync: false, deferred: false };
    if (request.seq === this.#seq && this.#reply !== undefined) {
      if (body !== this.#body) this.faults.push(`seq ${request.seq} came with another body`);
      return this.#reply;
    }
    if (request.seq !== this.#seq + 1) this.faults.push(`seq ${request.seq} came after ${this.#seq}`);
    if (this.deferNext > 0) {
      this.deferNext -= 1;
      return { ...answer, deferred: true };
    }
    this.#seq = request.seq;
    this.#body = body;
    for (const fence of request.starts?.fences ?? []) this.#start(fence);
    let stale = 0;
    for (const end of request.ends === undefined ? [] : rowsOf(request.ends)) {
      if (this.#held.delete(end.fence)) this.ends.push(end);
      else stale += 1;
    }
    for (const fence of expand(request.returned ?? [])) {
      if (this.started.has(fence)) this.faults.push(`${fence} was returned and had started`);
      if (this.#held.delete(fence)) this.returned.push(fence);
    }
    if (request.ack === this.#n) this.#compare(request);
    const resync = this.askResync;
    this.askResync = false;
    this.#reply = { ...answer, stale, resync };
    return this.#reply;
  }

  #start(fence: number): void {
    if (this.started.has(fence)) this.faults.push(`${fence} was said to start twice`);
    if (this.endOf(fence) !== undefined) this.faults.push(`${fence} was said to start after its end`);
    this.started.add(fence);
  }

  /** Who has taken in every message must hold the same. */
  #compare({ held, heldRuns }: ExchangeRequest): void {
    const sum = Number([...this.#held].reduce((total, fence) => total + BigInt(fence), 0n) % SUM_MODULUS);
    if (held.count !== this.#held.size || held.sum !== sum) {
      this.faults.push(`holds ${JSON.stringify(held)}, expected ${this.#held.size} with sum ${sum}`);
    }
    if (heldRuns !== undefined && [...expand(heldRuns)].join() !== [...this.#held].sort((a, b) => a - b).join()) {
      this.faults.push(`holds ${JSON.stringify(heldRuns)}, expected ${[...this.#held]}`);
    }
  }
}
