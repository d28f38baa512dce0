import { readParamTable } from '../api/param-table.ts';
import { readStageManifest } from '../api/stage.ts';
import { SpawnError } from '../core/errors.ts';
import type { Ledger } from './ledger.ts';
import type { CheckedSubmit } from './submit.ts';

/** What a spec names by hash must be stored. Errors: BAD_REQUEST. */
export async function checkBlobs(ledger: Ledger, { spec, indices }: CheckedSubmit): Promise<void> {
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
  if (spec.paramTable !== undefined) await checkParamTable(ledger, spec.paramTable, indices?.size ?? 1);
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

/** Has as many rows as there are tasks. What its pieces say is for the workers to read. */
async function checkParamTable(ledger: Ledger, hash: string, tasks: number): Promise<void> {
  const { blobs } = ledger.ports;
  const bad = (expected: string, found: string): never => {
    throw new SpawnError('BAD_REQUEST', { where: 'spec.paramTable', expected, found });
  };
  const found = await blobs.get(hash);
  const table = found?.kind === 'params' ? readParamTable(found.bytes) : undefined;
  if (table === undefined) return bad('the hash of a stored list of the pieces of a table of parameters', hash);
  if (table.rows !== tasks) bad(`a row for each of the ${tasks} tasks`, `${table.rows} rows`);
  for (const [piece] of table.pieces) {
    if (!(await blobs.has('params', piece))) bad('a table with all its pieces stored', `${piece} missing`);
  }
}
