import type { LogPieceReply } from '../api/access.ts';
import { SpawnError } from '../core/errors.ts';
import type { SegmentId } from '../objects/log-reader.ts';
import { jobExists } from './job-exists.ts';
import type { Ledger } from './ledger.ts';
import { refuseStranger } from './ownership.ts';
import type { SessionDetail } from './restore.ts';
import type { Caller } from './use-cases.ts';

/**
 * A piece of a segment that a worker wrote elsewhere. Also of a session that is over: what was lost may have said why. Errors:
 * SESSION_UNKNOWN for one that never was, NOT_PERMITTED for another's, JOB_NOT_FOUND for a job that was pruned.
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
  refuseStranger(caller, id.sessionId, await tokenOf(ledger, id.sessionId));
  if (!(await jobExists(ledger, id.jobId))) throw new SpawnError('JOB_NOT_FOUND', { ref: String(id.jobId) });
  return { size: await ledger.ports.copies.append(id, offset, bytes) };
}

/** With which token the session was opened; 0 for the Unix socket. */
async function tokenOf({ memory, ports }: Ledger, sessionId: number): Promise<number> {
  const live = memory.sessions.get(sessionId);
  if (live !== undefined) return live.token;
  const [closed] = await ports.store.findSessions([sessionId]);
  if (closed === undefined) throw new SpawnError('SESSION_UNKNOWN', { session: sessionId });
  return (JSON.parse(closed.detail) as SessionDetail).token ?? 0;
}
