import type { LogPieceReply } from '../api/access.ts';
import { SpawnError } from '../core/errors.ts';
import type { SegmentId } from '../objects/log-reader.ts';
import { jobExists } from './job-exists.ts';
import type { Ledger } from './ledger.ts';
import { refuseStranger } from './ownership.ts';
import type { SessionDetail } from './restore.ts';
import { isValid } from './tokens.ts';
import type { Caller } from './use-cases.ts';

/**
 * A piece of a segment that a worker wrote elsewhere. Also of a session that is over: what was lost may have said why; and with another
 * token of the same owner when that of the session is valid no more: it was replaced. Errors: SESSION_UNKNOWN for one that never
 * was, NOT_PERMITTED for another's, JOB_NOT_FOUND for a job that was pruned.
 */
export async function takeLogPiece(
  ledger: Ledger,
  caller: Caller,
  id: SegmentId,
  offset: number,
  bytes: Uint8Array,
): Promise<LogPieceReply> {
  if (id.segment % 65_536 === 0) {
    throw new SpawnError('BAD_REQUEST', {
      where: 'path.segment',
      expected: 'life * 65536 + sequence, counted from 1',
      found: id.segment,
    });
  }
  const { token = 0, owner } = await detailOf(ledger, id.sessionId);
  if (!replaces(ledger, caller, token, owner)) refuseStranger(caller, id.sessionId, token);
  if (!(await jobExists(ledger, id.jobId))) throw new SpawnError('JOB_NOT_FOUND', { ref: String(id.jobId) });
  return { size: await ledger.ports.copies.append(id, offset, bytes) };
}

async function detailOf({ memory, ports }: Ledger, sessionId: number): Promise<SessionDetail> {
  const row = memory.sessions.get(sessionId)?.row ?? (await ports.store.findSessions([sessionId]))[0];
  if (row === undefined) throw new SpawnError('SESSION_UNKNOWN', { session: sessionId });
  return JSON.parse(row.detail) as SessionDetail;
}

/** Whether the caller bears a token in the place of this one, which is valid no more. 0: the Unix socket, which has none. */
function replaces({ memory, ports }: Ledger, caller: Caller, token: number, owner: string): boolean {
  if (token === 0 || caller.token === undefined || caller.owner !== owner) return false;
  const before = memory.tokens.get(token);
  return before === undefined || !isValid(before, ports.clock.now());
}
