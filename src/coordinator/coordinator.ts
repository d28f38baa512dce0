import type {
  JobDelta,
  JobsQuery,
  JobsReply,
  JobView,
  LogQuery,
  Selection,
  SubmitReply,
  SubmitRequest,
  TasksQuery,
  TasksReply,
  UpdateRequest,
  VerbReply,
} from '../api/job.ts';
import { API_VERSION, MAX_BLOB_BYTES } from '../api/limits.ts';
import type {
  ExchangeReply,
  ExchangeRequest,
  HelloReply,
  HelloRequest,
  ServerView,
  SessionView,
} from '../api/session.ts';
import { SpawnError } from '../core/errors.ts';
import { countGrants } from './exchange.ts';
import { type CoordinatorPorts, Ledger } from './ledger.ts';
import { AlarmLoop } from './loops/alarms.ts';
import { every } from './loops/every.ts';
import { LeaseLoop } from './loops/leases.ts';
import { ProbeLoop } from './loops/probe.ts';
import { ReclaimLoop } from './loops/reclaim.ts';
import type { SessionEntry } from './memory.ts';
import { listJobs, readJob, readLogs, readTasks, watchJob } from './reading.ts';
import type { SessionDetail } from './restore.ts';
import { Sessions } from './sessions.ts';
import { submitJob } from './submitting.ts';
import type { Caller, StreamSink, UseCases } from './use-cases.ts';
import { applyVerb, updateJob } from './verbs.ts';

const EVICT_AGE_MS = 2_000;

/** A session as the local pool needs to know it. */
export interface SessionFacts {
  id: number;
  instance: string;
  pid: number;
  forkerPid: number;
  host: string;
  bootId: string;
  connected: boolean;
}

/** The only writer of job and task state. */
export class Coordinator implements UseCases {
  readonly #ledger: Ledger;
  readonly #sessions: Sessions;
  readonly #startedAt: number;
  #loops: (() => void)[] = [];

  /** Use createCoordinator: the ledger must be loaded. */
  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.#sessions = new Sessions(ledger);
    this.#startedAt = ledger.ports.clock.now();
  }

  /** Starts what happens by time. `failed` hears what a loop could not do; it is tried again. */
  start(failed: (error: unknown) => void = () => {}): void {
    const { clock } = this.#ledger.ports;
    const alarms = new AlarmLoop(this.#ledger);
    const leases = new LeaseLoop(this.#ledger, this.#sessions);
    const probe = new ProbeLoop(this.#ledger);
    const reclaim = new ReclaimLoop(this.#ledger);
    const { earliest } = this.#ledger.memory.alarms;
    if (earliest !== undefined) this.#ledger.alarmSet(earliest);
    this.#loops = [
      () => alarms.stop(),
      every(clock, 1_000, () => leases.runOnce(), failed),
      every(
        clock,
        1_000,
        () => probe.runOnce(),
        () => {},
      ),
      every(clock, 250, () => reclaim.runOnce(), failed),
      every(clock, 1_000, () => this.#ledger.evict(EVICT_AGE_MS), failed),
    ];
  }

  /** Stops the loops, lets what is under way become durable, and ends every stream. */
  async stop(): Promise<void> {
    for (const stop of this.#loops) stop();
    this.#loops = [];
    await this.#ledger.idle();
    for (const link of this.#ledger.links.values()) link.close();
  }

  submit(caller: Caller, request: SubmitRequest): Promise<SubmitReply> {
    return submitJob(this.#ledger, caller, request);
  }

  jobs(_caller: Caller, query: JobsQuery): Promise<JobsReply> {
    return listJobs(this.#ledger, query);
  }

  job(_caller: Caller, ref: string): Promise<JobView> {
    return readJob(this.#ledger, ref);
  }

  tasks(_caller: Caller, ref: string, query: TasksQuery): Promise<TasksReply> {
    return readTasks(this.#ledger, ref, query);
  }

  cancel(_caller: Caller, ref: string, selection: Selection): Promise<VerbReply> {
    return applyVerb(this.#ledger, 'cancel', ref, selection);
  }

  retry(_caller: Caller, ref: string, selection: Selection): Promise<VerbReply> {
    return applyVerb(this.#ledger, 'retry', ref, selection);
  }

  requeue(_caller: Caller, ref: string, selection: Selection): Promise<VerbReply> {
    return applyVerb(this.#ledger, 'requeue', ref, selection);
  }

  hold(_caller: Caller, ref: string, selection: Selection): Promise<VerbReply> {
    return applyVerb(this.#ledger, 'hold', ref, selection);
  }

  release(_caller: Caller, ref: string, selection: Selection): Promise<VerbReply> {
    return applyVerb(this.#ledger, 'release', ref, selection);
  }

  update(_caller: Caller, ref: string, request: UpdateRequest): Promise<VerbReply> {
    return updateJob(this.#ledger, ref, request);
  }

  watch(_caller: Caller, ref: string, listener: (delta: JobDelta) => void): Promise<() => void> {
    return watchJob(this.#ledger, ref, listener);
  }

  logs(_caller: Caller, ref: string, query: LogQuery, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    return readLogs(this.#ledger, ref, query, signal);
  }

  async putBlob(_caller: Caller, kind: 'script' | 'env', bytes: Uint8Array): Promise<{ hash: string }> {
    if (bytes.length > MAX_BLOB_BYTES)
      throw new SpawnError('BODY_TOO_LARGE', { max: MAX_BLOB_BYTES, found: bytes.length });
    return { hash: await this.#ledger.ports.blobs.put(kind, bytes) };
  }

  async getBlob(_caller: Caller, hash: string): Promise<Uint8Array> {
    const found = await this.#ledger.ports.blobs.get(hash);
    if (found === undefined) throw new SpawnError('FILE_NOT_FOUND', { path: hash });
    return found.bytes;
  }

  server(_caller: Caller): Promise<ServerView> {
    const { options, store } = this.#ledger.ports;
    return this.#ledger.read((memory) => ({
      version: options.version,
      api: API_VERSION,
      pid: process.pid,
      host: options.host,
      storeId: store.storeId,
      epoch: store.epoch,
      dataDir: options.dataDir,
      startedAt: this.#startedAt,
      liveJobs: memory.jobs.size - memory.ended.size,
      writable: this.#ledger.writable,
      counters: { ...this.#ledger.counters },
      sessions: [...memory.sessions.values()].map(viewSession),
    }));
  }

  hello(caller: Caller, request: HelloRequest): Promise<HelloReply> {
    return this.#sessions.hello(caller, request);
  }

  stream(_caller: Caller, sessionId: number, after: number, sink: StreamSink): () => void {
    return this.#sessions.stream(sessionId, after, sink);
  }

  exchange(_caller: Caller, sessionId: number, request: ExchangeRequest): Promise<ExchangeReply> {
    return this.#sessions.exchange(sessionId, request);
  }

  bye(_caller: Caller, sessionId: number): Promise<void> {
    return this.#sessions.bye(sessionId);
  }

  sessions(): SessionFacts[] {
    return [...this.#ledger.memory.sessions.values()].map(({ session, row }) => {
      const { bootId, forkerPid } = JSON.parse(row.detail) as SessionDetail;
      const { instance, pid, host } = row;
      return { id: session.id, instance, pid, forkerPid, host, bootId, connected: session.connected };
    });
  }

  /** A provider confirmed that the session's machine is gone. */
  loseSession(sessionId: number, reason: string): Promise<void> {
    return this.#sessions.lose(sessionId, reason);
  }

  onSessionDisconnected(listener: (sessionId: number) => void): void {
    this.#sessions.onDisconnected(listener);
  }
}

export async function createCoordinator(ports: CoordinatorPorts): Promise<Coordinator> {
  const ledger = new Ledger(ports);
  await ledger.load();
  return new Coordinator(ledger);
}

function viewSession({ session, row }: SessionEntry): SessionView {
  return {
    id: session.id,
    worker: session.worker,
    host: row.host,
    pid: row.pid,
    resources: { cpus: session.cpus, memoryBytes: session.memoryBytes },
    freeCpus: Math.max(0, session.freeCpus),
    ...countGrants(session),
    connected: session.connected,
    draining: session.draining,
    openedAt: row.openedAt,
  };
}
