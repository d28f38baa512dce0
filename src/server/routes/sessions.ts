import { Nothing, SessionParams } from '../../api/http.ts';
import { ErrorReply } from '../../api/job.ts';
import { accept } from '../../api/refusal.ts';
import { ExchangeReply, ExchangeRequest, HelloReply, HelloRequest } from '../../api/session.ts';
import type { App, Doors } from '../app.ts';
import { callerOf } from '../caller.ts';
import { isExchangeRequest } from '../exchange-check.ts';

export function sessionRoutes(app: App, { useCases }: Doors): void {
  app.post(
    '/v1/sessions',
    {
      config: { role: 'worker' },
      schema: {
        operationId: 'hello',
        summary: 'A worker says hello',
        body: HelloRequest,
        response: { 200: HelloReply, default: ErrorReply },
      },
    },
    (request) => useCases.hello(callerOf(request), request.body),
  );

  app.post(
    '/v1/sessions/:id/exchange',
    {
      config: { role: 'worker' },
      schema: {
        operationId: 'exchange',
        summary: 'What a worker has to say: starts, ends, what it gave back and what it holds',
        params: SessionParams,
        body: ExchangeRequest,
        response: { 200: ExchangeReply, default: ErrorReply },
      },
      validatorCompiler: ({ schema, httpPart }) => {
        const whole = accept(schema, httpPart);
        if (httpPart !== 'body') return whole;
        return (data: unknown) => (isExchangeRequest(data) ? { value: data } : whole(data));
      },
    },
    (request) => useCases.exchange(callerOf(request), request.params.id, request.body),
  );

  app.delete(
    '/v1/sessions/:id',
    {
      config: { role: 'worker' },
      schema: {
        operationId: 'bye',
        summary: 'A worker leaves',
        params: SessionParams,
        response: { 204: Nothing, default: ErrorReply },
      },
    },
    async (request, reply) => {
      await useCases.bye(callerOf(request), request.params.id);
      return reply.code(204).send(undefined);
    },
  );
}
