import type { CreateTokenReply, CreateTokenRequest, PruneReply, PruneRequestInput, TokenView } from '../api/access.ts';
import type { BlobKind, BlobReply, StopReply } from '../api/http.ts';
import type {
  EventsQueryInput,
  EventView,
  GrepMatch,
  GrepQueryInput,
  GridDelta,
  LogDiffQueryInput,
  LogDiffReply,
  SpecReply,
  SummaryReply,
  WhyReply,
} from '../api/insight.ts';
import type {
  ErrorReply,
  JobDelta,
  JobView,
  LogQueryInput,
  RequeueRequest,
  RetryRequest,
  Selection,
  SignalRequestInput,
  SubmitReply,
  SubmitRequestInput,
  UpdateRequest,
  VerbReply,
} from '../api/job.ts';
import type { BatchesQueryInput, BatchesReply, ResultsQueryInput, TaskResult } from '../api/results.ts';
import type { ServerView } from '../api/server-view.ts';
import { fromJSON } from '../core/errors.ts';
import { AlertCalls } from './alert-calls.ts';
import { call, OCTETS } from './calls.ts';
import type { CallOptions } from './connection.ts';
import { type LogPiece, readLogPieces } from './log-pieces.ts';
import { readNdjson } from './ndjson.ts';
import { jobPath, search } from './paths.ts';
import { randomKey } from './random-key.ts';
import { watchEvents, watchGrid, watchJob } from './watch.ts';

/** Options of a watch. */
export interface WatchOptions extends CallOptions {
  /** How long a broken link is tried again each time, ms; default 600,000. */
  reconnectForMs?: number;
}

/**
 * The API, a method a route. Fields that end in `At` are epoch ms by the server's clock, those in `Ms` durations in ms, those in
 * `Bytes` bytes. A `ref` names a job: by number (`12`), array id (`fit-20260101-0a1b2c`) or name; of jobs of one name the live
 * one, else the newest. Verbs, `logs`, `tasks` and `grep` also take tasks of it: `12_7`, `12_[1,3-5]`.
 *
 * Errors of all methods: what the server replies, rebuilt as SpawnError (BAD_REQUEST and JOB_NOT_FOUND among others;
 * docs/errors.md lists them; UNAUTHENTICATED and NOT_PERMITTED over TCP), and SERVER_UNREACHABLE. A call that may be carried out
 * twice without harm is retried when the link breaks; any call, when nobody listened or the reply says that nothing was done.
 */
export class SpawnClient extends AlertCalls {
  /**
   * Happens once, however often it is sent: a key is made when the request has none. `dryRun: true` checks everything and
   * changes nothing. Errors: BAD_INDEX_SET, ARRAY_TOO_LARGE, BAD_DEPENDENCY, DEPENDENCY_…, BAD_NAME, UNSATISFIABLE_RESOURCES;
   * IDEMPOTENCY_MISMATCH when the key was used for another request.
   */
  submit(request: SubmitRequestInput, options?: CallOptions): Promise<SubmitReply> {
    const idempotencyKey = request.idempotencyKey ?? randomKey();
    return this.json('POST', '/v1/jobs', options, { body: { ...request, idempotencyKey } });
  }

  /** A job as it is now. */
  job(ref: string, options?: CallOptions): Promise<JobView> {
    return this.json('GET', jobPath(ref), options);
  }

  /**
   * Stops tasks; default all that have not ended. Durable once it is answered; what runs gets TERM and, `graceMs` of its job
   * later, KILL. `tasks` of the reply counts those that it changed. Errors of all verbs: JOB_NOT_FOUND, AMBIGUOUS_NAME,
   * TASK_NOT_FOUND, BAD_INDEX_SET, BAD_FILTER; NOT_PERMITTED for a job of another owner.
   */
  cancel(ref: string, selection: Selection = {}, options?: CallOptions): Promise<VerbReply> {
    return this.json('POST', `${jobPath(ref)}/cancel`, options, { body: selection });
  }

  /**
   * Runs failed, lost and cancelled tasks again, in place: same ids, counters reset, skipped dependents armed again. Memory and
   * time limit can be raised for them, by a factor or to an amount.
   * Not sent again when the link breaks: tasks that failed once more meanwhile would get further tries.
   */
  retry(ref: string, request: RetryRequest = {}, options?: CallOptions): Promise<VerbReply> {
    return this.json('POST', `${jobPath(ref)}/retry`, options, { body: request, repeatable: false });
  }

  /**
   * Runs tasks again whatever became of them, running ones too; counts no failure.
   * Not sent again when the link breaks: tasks that run again by then would be stopped.
   */
  requeue(ref: string, request: RequeueRequest = {}, options?: CallOptions): Promise<VerbReply> {
    return this.json('POST', `${jobPath(ref)}/requeue`, options, { body: request, repeatable: false });
  }

  /** Starts no more of these tasks until `release`; what runs goes on. */
  hold(ref: string, selection: Selection = {}, options?: CallOptions): Promise<VerbReply> {
    return this.json('POST', `${jobPath(ref)}/hold`, options, { body: selection });
  }

  /** Undoes `hold`. */
  release(ref: string, selection: Selection = {}, options?: CallOptions): Promise<VerbReply> {
    return this.json('POST', `${jobPath(ref)}/release`, options, { body: selection });
  }

  /** Lets what runs of these tasks stand still until `resume`, their time limits too; what waits may start. `tasks` of the reply counts them. */
  suspend(ref: string, selection: Selection = {}, options?: CallOptions): Promise<VerbReply> {
    return this.json('POST', `${jobPath(ref)}/suspend`, options, { body: selection });
  }

  /** Undoes `suspend`. */
  resume(ref: string, selection: Selection = {}, options?: CallOptions): Promise<VerbReply> {
    return this.json('POST', `${jobPath(ref)}/resume`, options, { body: selection });
  }

  /**
   * Sends a signal to what runs of these tasks, to all processes of each, with `scope: 'main'` to its main process alone, with `steps` to what `srun` started; `tasks` of the reply
   * counts them.
   * Not sent again when the link breaks: a task would get it twice.
   */
  signal(ref: string, request: SignalRequestInput, options?: CallOptions): Promise<VerbReply> {
    return this.json('POST', `${jobPath(ref)}/signal`, options, { body: request, repeatable: false });
  }

  /** Changes what a job, or some of its tasks, may use and when it runs; what is not named stays. Errors: also JOB_ENDED. */
  update(ref: string, request: UpdateRequest, options?: CallOptions): Promise<VerbReply> {
    return this.json('PATCH', jobPath(ref), options, { body: request });
  }

  /** The counts of a job, at once and when they change, until it has ended; connects again by itself. */
  watch(ref: string, options: WatchOptions = {}): AsyncGenerator<JobDelta, void, undefined> {
    const { reconnectForMs = 600_000, ...rest } = options;
    return watchJob(this.connection, call('GET', `${jobPath(ref)}/watch`, rest), reconnectForMs);
  }

  /**
   * Bytes of log records (core/log-record.ts), cut anywhere; `output` reads them. A link that breaks is SERVER_UNREACHABLE; start
   * again from there.
   */
  async *logs(
    ref: string,
    query: LogQueryInput = {},
    options?: CallOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const request = call('GET', `${jobPath(ref)}/logs${search(query)}`, options);
    yield* this.linked(await this.connection.open(request));
  }

  /**
   * What tasks wrote, piece by piece, default both streams of the last attempt of each task; `follow: '1'` goes on until they
   * have ended. The bytes of one stream of one attempt are in order and complete, or a note says what is missing.
   */
  async *output(
    ref: string,
    query: LogQueryInput = {},
    options?: CallOptions,
  ): AsyncGenerator<LogPiece, void, undefined> {
    const { array } = await this.job(ref, options);
    yield* readLogPieces(this.logs(ref, query, options), array);
  }

  /** What every task gave, in the order of the array, and of those that gave nothing why. */
  async *results(ref: string, query: ResultsQueryInput = {}, options?: CallOptions): AsyncGenerator<TaskResult, void> {
    const body = await this.connection.open(call('GET', `${jobPath(ref)}/results${search(query)}`, options));
    yield* readNdjson(this.linked(body)) as AsyncGenerator<TaskResult>;
  }

  /** How the parts of each file or value of an input fare; default the first 1,000. */
  batches(ref: string, query: BatchesQueryInput = {}, options?: CallOptions): Promise<BatchesReply> {
    return this.json('GET', `${jobPath(ref)}/batches${search(query)}`, options);
  }

  /** What a person asks first: counts, rate, failures by cause, slowest tasks. */
  summary(ref: string, options?: CallOptions): Promise<SummaryReply> {
    return this.json('GET', `${jobPath(ref)}/summary`, options);
  }

  /** What keeps a job, or a single task (`12_7`), from running; what decides first comes first. */
  why(ref: string, options?: CallOptions): Promise<WhyReply> {
    return this.json('GET', `${jobPath(ref)}/why`, options);
  }

  /** Events after `query.after`, those of the past first, until the caller stops; connects again by itself and tells each once. */
  watchEvents(query: EventsQueryInput = {}, options: WatchOptions = {}): AsyncGenerator<EventView, void, undefined> {
    const { reconnectForMs = 600_000, ...rest } = options;
    const from = (after: number) => call('GET', `/v1/events/watch${search({ ...query, after })}`, rest);
    return watchEvents(this.connection, from, Number(query.after ?? 0), reconnectForMs);
  }

  /** The job as it could be submitted again, with what was updated since. */
  spec(ref: string, options?: CallOptions): Promise<SpecReply> {
    return this.json('GET', `${jobPath(ref)}/spec`, options);
  }

  /** The script of a job, byte for byte; for its owner and admins. Errors: NO_SCRIPT for a job that was submitted as a command line. */
  script(ref: string, options?: CallOptions): Promise<Uint8Array> {
    return this.connection.bytes(call('GET', `${jobPath(ref)}/script`, options));
  }

  /** How many tasks of each cell of the array (at most 16,384) are in which state: all cells first, then those that changed. */
  watchGrid(ref: string, cells: number, options: WatchOptions = {}): AsyncGenerator<GridDelta, void, undefined> {
    const { reconnectForMs = 600_000, ...rest } = options;
    return watchGrid(this.connection, call('GET', `${jobPath(ref)}/grid?cells=${cells}`, rest), reconnectForMs);
  }

  /** Lines that fit a regular expression (JavaScript, flag v), as they are found. A link that breaks is SERVER_UNREACHABLE. */
  async *grep(ref: string, query: GrepQueryInput, options?: CallOptions): AsyncGenerator<GrepMatch, void, undefined> {
    const body = await this.connection.open(call('GET', `${jobPath(ref)}/grep${search(query)}`, options));
    for await (const line of readNdjson(this.linked(body)) as AsyncGenerator<GrepMatch | ErrorReply>) {
      if ('error' in line) throw fromJSON(line.error);
      yield line;
    }
  }

  /** Lines that occur in failed tasks and in no completed one, most frequent first; default the first 100. */
  diffLogs(ref: string, query: LogDiffQueryInput = {}, options?: CallOptions): Promise<LogDiffReply> {
    return this.json('GET', `${jobPath(ref)}/log-diff${search(query)}`, options);
  }

  /** Removes ended jobs and their logs, for ever; `dryRun: true` only tells which. For admins. */
  prune(request: PruneRequestInput, options?: CallOptions): Promise<PruneReply> {
    return this.json('POST', '/v1/prune', options, { body: request });
  }

  /** For admins. Not sent again when the link breaks: the token of a lost reply would be lost. Errors: CONFLICT for a name in use. */
  createToken(request: CreateTokenRequest, options?: CallOptions): Promise<CreateTokenReply> {
    return this.json('POST', '/v1/tokens', options, { body: request, repeatable: false });
  }

  /** For admins. What was opened with it is closed. Errors: TOKEN_NOT_FOUND. @param ref its number or its name */
  revokeToken(ref: string, options?: CallOptions): Promise<TokenView> {
    return this.json('DELETE', `/v1/tokens/${encodeURIComponent(ref)}`, options);
  }

  /** Stores a script, an environment snapshot or a piece of a staged directory (at most 16 MiB) under its SHA-256. Errors: BODY_TOO_LARGE. */
  putBlob(kind: BlobKind, bytes: Uint8Array, options?: CallOptions): Promise<BlobReply> {
    const request = { ...call('POST', `/v1/blobs/${kind}`, options), headers: OCTETS, body: bytes };
    return this.connection.json(request);
  }

  /** The server, its counters and the workers that are connected. */
  server(options?: CallOptions): Promise<ServerView> {
    return this.json('GET', '/v1/server', options);
  }

  /** Stops the server and local workers; their tasks run again after the next start. For admins. */
  stopServer(options?: CallOptions): Promise<StopReply> {
    return this.json('POST', '/v1/server/stop', options, { repeatable: false });
  }
}
