import type { PeersReply } from '../../api/instance.ts';
import { SpawnError } from '../../core/errors.ts';
import type { Ledger } from '../ledger.ts';
import { refuseStranger } from '../ownership.ts';
import type { Caller } from '../use-cases.ts';

/** Who runs in the array of the instance that a session serves. Errors: SESSION_UNKNOWN, INSTANCE_NOT_FOUND for a worker of the pool. */
export function readPeers(ledger: Ledger, caller: Caller, sessionId: number): Promise<PeersReply> {
  return ledger.read((memory) => {
    const entry = memory.sessions.get(sessionId);
    if (entry === undefined) throw new SpawnError('SESSION_UNKNOWN', { session: sessionId });
    refuseStranger(caller, sessionId, entry.token);
    const row = memory.instances.rows.get(entry.bound?.instance ?? '');
    if (row === undefined) throw new SpawnError('INSTANCE_NOT_FOUND', { ref: `of session ${sessionId}` });
    const array = memory.instances.arrays.get(row.jobId)!;
    const members = array.running().map(({ id, name, index, position, address }) => ({
      index,
      rank: position,
      id,
      name,
      ip: address,
      privateIp: address,
      dns: array.plan.member(position).dns,
    }));
    return { version: array.peers, members };
  });
}
