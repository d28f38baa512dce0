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
import type { RouteRole } from './roles.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The one content type that the route takes, where it is not JSON. */
    mediaType?: string;
    /** Who may use the route over TCP; a route without it cannot be registered. */
    role: RouteRole;
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
  /** URLs of the listeners that strangers can reach. */
  listens: string[];
}
