import { SessionParams, StreamQuery } from '../../api/http.ts';
import { ErrorReply } from '../../api/job.ts';
import { StreamMessage } from '../../api/session.ts';
import type { StreamSink } from '../../coordinator/use-cases.ts';
import type { App, Doors } from '../app.ts';
import { callerOf } from '../caller.ts';
import { HeldReply } from '../held-reply.ts';
import { MAX_BACKLOG_BYTES } from '../options.ts';

export function sessionStreamRoute(app: App, { useCases, timing, held }: Doors): void {
  app.get(
    '/v1/sessions/:id/stream',
    {
      config: { role: 'worker' },
      schema: {
        operationId: 'stream',
        summary: 'Messages for a worker, a line of JSON each; does not end',
        params: SessionParams,
        querystring: StreamQuery,
        response: {
          200: {
            description: 'lines with a StreamMessage',
            content: { 'application/x-ndjson': { schema: StreamMessage } },
          },
          default: ErrorReply,
        },
      },
    },
    async (request, reply) => {
      const sink = new EarlySink();
      // An error thrown here is still an ordinary reply; what is written meanwhile waits for the headers.
      const detach = useCases.stream(callerOf(request), request.params.id, request.query.after, sink);
      const messages = new HeldReply(reply, {
        contentType: 'application/x-ndjson; charset=utf-8',
        ping: '{"type":"ping"}\n',
        pingMs: timing.streamPingMs,
        maxBacklogBytes: MAX_BACKLOG_BYTES,
        held,
      });
      messages.whenOver(detach);
      sink.open(messages);
      return reply;
    },
  );
}

class EarlySink implements StreamSink {
  #waiting: string[] = [];
  #closed = false;
  #messages: HeldReply | undefined;

  write(line: string): void {
    if (this.#messages === undefined) this.#waiting.push(line);
    else this.#messages.write(`${line}\n`);
  }

  close(): void {
    this.#closed = true;
    this.#messages?.end();
  }

  open(messages: HeldReply): void {
    this.#messages = messages;
    for (const line of this.#waiting) messages.write(`${line}\n`);
    this.#waiting = [];
    if (this.#closed) messages.end();
  }
}
