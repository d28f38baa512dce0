import { z } from 'zod';
import {
  CreateTokenReply,
  CreateTokenRequest,
  LogPieceReply,
  PruneReply,
  PruneRequest,
  TokensReply,
  TokenView,
} from './access.ts';
import { BlobReply, StopReply } from './http.ts';
import {
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
} from './insight.ts';
import {
  Counts,
  ErrorReply,
  JobDelta,
  JobsReply,
  JobView,
  RequeueRequest,
  RetryRequest,
  Selection,
  SubmitReply,
  SubmitRequest,
  TasksReply,
  TaskView,
  UpdateRequest,
  VerbReply,
} from './job.ts';
import { JobSpec, RunSpec } from './job-spec.ts';
import {
  ExchangeReply,
  ExchangeRequest,
  HelloReply,
  HelloRequest,
  JobForWorker,
  ServerView,
  SessionView,
  StreamMessage,
} from './session.ts';
import { SlurmSpec, SlurmUpdate } from './slurm.ts';

const NAMED = {
  Blocker,
  CreateTokenReply,
  CreateTokenRequest,
  EventsReply,
  EventView,
  FailureGroup,
  GrepMatch,
  GridDelta,
  LogDiffReply,
  LogPieceReply,
  PruneReply,
  PruneRequest,
  RequeueRequest,
  RetryRequest,
  SpecReply,
  SummaryReply,
  TokensReply,
  TokenView,
  WhyReply,
  BlobReply,
  Counts,
  ErrorReply,
  ExchangeReply,
  ExchangeRequest,
  HelloReply,
  HelloRequest,
  JobDelta,
  JobForWorker,
  JobSpec,
  JobsReply,
  JobView,
  RunSpec,
  Selection,
  ServerView,
  SessionView,
  SlurmSpec,
  SlurmUpdate,
  StopReply,
  StreamMessage,
  SubmitReply,
  SubmitRequest,
  TasksReply,
  TaskView,
  UpdateRequest,
  VerbReply,
};

/** Gives the schemas their names in the OpenAPI document, so that generated clients get types and not copies. Safe to call twice. */
export function nameSchemas(): void {
  for (const [id, schema] of Object.entries(NAMED)) z.globalRegistry.add(schema, { id });
}
