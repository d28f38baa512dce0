import { connect } from './cli/connect.ts';
import type { SpawnClient } from './client/public.ts';
import { readSettings } from './config/settings.ts';

export { type HttpTransportOptions, httpTransport } from './client/node/http-transport.ts';
export { unixTransport } from './client/node/unix-transport.ts';
export type {
  AlertsReply,
  AlertView,
  Blocker,
  CallOptions,
  ClientOptions,
  CreateAlertRequestInput,
  CreateTokenReply,
  CreateTokenRequest,
  DeliveriesReply,
  DeliveryView,
  ErrorCode,
  EventsReply,
  EventView,
  FailureGroup,
  GrepMatch,
  GridDelta,
  JobDelta,
  JobSpecInput,
  JobStateName,
  JobsReply,
  JobView,
  LogDiffReply,
  LogPiece,
  NotifyRuleInput,
  PruneReply,
  QueueGroup,
  QueueJob,
  QueueReply,
  QueueTask,
  RequeueRequest,
  RetryRequest,
  Role,
  Selection,
  ServerView,
  SessionView,
  SignalRequestInput,
  SignedRequest,
  SpecReply,
  SubmitReply,
  SubmitRequestInput,
  SummaryReply,
  TaskStateName,
  TasksReply,
  TaskView,
  TokensReply,
  TokenView,
  Transport,
  TransportRequest,
  TransportResponse,
  UpdateRequest,
  VerbReply,
  WatchOptions,
  WhyReply,
} from './client/public.ts';
export { isSpawnError, SpawnClient, SpawnError, TransportFailure, verifySignature } from './client/public.ts';

export interface ConnectOptions {
  /** Where SPAWN_SERVER, SPAWN_TOKEN_FILE, SPAWN_DATA_DIR and the like are read from; default the environment of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Gets a line for people when a coordinator was started, or something is not as it should be; default nothing is said. */
  readonly announce?: (line: string) => void;
}

/**
 * A client of the coordinator that the `spawn` command would use: that of SPAWN_SERVER, else this user's own, which the first call
 * starts where none runs. Settings files are not read.
 * Errors: those of a token or certificate that cannot be read (FILE_NOT_FOUND, FILE_UNREADABLE, BAD_REQUEST); SOCKET_NOT_PRIVATE.
 */
export function connectSpawn({ env = process.env, announce = () => {} }: ConnectOptions = {}): Promise<SpawnClient> {
  return connect(readSettings(env, process.getuid?.() ?? 0), announce);
}
