import { HistoryQuery, HistoryReply } from '../../api/history.ts';
import { RefParams } from '../../api/http.ts';
import { EventsQuery, EventsReply, SpecReply, SummaryReply, WhyReply } from '../../api/insight.ts';
import { ErrorReply } from '../../api/job.ts';
import { QueueQuery, QueueReply } from '../../api/queue.ts';
import type { App, Doors } from '../app.ts';
import { callerOf } from '../caller.ts';

/** What a person wants to know of jobs besides their state. */
export function insightRoutes(app: App, { useCases }: Doors): void {
  app.get(
    '/v1/jobs/:ref/summary',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'summary',
        summary: 'Counts, rate, failures by cause and slowest tasks of a job',
        params: RefParams,
        response: { 200: SummaryReply, default: ErrorReply },
      },
    },
    (request) => useCases.summary(callerOf(request), request.params.ref),
  );

  app.get(
    '/v1/jobs/:ref/why',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'why',
        summary: 'Tell what keeps a job or a task from running',
        params: RefParams,
        response: { 200: WhyReply, default: ErrorReply },
      },
    },
    (request) => useCases.why(callerOf(request), request.params.ref),
  );

  app.get(
    '/v1/jobs/:ref/spec',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'spec',
        summary: 'Give a job back as a spec',
        params: RefParams,
        response: { 200: SpecReply, default: ErrorReply },
      },
    },
    (request) => useCases.spec(callerOf(request), request.params.ref),
  );

  app.get(
    '/v1/queue',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'queue',
        summary: 'Tell what waits, in groups, and what runs or has just ended, task by task',
        querystring: QueueQuery,
        response: { 200: QueueReply, default: ErrorReply },
      },
    },
    (request) => useCases.queue(callerOf(request), request.query),
  );

  app.get(
    '/v1/history',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'history',
        summary: 'Tell what was and is: attempts one by one, and what never started in groups',
        querystring: HistoryQuery,
        response: { 200: HistoryReply, default: ErrorReply },
      },
    },
    (request) => useCases.history(callerOf(request), request.query),
  );

  app.get(
    '/v1/events',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'events',
        summary: 'List events',
        querystring: EventsQuery,
        response: { 200: EventsReply, default: ErrorReply },
      },
    },
    (request) => useCases.events(callerOf(request), request.query),
  );
}
