import { SpawnError } from '../core/errors.ts';
import type { Ledger } from './ledger.ts';
import { checkOwner } from './ownership.ts';
import { lookAt } from './reading.ts';
import { resolveRef } from './refs.ts';
import type { Caller } from './use-cases.ts';

/**
 * The script of a job, byte for byte as it was submitted: for its owner and for admins, since what people write into scripts is theirs.
 *
 * @throws SpawnError NO_SCRIPT for a job that was submitted as a command line; NOT_PERMITTED
 */
export async function readScript(ledger: Ledger, caller: Caller, ref: string): Promise<Uint8Array> {
  const { store, blobs } = ledger.ports;
  const { id } = await resolveRef(ledger.memory, store, ref, 'look');
  const hash = await lookAt(ledger, id, (entry) => {
    checkOwner(entry, caller, 'read the script of');
    const { run } = entry.fixed.spec;
    return run.kind === 'script' ? run.hash : undefined;
  });
  const found = hash === undefined ? undefined : await blobs.get(hash);
  if (found === undefined) throw new SpawnError('NO_SCRIPT', { ref: String(id) });
  return found.bytes;
}
