import { MAX_CHECKPOINT_BYTES } from '../../api/limits.ts';
import { SpawnError } from '../../core/errors.ts';
import { GrantStatus } from '../../core/grant-range.ts';
import type { Checkpoints } from '../../objects/log-reader.ts';
import type { Ledger } from '../ledger.ts';
import { refuseStranger } from '../ownership.ts';
import type { Caller } from '../use-cases.ts';

/** The task of a grant. Errors: SESSION_UNKNOWN, NOT_PERMITTED, FENCE_STALE. */
function currentTask(
  { memory }: Ledger,
  caller: Caller,
  sessionId: number,
  fence: number,
): { jobId: number; position: number } {
  const entry = memory.sessions.get(sessionId);
  if (entry === undefined) throw new SpawnError('SESSION_UNKNOWN', { session: sessionId });
  refuseStranger(caller, sessionId, entry.token);
  const range = entry.session.find(fence);
  if (range === undefined || range.status[fence - range.fence] === GrantStatus.closed) {
    throw new SpawnError('FENCE_STALE', { session: sessionId, fence });
  }
  return { jobId: range.jobId, position: range.position + fence - range.fence };
}

/**
 * Replaces the checkpoint of the task of a current grant; whole and durable when it resolves.
 *
 * @throws FENCE_STALE, also when the grant ends meanwhile; BODY_TOO_LARGE, STORE_FULL
 */
export async function putCheckpoint(
  ledger: Ledger,
  caller: Caller,
  sessionId: number,
  fence: number,
  chunks: AsyncIterable<Uint8Array>,
): Promise<void> {
  const { jobId, position } = currentTask(ledger, caller, sessionId, fence);
  const isCurrent = () => {
    const range = ledger.memory.sessions.get(sessionId)?.session.find(fence);
    return range !== undefined && range.status[fence - range.fence] !== GrantStatus.closed;
  };
  const taken = await portOf(ledger).put(jobId, position, chunks, { most: MAX_CHECKPOINT_BYTES, isCurrent });
  if (!taken) throw new SpawnError('FENCE_STALE', { session: sessionId, fence });
}

/** What an attempt of the task put last, this one or one before. Errors: as above, FILE_NOT_FOUND when there is none. */
export async function readCheckpoint(
  ledger: Ledger,
  caller: Caller,
  sessionId: number,
  fence: number,
): Promise<{ bytes: number; chunks: AsyncIterable<Uint8Array> }> {
  const { jobId, position } = currentTask(ledger, caller, sessionId, fence);
  const found = await portOf(ledger).read(jobId, position);
  if (found === undefined) throw new SpawnError('FILE_NOT_FOUND', { path: `checkpoint of ${jobId}_${position}` });
  return found;
}

function portOf({ ports }: Ledger): Checkpoints {
  if (ports.checkpoints === undefined)
    throw new SpawnError('STORE_FAILED', { why: 'there is no place for checkpoints' });
  return ports.checkpoints;
}
