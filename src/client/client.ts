import type {
  CreateTokenReply,
  CreateTokenRequest,
  PruneReply,
  PruneRequestInput,
  TokensQueryInput,
  TokensReply,
  TokenView,
} from '../api/access.ts';
import type { BlobReply, StopReply } from '../api/http.ts';
import type {
  EventsQueryInput,
  EventsReply,
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
  JobsQueryInput,
  JobsReply,
  JobView,
  LogQueryInput,
  RetryRequest,
  Selection,
  SubmitReply,
  SubmitRequestInput,
  TasksQueryInput,
  TasksReply,
  UpdateRequest,
  VerbReply,
} from '../api/job.ts';
import type { ServerView } from '../api/session.ts';
import { fromJSON } from '../core/errors.ts';
import { call, OCTETS } from './calls.ts';
import type { CallOptions } from './connection.ts';
import { readNdjson } from './ndjson.ts';
import { SessionCalls } from './session-calls.ts';
import { watchEvents, watchGrid, watchJob } from './watch.ts';

/** Options of a watch. */
export interface WatchOptions extends CallOptions {
  /** How long a broken link is tried again each time, ms; default 600,000. */
  reconnectForMs?: number;
}

/**
 * The API, a method a route. Errors of all methods: what the server replies, rebuilt as SpawnError, and SERVER_UNREACHABLE.
 * A call that may be carried out twice without harm is retried when the link breaks; any call, when nobody listened or the
 * server replied that it is stopping.
 */
export class SpawnClient extends SessionCalls {
  /** Happens once, however often it is sent: a key is made when the request has none. */
  submit(request: SubmitRequestInput, options?: CallOptions): Promise<SubmitReply> {
    const idempotencyKey = request.idempotencyKey ?? randomKey();
    return this.json('POST', '/v1/jobs', options, { body: { ...request, idempotencyKey } });
  }

  jobs(query: JobsQueryInput = {}, options?: CallOptions): Promise<JobsReply> {
    return this.json('GET', `/v1/jobs${search(query)}`, options);
  }

  /** @param ref a number, an array id or a name; for verbs and logs also tasks: `12_7`, `12_[1,3-5]` */
  job(ref: string, options?: CallOptions): Promise<JobView> {
    return this.json('GET', jobPath(ref), options);
  }

  tasks(ref: string, query: TasksQueryInput = {}, options?: CallOptions): Promise<TasksReply> {
    return this.json('GET', `${jobPath(ref)}/tasks${search(query)}`, options);
  }

  cancel(ref: string, selection: Selection = {}, options?: CallOptions): Promise<VerbReply> {
    return this.json('POST', `${jobPath(ref)}/cancel`, options, { body: selection });
  }

  /** Not sent again when the link breaks: tasks that failed once more meanwhile would get further tries. */
  retry(ref: string, request: RetryRequest = {}, options?: CallOptions): Promise<VerbReply> {
    return this.json('POST', `${jobPath(ref)}/retry`, options, { body: request, repeatable: false });
  }

  /** Not sent again when the link breaks: tasks that run again by then would be stopped. */
  requeue(ref: string, selection: Selection = {}, options?: CallOptions): Promise<VerbReply> {
    return this.json('POST', `${jobPath(ref)}/requeue`, options, { body: selection, repeatable: false });
  }

  hold(ref: string, selection: Selection = {}, options?: CallOptions): Promise<VerbReply> {
    return this.json('POST', `${jobPath(ref)}/hold`, options, { body: selection });
  }

  release(ref: string, selection: Selection = {}, options?: CallOptions): Promise<VerbReply> {
    return this.json('POST', `${jobPath(ref)}/release`, options, { body: selection });
  }

  update(ref: string, request: UpdateRequest, options?: CallOptions): Promise<VerbReply> {
    return this.json('PATCH', jobPath(ref), options, { body: request });
  }

  /** The counts of a job, at once and when they change, until it has ended; connects again by itself. */
  watch(ref: string, options: WatchOptions = {}): AsyncGenerator<JobDelta, void, undefined> {
    const { reconnectForMs = 600_000, ...rest } = options;
    return watchJob(this.connection, call('GET', `${jobPath(ref)}/watch`, rest), reconnectForMs);
  }

  /** Bytes of log records (core/log-record.ts), cut anywhere. A link that breaks is SERVER_UNREACHABLE; start again from there. */
  async *logs(
    ref: string,
    query: LogQueryInput = {},
    options?: CallOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const request = call('GET', `${jobPath(ref)}/logs${search(query)}`, options);
    yield* this.linked(await this.connection.open(request));
  }

  /** What a person asks first: counts, rate, failures by cause, slowest tasks. */
  summary(ref: string, options?: CallOptions): Promise<SummaryReply> {
    return this.json('GET', `${jobPath(ref)}/summary`, options);
  }

  /** @param ref a job or a single task */
  why(ref: string, options?: CallOptions): Promise<WhyReply> {
    return this.json('GET', `${jobPath(ref)}/why`, options);
  }

  events(query: EventsQueryInput = {}, options?: CallOptions): Promise<EventsReply> {
    return this.json('GET', `/v1/events${search(query)}`, options);
  }

  /** Events after `query.after`, those of the past first, until the caller stops; connects again by itself. */
  watchEvents(query: EventsQueryInput = {}, options: WatchOptions = {}): AsyncGenerator<EventView, void, undefined> {
    const { reconnectForMs = 600_000, ...rest } = options;
    const from = (after: number) => call('GET', `/v1/events/watch${search({ ...query, after })}`, rest);
    return watchEvents(this.connection, from, Number(query.after ?? 0), reconnectForMs);
  }

  /** The job as it could be submitted again. */
  spec(ref: string, options?: CallOptions): Promise<SpecReply> {
    return this.json('GET', `${jobPath(ref)}/spec`, options);
  }

  /** How many tasks of each cell of the array are in which state: all cells first, then those that changed. */
  watchGrid(ref: string, cells: number, options: WatchOptions = {}): AsyncGenerator<GridDelta, void, undefined> {
    const { reconnectForMs = 600_000, ...rest } = options;
    return watchGrid(this.connection, call('GET', `${jobPath(ref)}/grid?cells=${cells}`, rest), reconnectForMs);
  }

  /** Lines that fit a regular expression, as they are found. A link that breaks is SERVER_UNREACHABLE. */
  async *grep(ref: string, query: GrepQueryInput, options?: CallOptions): AsyncGenerator<GrepMatch, void, undefined> {
    const body = await this.connection.open(call('GET', `${jobPath(ref)}/grep${search(query)}`, options));
    for await (const line of readNdjson(this.linked(body)) as AsyncGenerator<GrepMatch | ErrorReply>) {
      if ('error' in line) throw fromJSON(line.error);
      yield line;
    }
  }

  diffLogs(ref: string, query: LogDiffQueryInput = {}, options?: CallOptions): Promise<LogDiffReply> {
    return this.json('GET', `${jobPath(ref)}/log-diff${search(query)}`, options);
  }

  prune(request: PruneRequestInput, options?: CallOptions): Promise<PruneReply> {
    return this.json('POST', '/v1/prune', options, { body: request });
  }

  /** Not sent again when the link breaks: the token of a lost reply would be lost. */
  createToken(request: CreateTokenRequest, options?: CallOptions): Promise<CreateTokenReply> {
    return this.json('POST', '/v1/tokens', options, { body: request, repeatable: false });
  }

  tokens(query: TokensQueryInput = {}, options?: CallOptions): Promise<TokensReply> {
    return this.json('GET', `/v1/tokens${search(query)}`, options);
  }

  /** @param ref its number or its name */
  revokeToken(ref: string, options?: CallOptions): Promise<TokenView> {
    return this.json('DELETE', `/v1/tokens/${encodeURIComponent(ref)}`, options);
  }

  /** Stores a script or environment snapshot under its SHA-256. */
  putBlob(kind: 'script' | 'env', bytes: Uint8Array, options?: CallOptions): Promise<BlobReply> {
    const request = { ...call('POST', `/v1/blobs/${kind}`, options), headers: OCTETS, body: bytes };
    return this.connection.json(request);
  }

  server(options?: CallOptions): Promise<ServerView> {
    return this.json('GET', '/v1/server', options);
  }

  stopServer(options?: CallOptions): Promise<StopReply> {
    return this.json('POST', '/v1/server/stop', options, { repeatable: false });
  }
}

function jobPath(ref: string): string {
  return `/v1/jobs/${encodeURIComponent(ref)}`;
}

function search(query: object): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) given.append(name, String(value));
  }
  return given.size === 0 ? '' : `?${given}`;
}

/** 128 random bits. `crypto.randomUUID` is missing in pages without TLS. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
