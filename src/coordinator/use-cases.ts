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
import type { ExchangeReply, ExchangeRequest, HelloReply, HelloRequest, ServerView } from '../api/session.ts';

/** Who asks, as the server's door found out. */
export interface Caller {
  /** Embedded: the user's uid as text. */
  owner: string;
  tenant: string;
  /** Came through the Unix socket, so caller and coordinator share a kernel. */
  sameHost: boolean;
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
  jobs(caller: Caller, query: JobsQuery): Promise<JobsReply>;
  /** `ref`: a number, an array id or a name. */
  job(caller: Caller, ref: string): Promise<JobView>;
  tasks(caller: Caller, ref: string, query: TasksQuery): Promise<TasksReply>;
  /** `ref` may also name tasks: `12_7`, `12_[1,3-5]`; so for all verbs. */
  cancel(caller: Caller, ref: string, selection: Selection): Promise<VerbReply>;
  retry(caller: Caller, ref: string, selection: Selection): Promise<VerbReply>;
  requeue(caller: Caller, ref: string, selection: Selection): Promise<VerbReply>;
  hold(caller: Caller, ref: string, selection: Selection): Promise<VerbReply>;
  release(caller: Caller, ref: string, selection: Selection): Promise<VerbReply>;
  update(caller: Caller, ref: string, request: UpdateRequest): Promise<VerbReply>;
  /** Calls `listener` at once and after every durable change; returns how to stop. */
  watch(caller: Caller, ref: string, listener: (delta: JobDelta) => void): Promise<() => void>;
  /** Log records (core/log-record.ts) of the selected attempts, in chunks. Ends when all is read (or, following, all has ended). */
  logs(caller: Caller, ref: string, query: LogQuery, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** Stores a script or environment snapshot; returns its SHA-256. `kind: 'env'` is never given back except to workers. */
  putBlob(caller: Caller, kind: 'script' | 'env', bytes: Uint8Array): Promise<{ hash: string }>;
  /** For workers only. */
  getBlob(caller: Caller, hash: string): Promise<Uint8Array>;
  server(caller: Caller): Promise<ServerView>;

  hello(caller: Caller, request: HelloRequest): Promise<HelloReply>;
  /** Replays messages numbered above `after`, then goes on; a second stream of a session closes the first. Returns how to detach. */
  stream(caller: Caller, sessionId: number, after: number, sink: StreamSink): () => void;
  exchange(caller: Caller, sessionId: number, request: ExchangeRequest): Promise<ExchangeReply>;
  /** The worker leaves: what it still holds is lost at once. */
  bye(caller: Caller, sessionId: number): Promise<void>;
}
