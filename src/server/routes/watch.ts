import { RefParams } from '../../api/http.ts';
import { ErrorReply, JobDelta } from '../../api/job.ts';
import type { App, Doors } from '../app.ts';
import { callerOf } from '../caller.ts';
import { HeldReply } from '../held-reply.ts';
import { LatestOnly } from '../latest-only.ts';
import { MAX_BACKLOG_BYTES } from '../options.ts';

export function watchRoute(app: App, { useCases, timing, held }: Doors): void {
  app.get(
    '/v1/jobs/:ref/watch',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'watch',
        summary: 'Follow a job by server-sent events; ends after the event of a job that has ended',
        params: RefParams,
        response: {
          200: { description: 'events `job` with a JobDelta', content: { 'text/event-stream': { schema: JobDelta } } },
          default: ErrorReply,
        },
      },
    },
    async (request, reply) => {
      let events: HeldReply | undefined;
      const deltas = new LatestOnly<JobDelta>(
        timing.watchEveryMs,
        () => events === undefined || events.isBehind,
        (delta) => events?.write(`event: job\ndata: ${JSON.stringify(delta)}\n\n`),
      );
      let early: JobDelta | undefined;
      const take = (delta: JobDelta): void => {
        if (events === undefined) {
          early = delta;
        } else if (delta.endedAt === undefined) {
          deltas.offer(delta);
        } else {
          deltas.last(delta);
          events.end();
        }
      };
      // An error before this resolves is still an ordinary reply.
      const stop = await useCases.watch(callerOf(request), request.params.ref, take);
      events = new HeldReply(reply, {
        contentType: 'text/event-stream; charset=utf-8',
        ping: ': ping\n\n',
        pingMs: timing.watchPingMs,
        maxBacklogBytes: MAX_BACKLOG_BYTES,
        held,
      });
      events.whenOver(() => {
        deltas.stop();
        stop();
      });
      if (early !== undefined) take(early);
      return reply;
    },
  );
}
