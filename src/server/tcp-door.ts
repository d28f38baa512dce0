import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { MAX_BODY_BYTES } from '../api/limits.ts';
import type { Caller } from '../coordinator/use-cases.ts';
import { isSpawnError, SpawnError } from '../core/errors.ts';
import type { Doors } from './app.ts';
import { admitAs } from './caller.ts';
import { FailureBudget } from './failure-budget.ts';
import { rolesFor } from './roles.ts';

const FAILURES = 20;
const WINDOW_MS = 60_000;

/** Lets in who comes over TCP with a valid token, to the routes of its role, for as long as it is valid. */
export class TcpDoor {
  readonly #doors: Doors;
  readonly #budget = new FailureBudget({ failures: FAILURES, windowMs: WINDOW_MS, now: () => performance.now() });
  /** Replies that have not ended, by the token that asked for them. */
  readonly #open = new Map<number, Set<ServerResponse>>();

  constructor(doors: Doors) {
    this.#doors = doors;
    doors.useCases.onTokenEnded((token) => this.#cut(token));
  }

  /** Errors: UNAUTHENTICATED, whatever is wrong with the token; RATE_LIMITED after many of these; NOT_PERMITTED. */
  async admit(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const caller = await this.#authenticate(request, reply);
    const { role, operationId } = operationOf(request);
    // A path that is no route has nothing to protect.
    if (!request.is404) checkRole(caller, role, operationId);
    admitAs(request, caller);
    // One that revokes itself still hears so.
    if (caller.token !== undefined && operationId !== 'revokeToken') this.#hold(caller.token, reply.raw);
  }

  async #authenticate(request: FastifyRequest, reply: FastifyReply): Promise<Caller> {
    const token = /^Bearer +([\x21-\x7e]{1,256})$/i.exec(request.headers.authorization ?? '')?.[1];
    try {
      return await this.#doors.useCases.authenticate(token ?? '');
    } catch (error) {
      if (!isSpawnError(error) || (error as SpawnError).code !== 'UNAUTHENTICATED') throw error;
      throw this.#refuse(request, reply);
    }
  }

  #refuse(request: FastifyRequest, reply: FastifyReply): SpawnError {
    const address = request.socket.remoteAddress ?? '';
    const { count, waitMs } = this.#budget.fail(address);
    // Once a window, and never what was sent.
    if (count === 1) this.#doors.options.logger?.warn({ address }, 'a request without a valid token was refused');
    // What follows is thrown away unread; that must have an end.
    if (!(Number(request.headers['content-length'] ?? 0) <= MAX_BODY_BYTES) || 'transfer-encoding' in request.headers) {
      reply.header('connection', 'close');
    }
    if (waitMs === 0) {
      reply.header('www-authenticate', 'Bearer');
      return new SpawnError('UNAUTHENTICATED');
    }
    reply.header('retry-after', Math.ceil(waitMs / 1_000));
    return new SpawnError('RATE_LIMITED', { retryAfterMs: Math.ceil(waitMs) });
  }

  #hold(token: number, raw: ServerResponse): void {
    const open = this.#open.get(token) ?? new Set();
    this.#open.set(token, open.add(raw));
    raw.once('close', () => {
      open.delete(raw);
      if (open.size === 0 && this.#open.get(token) === open) this.#open.delete(token);
    });
  }

  #cut(token: number): void {
    for (const raw of this.#open.get(token) ?? []) raw.destroy();
  }
}

function checkRole(caller: Caller, needed: Parameters<typeof rolesFor>[0], action: string): void {
  const allowed = rolesFor(needed);
  if (allowed.includes(caller.role)) return;
  const why = `it needs a token of role ${allowed.join(' or ')}; the role of this one is ${caller.role}`;
  throw new SpawnError('NOT_PERMITTED', { action, why });
}

function operationOf({ routeOptions }: FastifyRequest): { role: Parameters<typeof rolesFor>[0]; operationId: string } {
  const { operationId = '' } = (routeOptions.schema ?? {}) as { operationId?: string };
  // A route of no role was refused when it was registered.
  return { role: routeOptions.config.role ?? 'admin', operationId };
}
