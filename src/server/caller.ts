import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { Caller } from '../coordinator/use-cases.ts';

/** Whoever can open the Unix socket is its user: its directory lets nobody else in. */
const AT_THE_SOCKET: Caller = {
  owner: String(process.getuid?.() ?? 0),
  tenant: 'local',
  sameHost: true,
  role: 'admin',
};

/** Requests that came over TCP; null until their token was found valid. */
const strangers = new WeakMap<IncomingMessage, Caller | null>();

/** Must be called before anything else is done with a request that came over TCP. */
export function markAsStranger(raw: IncomingMessage): void {
  strangers.set(raw, null);
}

export function isStranger(request: FastifyRequest): boolean {
  return strangers.has(request.raw);
}

export function admitAs(request: FastifyRequest, caller: Caller): void {
  strangers.set(request.raw, caller);
}

/** Who asks. */
export function callerOf(request: FastifyRequest): Caller {
  const known = strangers.get(request.raw);
  if (known === undefined) return AT_THE_SOCKET;
  if (known === null) throw new Error('a request over TCP got past the door without a token');
  return known;
}
