import type { JobDelta, LogQuery, VerbReply } from '../../src/api/job.ts';
import { JobSpec } from '../../src/api/job-spec.ts';
import type { Caller, StreamSink, UseCases } from '../../src/coordinator/use-cases.ts';
import { SpawnError } from '../../src/core/errors.ts';
import { ALERT, DELIVERY, delta, JOB, NO_COST, SERVER } from './fake-replies.ts';
import { FakeWorkflows } from './fake-workflows.ts';

/**
 * Answers what a test tells it to and notes what it was asked: for tests of the door alone. It knows one job, 12, and one
 * session, 7.
 */
export class FakeUseCases extends FakeWorkflows implements UseCases {
  /** Listeners of watches that were not stopped. */
  readonly watchers = new Set<(delta: JobDelta) => void>();
  /** Sinks of streams that were not detached. */
  readonly sinks = new Set<StreamSink>();
  /** What a watch tells at once. */
  first: JobDelta | undefined = delta();
  /** Written into a stream before it is answered. */
  replayed: string[] = [];
  readonly blobs = new Map<string, Uint8Array>();
  logChunks: (query: LogQuery, signal: AbortSignal) => AsyncIterable<Uint8Array> = async function* () {};

  #session(id: number): void {
    if (id !== 7) throw new SpawnError('SESSION_UNKNOWN', { session: id });
  }

  async #verb(name: string, caller: Caller, ref: string, request: unknown): Promise<VerbReply> {
    this.note(name, caller, ref, request);
    this.known(ref);
    return { job: JOB, tasks: 3 };
  }

  submit: UseCases['submit'] = async (caller, request) => {
    this.note('submit', caller, request);
    return { job: JOB, replayed: false, dryRun: request.dryRun ?? false };
  };

  jobs: UseCases['jobs'] = async (caller, query) => {
    this.note('jobs', caller, query);
    return { jobs: [JOB] };
  };

  job: UseCases['job'] = async (caller, ref) => {
    this.note('job', caller, ref);
    this.known(ref);
    return JOB;
  };

  tasks: UseCases['tasks'] = async (caller, ref, query) => {
    this.note('tasks', caller, ref, query);
    this.known(ref);
    return { tasks: [] };
  };

  cancel: UseCases['cancel'] = (caller, ref, selection) => this.#verb('cancel', caller, ref, selection);
  retry: UseCases['retry'] = (caller, ref, selection) => this.#verb('retry', caller, ref, selection);
  requeue: UseCases['requeue'] = (caller, ref, selection) => this.#verb('requeue', caller, ref, selection);
  hold: UseCases['hold'] = (caller, ref, selection) => this.#verb('hold', caller, ref, selection);
  release: UseCases['release'] = (caller, ref, selection) => this.#verb('release', caller, ref, selection);
  suspend: UseCases['suspend'] = (caller, ref, selection) => this.#verb('suspend', caller, ref, selection);
  resume: UseCases['resume'] = (caller, ref, selection) => this.#verb('resume', caller, ref, selection);
  signal: UseCases['signal'] = (caller, ref, request) => this.#verb('signal', caller, ref, request);
  update: UseCases['update'] = (caller, ref, request) => this.#verb('update', caller, ref, request);

  watch: UseCases['watch'] = async (caller, ref, listener) => {
    this.note('watch', caller, ref);
    this.known(ref);
    this.watchers.add(listener);
    if (this.first !== undefined) listener(this.first);
    return () => this.watchers.delete(listener);
  };

  tell(change: JobDelta): void {
    for (const listener of this.watchers) listener(change);
  }

  logs: UseCases['logs'] = async (caller, ref, query, signal) => {
    this.note('logs', caller, ref, query);
    this.known(ref);
    return this.logChunks(query, signal);
  };

  putBlob: UseCases['putBlob'] = async (caller, kind, bytes) => {
    this.note('putBlob', caller, kind, bytes.length);
    const hash = 'a'.repeat(64);
    this.blobs.set(hash, Uint8Array.from(bytes));
    return { hash };
  };

  getBlob: UseCases['getBlob'] = async (caller, hash) => {
    this.note('getBlob', caller, hash);
    const bytes = this.blobs.get(hash);
    if (bytes === undefined) throw new SpawnError('FILE_NOT_FOUND', { path: hash });
    return bytes;
  };

  server: UseCases['server'] = async (caller) => {
    this.note('server', caller);
    return SERVER;
  };

  hello: UseCases['hello'] = async (caller, request) => {
    this.note('hello', caller, request);
    return { sessionId: 7, leaseMs: 30_000, heartbeatMs: 5_000, sameHost: caller.sameHost, storeId: 's1' };
  };

  stream: UseCases['stream'] = (caller, sessionId, after, sink) => {
    this.note('stream', caller, sessionId, after);
    this.#session(sessionId);
    this.sinks.add(sink);
    for (const line of this.replayed) sink.write(line);
    return () => this.sinks.delete(sink);
  };

  exchange: UseCases['exchange'] = async (caller, sessionId, request) => {
    this.note('exchange', caller, sessionId, request);
    this.#session(sessionId);
    return { seq: request.seq, leaseMs: 30_000, stale: 0, resync: false, deferred: false };
  };

  bye: UseCases['bye'] = async (caller, sessionId) => {
    this.note('bye', caller, sessionId);
    this.#session(sessionId);
  };

  summary: UseCases['summary'] = async (caller, ref) => {
    this.note('summary', caller, ref);
    this.known(ref);
    return { job: JOB, failures: [], slowest: [], longestRunning: [], retriedTasks: 0 };
  };

  why: UseCases['why'] = async (caller, ref) => {
    this.note('why', caller, ref);
    this.known(ref);
    return { ref, job: JOB, blockers: [] };
  };

  events: UseCases['events'] = async (caller, query) => {
    this.note('events', caller, query);
    return { events: [] };
  };

  /** Listeners of watched events that were not stopped. */
  readonly eventWatchers = new Set<Parameters<UseCases['watchEvents']>[2]>();

  watchEvents: UseCases['watchEvents'] = async (caller, query, listener) => {
    this.note('watchEvents', caller, query);
    this.eventWatchers.add(listener);
    return () => this.eventWatchers.delete(listener);
  };

  spec: UseCases['spec'] = async (caller, ref) => {
    this.note('spec', caller, ref);
    this.known(ref);
    return { id: 12, spec: JobSpec.parse({ run: { kind: 'argv', argv: ['true'] }, cwd: '/' }) };
  };

  script: UseCases['script'] = async (caller, ref) => {
    this.note('script', caller, ref);
    this.known(ref);
    return Buffer.from('#!/bin/sh\n');
  };

  /** Listeners of watched grids that were not stopped. */
  readonly gridWatchers = new Set<Parameters<UseCases['watchGrid']>[3]>();

  watchGrid: UseCases['watchGrid'] = async (caller, ref, cells, listener) => {
    this.note('watchGrid', caller, ref, cells);
    this.known(ref);
    this.gridWatchers.add(listener);
    return () => this.gridWatchers.delete(listener);
  };

  grep: UseCases['grep'] = async (caller, ref, query, signal) => {
    this.note('grep', caller, ref, query);
    this.known(ref);
    return this.logChunks({ ...query, follow: false }, signal);
  };

  diffLogs: UseCases['diffLogs'] = async (caller, ref, query) => {
    this.note('diffLogs', caller, ref, query);
    this.known(ref);
    return { lines: [], failedRead: 0, completedRead: 0, sampled: false };
  };

  prune: UseCases['prune'] = async (caller, request) => {
    this.note('prune', caller, request);
    return { jobs: 0, tasks: 0, bytes: 0, dryRun: request.dryRun };
  };

  instances: UseCases['instances'] = async (caller, query) => {
    this.note('instances', caller, query);
    return { instances: [] };
  };

  instanceVerb: UseCases['instanceVerb'] = async (caller, verb, request) => {
    this.note('instanceVerb', caller, verb, request);
    return { members: [] };
  };

  resize: UseCases['resize'] = async (caller, ref, count) => {
    this.note('resize', caller, ref, count);
    this.known(ref);
    return { members: [] };
  };

  cost: UseCases['cost'] = async (caller, query) => {
    this.note('cost', caller, query);
    return NO_COST;
  };

  budget: UseCases['budget'] = async (caller) => {
    this.note('budget', caller);
    return { owner: caller.owner, period: 'month', spent: 0, rate: 0 };
  };

  setBudget: UseCases['setBudget'] = async (caller, request) => {
    this.note('setBudget', caller, request);
    const { amount, period } = request;
    return { owner: caller.owner, period, spent: 0, rate: 0, ...(amount === null ? {} : { amount, setAt: 1 }) };
  };

  peers: UseCases['peers'] = async (caller, sessionId) => {
    this.note('peers', caller, sessionId);
    this.#session(sessionId);
    return { version: 1, members: [] };
  };

  createAlert: UseCases['createAlert'] = async (caller, request) => {
    this.note('createAlert', caller, request);
    return ALERT;
  };

  alerts: UseCases['alerts'] = async (caller, query) => {
    this.note('alerts', caller, query);
    return { alerts: [ALERT] };
  };

  deleteAlert: UseCases['deleteAlert'] = async (caller, id) => {
    this.note('deleteAlert', caller, id);
    return ALERT;
  };

  testAlert: UseCases['testAlert'] = async (caller, id) => {
    this.note('testAlert', caller, id);
    return DELIVERY;
  };

  deliveries: UseCases['deliveries'] = async (caller, query) => {
    this.note('deliveries', caller, query);
    return { deliveries: [DELIVERY] };
  };

  createToken: UseCases['createToken'] = async (caller, request) => {
    this.note('createToken', caller, request);
    const { name, role, owner = name } = request;
    return { token: 'a-token', view: { id: 1, name, role, owner, createdAt: 1 } };
  };

  tokens: UseCases['tokens'] = async (caller, query) => {
    this.note('tokens', caller, query);
    return { tokens: [] };
  };

  revokeToken: UseCases['revokeToken'] = async (caller, ref) => {
    this.note('revokeToken', caller, ref);
    return { id: 1, name: ref, role: 'read', owner: ref, createdAt: 1, revokedAt: 2 };
  };

  /** By token. */
  readonly bearers = new Map<string, Caller>();

  authenticate: UseCases['authenticate'] = async (token) => {
    const caller = this.bearers.get(token);
    if (caller === undefined) throw new SpawnError('UNAUTHENTICATED', {});
    return caller;
  };

  /** Told of tokens that are valid no more. */
  readonly tokenListeners = new Set<(token: number) => void>();

  onTokenEnded: UseCases['onTokenEnded'] = (listener) => {
    this.tokenListeners.add(listener);
  };

  putLog: UseCases['putLog'] = async (caller, sessionId, jobId, segment, offset, bytes) => {
    this.note('putLog', caller, sessionId, jobId, segment, offset, bytes.length);
    this.#session(sessionId);
    return { size: offset + bytes.length };
  };
}
