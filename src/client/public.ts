/** What a program in a browser, or one with a transport of its own, may build on: `import … from 'spawn/client'`. */

export type { CreateTokenReply, CreateTokenRequest, PruneReply, Role, TokensReply, TokenView } from '../api/access.ts';
export type {
  AlertsReply,
  AlertView,
  CreateAlertRequestInput,
  DeliveriesReply,
  DeliveryView,
  NotifyRuleInput,
} from '../api/alert.ts';
export type { HistoryJob, HistoryReply, HistoryTask } from '../api/history.ts';
export type {
  Blocker,
  EventsReply,
  EventView,
  FailureGroup,
  GrepMatch,
  GridDelta,
  LogDiffReply,
  SpecReply,
  SummaryReply,
  WhyReply,
} from '../api/insight.ts';
export type {
  JobDelta,
  JobStateName,
  JobsReply,
  JobView,
  RequeueRequest,
  RetryRequest,
  Selection,
  SignalRequestInput,
  SubmitReply,
  SubmitRequestInput,
  TaskStateName,
  TasksReply,
  TaskView,
  UpdateRequest,
  VerbReply,
} from '../api/job.ts';
export type { JobSpecInput } from '../api/job-spec.ts';
export type { QueueGroup, QueueJob, QueueReply, QueueTask } from '../api/queue.ts';
export type { BatchesReply, BatchView, ResultFile, TaskResult } from '../api/results.ts';
export type { ServerView, SessionView } from '../api/server-view.ts';
export type {
  GraphEdge,
  GraphReply,
  WorkflowReply,
  WorkflowRequestInput,
  WorkflowVerbReply,
  WorkflowView,
} from '../api/workflow.ts';
export { type ErrorCode, isSpawnError, SpawnError } from '../core/errors.ts';
export { SpawnClient, type WatchOptions } from './client.ts';
export type { CallOptions, ClientOptions } from './connection.ts';
export type { LogPiece } from './log-pieces.ts';
export { type Transport, TransportFailure, type TransportRequest, type TransportResponse } from './transport.ts';
export { type SignedRequest, verifySignature } from './verify-signature.ts';
