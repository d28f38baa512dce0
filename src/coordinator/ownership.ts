import { SpawnError } from '../core/errors.ts';
import type { JobEntry } from './memory.ts';
import type { Caller } from './use-cases.ts';

/** Everybody may look at every job; a job is changed by its owner and by admins alone. Errors: NOT_PERMITTED. */
export function checkOwner({ fixed }: JobEntry, caller: Caller, verb: string): void {
  if (caller.role === 'admin' || (fixed.owner === caller.owner && fixed.tenant === caller.tenant)) return;
  const why = `it belongs to ${fixed.owner}, and the token's owner is ${caller.owner}`;
  throw new SpawnError('NOT_PERMITTED', { action: `${verb} job ${fixed.id}`, why });
}
