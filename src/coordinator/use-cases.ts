import type {
  CreateTokenReply,
  CreateTokenRequest,
  LogPieceReply,
  PruneReply,
  PruneRequest,
  Role,
  TokensQuery,
  TokensReply,
  TokenView,
} from '../api/access.ts';
import type {
  AlertsQuery,
  AlertsReply,
  AlertView,
  CreateAlertRequest,
  DeliveriesQuery,
  DeliveriesReply,
  DeliveryView,
} from '../api/alert.ts';
import type { HistoryQuery, HistoryReply } from '../api/history.ts';
import type { BlobKind } from '../api/http.ts';
import type {
  EventsQuery,
  EventsReply,
  EventView,
  GrepQuery,
  GridDelta,
  LogDiffQuery,
  LogDiffReply,
  SpecReply,
  SummaryReply,
  WhyReply,
} from '../api/insight.ts';
import type {
  InstancesQuery,
  InstancesReply,
  InstanceVerb,
  InstanceVerbReply,
  InstanceVerbRequest,
  PeersReply,
} from '../api/instance.ts';
import type { BudgetRequest, BudgetView, CostQuery, CostReply } from '../api/instance-money.ts';
import type {
  JobDelta,
  JobsQuery,
  JobsReply,
  JobView,
  LogQuery,
  RequeueRequest,
  RetryRequest,
  Selection,
  SignalRequest,
  SubmitReply,
  SubmitRequest,
  TasksQuery,
  TasksReply,
  UpdateRequest,
  VerbReply,
} from '../api/job.ts';
import type { QueueQuery, QueueReply } from '../api/queue.ts';
import type { BatchesQuery, BatchesReply, ResultsQuery } from '../api/results.ts';
import type { ServerView } from '../api/server-view.ts';
import type { ExchangeReply, ExchangeRequest, HelloReply, HelloRequest } from '../api/session.ts';
import type {
  GraphReply,
  WorkflowReply,
  WorkflowRequest,
  WorkflowSelection,
  WorkflowVerb,
  WorkflowVerbReply,
  WorkflowView,
} from '../api/workflow.ts';

/** Who asks, as the server's door found out. */
export interface Caller {
  /** Embedded: the user's uid as text. */
  owner: string;
  tenant: string;
  /** Came through the Unix socket, so caller and coordinator share a kernel. */
  sameHost: boolean;
  /** What it may do; who comes through the Unix socket is admin. The server's door checks it route by route. */
  role: Role;
  /** Number of the token that it bears; none through the Unix socket. */
  token?: number;
}

/** Where a session's stream messages go: one line of JSON each. */
export interface StreamSink {
  write(line: string): void;
  /** The coordinator ends the stream; the worker reconnects unless its session is over. */
  close(): void;
}

/** All that the coordinator does, one method a use case. Replies come only after what they tell is durable. */
export interface UseCases {
  submit(caller: Caller, request: SubmitRequest): Promise<SubmitReply>;
  /** All of its jobs in one change, or none. */
  submitWorkflow(caller: Caller, request: WorkflowRequest): Promise<WorkflowReply>;
  /** `ref`: the name of a workflow, or any of its jobs. */
  workflow(caller: Caller, ref: string): Promise<WorkflowView>;
  /** On all jobs of a workflow, in one change. */
  workflowVerb(
    caller: Caller,
    verb: WorkflowVerb,
    ref: string,
    selection: WorkflowSelection,
  ): Promise<WorkflowVerbReply>;
  /** A job with all that it is tied to, directly or through others. */
  graph(caller: Caller, ref: string): Promise<GraphReply>;
  jobs(caller: Caller, query: JobsQuery): Promise<JobsReply>;
  /** `ref`: a number, an array id or a name. */
  job(caller: Caller, ref: string): Promise<JobView>;
  tasks(caller: Caller, ref: string, query: TasksQuery): Promise<TasksReply>;
  /** What waits, in groups, and what runs or ended a moment ago, task by task. */
  queue(caller: Caller, query: QueueQuery): Promise<QueueReply>;
  /** The same of all that ever was, attempts one by one. */
  history(caller: Caller, query: HistoryQuery): Promise<HistoryReply>;
  /** `ref` may also name tasks: `12_7`, `12_[1,3-5]`; so for all verbs. */
  cancel(caller: Caller, ref: string, selection: Selection): Promise<VerbReply>;
  retry(caller: Caller, ref: string, request: RetryRequest): Promise<VerbReply>;
  requeue(caller: Caller, ref: string, request: RequeueRequest): Promise<VerbReply>;
  hold(caller: Caller, ref: string, selection: Selection): Promise<VerbReply>;
  release(caller: Caller, ref: string, selection: Selection): Promise<VerbReply>;
  /** What runs of these tasks stands still until it is resumed; what waits may start. */
  suspend(caller: Caller, ref: string, selection: Selection): Promise<VerbReply>;
  resume(caller: Caller, ref: string, selection: Selection): Promise<VerbReply>;
  signal(caller: Caller, ref: string, request: SignalRequest): Promise<VerbReply>;
  update(caller: Caller, ref: string, request: UpdateRequest): Promise<VerbReply>;
  /** Calls `listener` at once and after every durable change; returns how to stop. */
  watch(caller: Caller, ref: string, listener: (delta: JobDelta) => void): Promise<() => void>;
  /** Log records (core/log-record.ts) of the selected attempts, in chunks. Ends when all is read (or, following, all has ended). */
  logs(caller: Caller, ref: string, query: LogQuery, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** One TaskResult a line, in JSON, in the order of the array. */
  results(caller: Caller, ref: string, query: ResultsQuery, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  batches(caller: Caller, ref: string, query: BatchesQuery): Promise<BatchesReply>;
  /** Stores a script, an environment snapshot or a piece of a staged directory; returns its SHA-256. `kind: 'env'` is never given back except to workers. */
  putBlob(caller: Caller, kind: BlobKind, bytes: Uint8Array): Promise<{ hash: string }>;
  /** For workers only. */
  getBlob(caller: Caller, hash: string): Promise<Uint8Array>;
  server(caller: Caller): Promise<ServerView>;

  /** What a person asks first of a job: counts, rate, failures by cause, slowest. */
  summary(caller: Caller, ref: string): Promise<SummaryReply>;
  /** `ref`: a job or a single task. */
  why(caller: Caller, ref: string): Promise<WhyReply>;
  events(caller: Caller, query: EventsQuery): Promise<EventsReply>;
  /** Calls `listener` with every durable event after `query.after`, those of the past first; returns how to stop. */
  watchEvents(
    caller: Caller,
    query: EventsQuery,
    listener: (events: readonly EventView[]) => void,
  ): Promise<() => void>;
  spec(caller: Caller, ref: string): Promise<SpecReply>;
  /** As it was submitted; for the owner of the job and admins. */
  script(caller: Caller, ref: string): Promise<Uint8Array>;
  /** Calls `listener` at once with every cell, then with those that changed, at most every 250 ms; returns how to stop. */
  watchGrid(caller: Caller, ref: string, cells: number, listener: (delta: GridDelta) => void): Promise<() => void>;
  /** One GrepMatch a line, in JSON, as they are found. `ref` may name tasks. */
  grep(caller: Caller, ref: string, query: GrepQuery, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  diffLogs(caller: Caller, ref: string, query: LogDiffQuery, signal: AbortSignal): Promise<LogDiffReply>;
  prune(caller: Caller, request: PruneRequest): Promise<PruneReply>;

  /** In the order of their arrays (newest first), then index, then generation. Terminated ones are listed for as long as they are kept. */
  instances(caller: Caller, query: InstancesQuery): Promise<InstancesReply>;
  /** Durable when it resolves; each member says whether its agent has acknowledged it. Idempotent. */
  instanceVerb(caller: Caller, verb: InstanceVerb, request: InstanceVerbRequest): Promise<InstanceVerbReply>;
  /** So many members from now on: new ones get the next indices, those with the highest indices go. */
  resize(caller: Caller, ref: string, count: number): Promise<InstanceVerbReply>;
  cost(caller: Caller, query: CostQuery): Promise<CostReply>;
  /** Of the caller. */
  budget(caller: Caller): Promise<BudgetView>;
  setBudget(caller: Caller, request: BudgetRequest): Promise<BudgetView>;
  /** For the agent of a member: who runs in its array. */
  peers(caller: Caller, sessionId: number): Promise<PeersReply>;

  createAlert(caller: Caller, request: CreateAlertRequest): Promise<AlertView>;
  alerts(caller: Caller, query: AlertsQuery): Promise<AlertsReply>;
  deleteAlert(caller: Caller, id: number): Promise<AlertView>;
  /** Sends a message of its own, and tells what became of it. */
  testAlert(caller: Caller, id: number): Promise<DeliveryView>;
  /** What was told, and what is still to be told. */
  deliveries(caller: Caller, query: DeliveriesQuery): Promise<DeliveriesReply>;

  createToken(caller: Caller, request: CreateTokenRequest): Promise<CreateTokenReply>;
  tokens(caller: Caller, query: TokensQuery): Promise<TokensReply>;
  /** `ref`: its number or its name. */
  revokeToken(caller: Caller, ref: string): Promise<TokenView>;
  /** Who bears this token. Errors: UNAUTHENTICATED, the same for unknown, revoked and expired ones. */
  authenticate(token: string): Promise<Caller>;
  /** Calls `listener` with the number of each token that was revoked or has expired: what it has open must be closed. */
  onTokenEnded(listener: (token: number) => void): void;

  hello(caller: Caller, request: HelloRequest): Promise<HelloReply>;
  /** Replays messages numbered above `after`, then goes on; a second stream of a session closes the first. Returns how to detach. */
  stream(caller: Caller, sessionId: number, after: number, sink: StreamSink): () => void;
  exchange(caller: Caller, sessionId: number, request: ExchangeRequest): Promise<ExchangeReply>;
  /** A piece of a segment that this session's worker wrote elsewhere; takes what is new of it. */
  putLog(
    caller: Caller,
    sessionId: number,
    jobId: number,
    segment: number,
    offset: number,
    bytes: Uint8Array,
  ): Promise<LogPieceReply>;
  /** Replaces what the task of a current grant keeps of its work; durable when it resolves. */
  putCheckpoint(caller: Caller, sessionId: number, fence: number, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  checkpoint(
    caller: Caller,
    sessionId: number,
    fence: number,
  ): Promise<{ bytes: number; chunks: AsyncIterable<Uint8Array> }>;
  /** The worker leaves: what it still holds is lost at once. */
  bye(caller: Caller, sessionId: number): Promise<void>;
}
