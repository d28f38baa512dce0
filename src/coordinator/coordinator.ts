import type { BlobKind } from '../api/http.ts';
import { API_VERSION, MAX_ARRAY_SIZE, MAX_BLOB_BYTES } from '../api/limits.ts';
import type { ServerView } from '../api/server-view.ts';
import { SpawnError } from '../core/errors.ts';
import { createAlert, deleteAlert, listAlerts, listDeliveries, testAlert } from './alerts/alerts.ts';
import { type AlertLoops, startAlerts } from './alerts/loops.ts';
import { readBatches } from './data/batches.ts';
import { putCheckpoint, readCheckpoint } from './data/checkpoints.ts';
import { readResults } from './data/results.ts';
import { diffLogs } from './diff-logs.ts';
import { listEvents, watchEvents } from './events.ts';
import { exportSpec } from './export-spec.ts';
import { grepLogs } from './grep-logs.ts';
import { watchGrid } from './grid.ts';
import { readHistory } from './history.ts';
import { readBudget, setBudget } from './instances/budgets.ts';
import { readCost } from './instances/cost.ts';
import { listInstances } from './instances/list.ts';
import { startInstances } from './instances/loops.ts';
import { DEFAULT_DOMAIN } from './instances/ports.ts';
import { readPeers } from './instances/read-peers.ts';
import { resizeArray } from './instances/resize.ts';
import { applyInstanceVerb } from './instances/verbs.ts';
import { readScript } from './job-script.ts';
import { Ledger } from './ledger.ts';
import { takeLogPiece } from './log-pieces.ts';
import { AlarmLoop } from './loops/alarms.ts';
import { every } from './loops/every.ts';
import { LeaseLoop } from './loops/leases.ts';
import { ProbeLoop } from './loops/probe.ts';
import { ReclaimLoop } from './loops/reclaim.ts';
import { hideEnvironment, withOwnName } from './ownership.ts';
import type { CoordinatorPorts } from './ports.ts';
import { pruneJobs } from './prune.ts';
import { readQueue } from './queue-view.ts';
import { listJobs, readJob, readLogs, readTasks, watchJob } from './reading.ts';
import { ownRef } from './refs.ts';
import type { SessionDetail } from './restore.ts';
import { Sessions } from './sessions.ts';
import { signalTasks } from './signal.ts';
import { submitJob } from './submitting.ts';
import { summarise } from './summary.ts';
import { Tokens } from './tokens.ts';
import { updateJob } from './update.ts';
import type { Caller, UseCases } from './use-cases.ts';
import { applyVerb } from './verbs.ts';
import { viewSession } from './view-session.ts';
import { explainWhy } from './why.ts';
import { readGraph } from './workflows/graph.ts';
import { readWorkflow } from './workflows/read.ts';
import { submitWorkflow } from './workflows/submit.ts';
import { applyToWorkflow } from './workflows/verbs.ts';

const EVICT_AGE_MS = 2_000;

/** A session as the local pool needs to know it. */
export interface SessionFacts {
  id: number;
  instance: string;
  pid: number;
  forkerPid: number;
  host: string;
  bootId: string;
  /** See Caller. */
  sameHost: boolean;
  connected: boolean;
}

/** The only writer of job and task state. */
export class Coordinator implements UseCases {
  readonly #ledger: Ledger;
  readonly #sessions: Sessions;
  readonly #tokens: Tokens;
  readonly #startedAt: number;
  #loops: (() => void)[] = [];
  #alerts: AlertLoops | undefined;

  /** Use createCoordinator: the ledger must be loaded. */
  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.#sessions = new Sessions(ledger);
    this.#tokens = new Tokens(ledger);
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
      every(clock, 1_000, () => this.#tokens.expire(), failed),
      every(clock, 1_000, () => this.#ledger.evict(EVICT_AGE_MS), failed),
      startInstances(this.#ledger, this.#sessions, failed),
    ];
    this.#alerts = startAlerts(this.#ledger, failed);
  }

  /** Stops the loops, lets what is under way become durable, and ends every stream. */
  async stop(): Promise<void> {
    for (const stop of this.#loops) stop();
    this.#loops = [];
    await this.#alerts?.stop();
    await this.#ledger.idle();
    for (const link of this.#ledger.links.values()) link.close();
  }

  submit: UseCases['submit'] = (caller, request) => submitJob(this.#ledger, caller, request);
  submitWorkflow: UseCases['submitWorkflow'] = (caller, request) => submitWorkflow(this.#ledger, caller, request);
  workflow: UseCases['workflow'] = (caller, ref) => readWorkflow(this.#ledger, caller, ref);
  workflowVerb: UseCases['workflowVerb'] = (caller, verb, ref, selection) =>
    applyToWorkflow(this.#ledger, caller, verb, ref, selection);
  graph: UseCases['graph'] = (caller, ref) => readGraph(this.#ledger, this.#own(caller, ref));
  jobs: UseCases['jobs'] = (_caller, query) => listJobs(this.#ledger, query);
  job: UseCases['job'] = (caller, ref) => readJob(this.#ledger, this.#own(caller, ref));
  tasks: UseCases['tasks'] = (caller, ref, query) => readTasks(this.#ledger, this.#own(caller, ref), query);
  queue: UseCases['queue'] = (caller, query) =>
    readQueue(this.#ledger, withOwnName(query, caller), (ref) => this.#own(caller, ref));
  history: UseCases['history'] = (caller, query) => {
    const whose = query.mine === '1' ? { ...query, owners: caller.owner } : withOwnName(query, caller);
    return readHistory(this.#ledger, whose, (ref) => this.#own(caller, ref));
  };
  summary: UseCases['summary'] = (caller, ref) => summarise(this.#ledger, this.#own(caller, ref));
  why: UseCases['why'] = (caller, ref) => explainWhy(this.#ledger, this.#own(caller, ref));
  events: UseCases['events'] = (caller, query) => listEvents(this.#ledger, this.#ownIn(caller, query));
  watchEvents: UseCases['watchEvents'] = (caller, query, tell) =>
    watchEvents(this.#ledger, this.#ownIn(caller, query), tell);
  spec: UseCases['spec'] = async (caller, ref) => {
    const reply = await exportSpec(this.#ledger, this.#own(caller, ref));
    return caller.role === 'admin' ? reply : hideEnvironment(reply, caller, await readJob(this.#ledger, `${reply.id}`));
  };
  script: UseCases['script'] = (caller, ref) => readScript(this.#ledger, caller, this.#own(caller, ref));

  cancel: UseCases['cancel'] = (caller, ref, which) =>
    applyVerb(this.#ledger, caller, 'cancel', this.#own(caller, ref), which);
  retry: UseCases['retry'] = (caller, ref, request) =>
    applyVerb(this.#ledger, caller, 'retry', this.#own(caller, ref), request);
  requeue: UseCases['requeue'] = (caller, ref, which) =>
    applyVerb(this.#ledger, caller, 'requeue', this.#own(caller, ref), which);
  hold: UseCases['hold'] = (caller, ref, which) =>
    applyVerb(this.#ledger, caller, 'hold', this.#own(caller, ref), which);
  release: UseCases['release'] = (caller, ref, which) =>
    applyVerb(this.#ledger, caller, 'release', this.#own(caller, ref), which);
  suspend: UseCases['suspend'] = (caller, ref, which) =>
    applyVerb(this.#ledger, caller, 'suspend', this.#own(caller, ref), which);
  resume: UseCases['resume'] = (caller, ref, which) =>
    applyVerb(this.#ledger, caller, 'resume', this.#own(caller, ref), which);
  signal: UseCases['signal'] = (caller, ref, request) =>
    signalTasks(this.#ledger, caller, this.#own(caller, ref), request);
  update: UseCases['update'] = (caller, ref, request) =>
    updateJob(this.#ledger, caller, this.#own(caller, ref), request);
  prune: UseCases['prune'] = (_caller, request) => pruneJobs(this.#ledger, request);

  watch: UseCases['watch'] = (caller, ref, tell) => watchJob(this.#ledger, this.#own(caller, ref), tell);
  watchGrid: UseCases['watchGrid'] = (caller, ref, cells, tell) =>
    watchGrid(this.#ledger, this.#own(caller, ref), cells, tell);
  logs: UseCases['logs'] = (caller, ref, query, signal) =>
    readLogs(this.#ledger, this.#own(caller, ref), query, signal);
  results: UseCases['results'] = (caller, ref, query, signal) =>
    readResults(this.#ledger, this.#own(caller, ref), query, signal);
  batches: UseCases['batches'] = (caller, ref, query) => readBatches(this.#ledger, this.#own(caller, ref), query);
  grep: UseCases['grep'] = (caller, ref, query, signal) =>
    grepLogs(this.#ledger, this.#own(caller, ref), query, signal);
  diffLogs: UseCases['diffLogs'] = (caller, ref, query, signal) =>
    diffLogs(this.#ledger, this.#own(caller, ref), query, signal);

  createAlert: UseCases['createAlert'] = (caller, request) => createAlert(this.#ledger, caller, request);
  alerts: UseCases['alerts'] = (caller, query) => listAlerts(this.#ledger, caller, query);
  deleteAlert: UseCases['deleteAlert'] = (caller, id) => deleteAlert(this.#ledger, caller, id);
  testAlert: UseCases['testAlert'] = (caller, id) => testAlert(this.#ledger, this.#alerts, caller, id);
  deliveries: UseCases['deliveries'] = (caller, query) => listDeliveries(this.#ledger, caller, query);

  createToken: UseCases['createToken'] = (caller, request) => this.#tokens.create(caller, request);
  tokens: UseCases['tokens'] = (_caller, query) => this.#tokens.list(query);
  revokeToken: UseCases['revokeToken'] = (caller, ref) => this.#tokens.revoke(caller, ref);
  authenticate: UseCases['authenticate'] = async (token) => this.#tokens.authenticate(token);
  onTokenEnded: UseCases['onTokenEnded'] = (listener) => this.#tokens.onEnded(listener);

  async putBlob(_caller: Caller, kind: BlobKind, bytes: Uint8Array): Promise<{ hash: string }> {
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
    const { options, store, instances } = this.#ledger.ports;
    const dns = instances?.dnsServer?.();
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
      maxArraySize: options.maxArraySize ?? MAX_ARRAY_SIZE,
      ...(dns === undefined ? {} : { dns: { ...dns, domain: instances?.domain ?? DEFAULT_DOMAIN } }),
      counters: { ...this.#ledger.counters },
      sessions: [...memory.sessions.values()].filter(({ bound }) => bound === undefined).map(viewSession),
    }));
  }

  instances: UseCases['instances'] = (_caller, query) => listInstances(this.#ledger, query);
  instanceVerb: UseCases['instanceVerb'] = (caller, verb, request) =>
    applyInstanceVerb(this.#ledger, caller, verb, request);
  resize: UseCases['resize'] = (caller, ref, count) => resizeArray(this.#ledger, caller, this.#own(caller, ref), count);
  cost: UseCases['cost'] = (caller, { job, ...query }) =>
    readCost(this.#ledger, job === undefined ? query : { ...query, job: this.#own(caller, job) });
  budget: UseCases['budget'] = (caller) => readBudget(this.#ledger, caller);
  setBudget: UseCases['setBudget'] = (caller, request) => setBudget(this.#ledger, caller, request);
  peers: UseCases['peers'] = (caller, sessionId) => readPeers(this.#ledger, caller, sessionId);

  hello: UseCases['hello'] = (caller, request) => this.#sessions.hello(caller, request);
  stream: UseCases['stream'] = (caller, id, after, sink) => this.#sessions.stream(caller, id, after, sink);
  exchange: UseCases['exchange'] = (caller, id, request) => this.#sessions.exchange(caller, id, request);
  bye: UseCases['bye'] = (caller, id) => this.#sessions.bye(caller, id);
  putCheckpoint: UseCases['putCheckpoint'] = (caller, sessionId, fence, chunks) =>
    putCheckpoint(this.#ledger, caller, sessionId, fence, chunks);
  checkpoint: UseCases['checkpoint'] = (caller, sessionId, fence) =>
    readCheckpoint(this.#ledger, caller, sessionId, fence);
  putLog: UseCases['putLog'] = (caller, sessionId, jobId, segment, offset, bytes) =>
    takeLogPiece(this.#ledger, caller, { jobId, sessionId, segment }, offset, bytes);

  sessions(): SessionFacts[] {
    const ofPool = [...this.#ledger.memory.sessions.values()].filter(({ bound }) => bound === undefined);
    return ofPool.map(({ session, row }) => {
      const { bootId, forkerPid, sameHost } = JSON.parse(row.detail) as SessionDetail;
      const { instance, pid, host } = row;
      return { id: session.id, instance, pid, forkerPid, host, bootId, sameHost, connected: session.connected };
    });
  }

  #own(caller: Caller, ref: string): string {
    return ownRef(this.#ledger.memory, caller, ref);
  }

  #ownIn<T extends { ref?: string | undefined }>(caller: Caller, query: T): T {
    return query.ref === undefined ? query : { ...query, ref: this.#own(caller, query.ref) };
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
