import {
  CreateTokenReply,
  CreateTokenRequest,
  PruneReply,
  PruneRequest,
  TokensQuery,
  TokensReply,
  TokenView,
} from '../../api/access.ts';
import { RefParams } from '../../api/http.ts';
import { ErrorReply } from '../../api/job.ts';
import type { App, Doors } from '../app.ts';
import { callerOf } from '../caller.ts';

/** What only an admin does. */
export function accessRoutes(app: App, { useCases }: Doors): void {
  app.post(
    '/v1/tokens',
    {
      config: { role: 'admin' },
      schema: {
        operationId: 'createToken',
        summary: 'Make a token',
        body: CreateTokenRequest,
        response: { 200: CreateTokenReply, default: ErrorReply },
      },
    },
    (request) => useCases.createToken(callerOf(request), request.body),
  );

  app.get(
    '/v1/tokens',
    {
      config: { role: 'admin' },
      schema: {
        operationId: 'tokens',
        summary: 'List tokens',
        querystring: TokensQuery,
        response: { 200: TokensReply, default: ErrorReply },
      },
    },
    (request) => useCases.tokens(callerOf(request), request.query),
  );

  app.delete(
    '/v1/tokens/:ref',
    {
      config: { role: 'admin' },
      schema: {
        operationId: 'revokeToken',
        summary: 'Make a token invalid',
        params: RefParams,
        response: { 200: TokenView, default: ErrorReply },
      },
    },
    (request) => useCases.revokeToken(callerOf(request), request.params.ref),
  );

  app.post(
    '/v1/prune',
    {
      config: { role: 'admin' },
      schema: {
        operationId: 'prune',
        summary: 'Remove ended jobs and their logs',
        body: PruneRequest,
        response: { 200: PruneReply, default: ErrorReply },
      },
    },
    (request) => useCases.prune(callerOf(request), request.body),
  );
}
