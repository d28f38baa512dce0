import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { UseCases } from '../coordinator/use-cases.ts';
import type { HeldReply } from './held-reply.ts';
import type { ServerOptions, Timing } from './options.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The one content type that the route takes, where it is not JSON. */
    mediaType?: string;
  }
}

export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** What the routes work with. */
export interface Doors {
  useCases: UseCases;
  options: ServerOptions;
  timing: Timing;
  /** Replies that stay open, so that closing the server can end them. */
  held: Set<HeldReply>;
}
