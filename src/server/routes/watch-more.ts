import { RefParams } from '../../api/http.ts';
import { EventsQuery, EventsReply, GridDelta, GridQuery } from '../../api/insight.ts';
import { ErrorReply } from '../../api/job.ts';
import type { App, Doors } from '../app.ts';
import { callerOf } from '../caller.ts';
import { HeldReply } from '../held-reply.ts';
import { MAX_BACKLOG_BYTES } from '../options.ts';

/** Server-sent events in which every one counts, unlike those of a job's counts: a reader too slow for them is cut off. */
export function watchMoreRoutes(app: App, { useCases, timing, held }: Doors): void {
  const open = (reply: ConstructorParameters<typeof HeldReply>[0]) =>
    new HeldReply(reply, {
      contentType: 'text/event-stream; charset=utf-8',
      ping: ': ping\n\n',
      pingMs: timing.watchPingMs,
      maxBacklogBytes: MAX_BACKLOG_BYTES,
      held,
    });

  app.get(
    '/v1/events/watch',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'watchEvents',
        summary: 'Follow events by server-sent events; does not end',
        querystring: EventsQuery,
        response: {
          200: {
            description: 'events `events` with a list of EventView',
            content: { 'text/event-stream': { schema: EventsReply.shape.events } },
          },
          default: ErrorReply,
        },
      },
    },
    async (request, reply) => {
      const early: string[] = [];
      let out: HeldReply | undefined;
      const stop = await useCases.watchEvents(callerOf(request), request.query, (events) => {
        const text = `event: events\ndata: ${JSON.stringify(events)}\n\n`;
        if (out === undefined) early.push(text);
        else out.write(text);
      });
      out = open(reply);
      out.whenOver(stop);
      for (const text of early) out.write(text);
      return reply;
    },
  );

  app.get(
    '/v1/jobs/:ref/grid',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'watchGrid',
        summary:
          'Follow the states of all tasks in cells by server-sent events; ends after the event of a job that has ended',
        params: RefParams,
        querystring: GridQuery,
        response: {
          200: {
            description: 'events `grid` with a GridDelta',
            content: { 'text/event-stream': { schema: GridDelta } },
          },
          default: ErrorReply,
        },
      },
    },
    async (request, reply) => {
      const early: GridDelta[] = [];
      let out: HeldReply | undefined;
      const take = (delta: GridDelta): void => {
        if (out === undefined) {
          early.push(delta);
          return;
        }
        out.write(`event: grid\ndata: ${JSON.stringify(delta)}\n\n`);
        if (delta.ended) out.end();
      };
      const { ref } = request.params;
      const stop = await useCases.watchGrid(callerOf(request), ref, request.query.cells, take);
      out = open(reply);
      out.whenOver(stop);
      for (const delta of early) take(delta);
      return reply;
    },
  );
}
