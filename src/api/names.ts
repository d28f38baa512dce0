import { z } from 'zod';
import { BlobReply, StopReply } from './http.ts';
import {
  Counts,
  ErrorReply,
  JobDelta,
  JobsReply,
  JobView,
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

const NAMED = {
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
