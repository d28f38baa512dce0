import type { SpecReply } from '../api/insight.ts';
import type { JobView } from '../api/job.ts';
import { MYSELF } from '../api/myself.ts';
import { SpawnError } from '../core/errors.ts';
import type { JobEntry } from './memory.ts';
import type { Caller } from './use-cases.ts';

/** A worker session is its opener's alone. Errors: NOT_PERMITTED when it was opened with another token, or through the other door. */
export function refuseStranger(caller: Caller, sessionId: number, token: number): void {
  if (token === (caller.token ?? 0)) return;
  const action = `act as the worker of session ${sessionId}`;
  throw new SpawnError('NOT_PERMITTED', { action, why: 'it was not opened with this token' });
}

/** Everybody may look at every job; a job is changed by its owner and by admins alone. Errors: NOT_PERMITTED. */
export function checkOwner({ fixed }: JobEntry, caller: Caller, verb: string): void {
  if (caller.role === 'admin' || (fixed.owner === caller.owner && fixed.tenant === caller.tenant)) return;
  const why = `it belongs to ${fixed.owner}, and the token's owner is ${caller.owner}`;
  throw new SpawnError('NOT_PERMITTED', { action: `${verb} job ${fixed.id}`, why });
}

/** A question for jobs of owners, with the name of who asks where it says `@me`. */
export function withOwnName<Query extends { owners?: string | string[] | undefined }>(
  query: Query,
  { owner }: Caller,
): Query {
  if (query.owners === undefined) return query;
  return { ...query, owners: [query.owners].flat().map((name) => (name === MYSELF ? owner : name)) };
}

/** With the name of another's environment snapshot a job could be submitted that prints it. */
export function hideEnvironment(reply: SpecReply, caller: Caller, { owner }: JobView): SpecReply {
  if (owner === caller.owner) return reply;
  const { envSnapshot: _hidden, ...spec } = reply.spec;
  return { ...reply, spec };
}
