import type { JobSpec } from '../api/job-spec.ts';
import { readStageManifest } from '../api/stage.ts';
import { SpawnError } from '../core/errors.ts';
import type { Ledger } from './ledger.ts';

/** What a spec names by hash must be stored. Errors: BAD_REQUEST. */
export async function checkBlobs(ledger: Ledger, spec: JobSpec): Promise<void> {
  const { blobs } = ledger.ports;
  const named = [
    ...(spec.run.kind === 'script' ? [{ where: 'spec.run.hash', hash: spec.run.hash, kind: 'script' }] : []),
    ...(spec.envSnapshot === undefined ? [] : [{ where: 'spec.envSnapshot', hash: spec.envSnapshot, kind: 'env' }]),
    ...(spec.instances?.userData === undefined
      ? []
      : [{ where: 'spec.instances.userData', hash: spec.instances.userData, kind: 'script' }]),
  ];
  for (const { where, hash, kind } of named) {
    const found = await blobs.get(hash);
    if (found?.kind !== kind) {
      throw new SpawnError('BAD_REQUEST', { where, expected: `the hash of a stored ${kind}`, found: hash });
    }
  }
  if (spec.stage !== undefined) await checkStage(ledger, spec.stage);
}

async function checkStage(ledger: Ledger, hash: string): Promise<void> {
  const { blobs } = ledger.ports;
  const bad = (expected: string, found: string): never => {
    throw new SpawnError('BAD_REQUEST', { where: 'spec.stage', expected, found });
  };
  const found = await blobs.get(hash);
  const manifest = found?.kind === 'stage' ? readStageManifest(found.bytes) : undefined;
  for (const piece of manifest?.pieces ?? bad('the hash of a stored list of the pieces of a packed directory', hash)) {
    if (!(await blobs.has('stage', piece))) bad('a packed directory with all its pieces stored', `${piece} missing`);
  }
}
