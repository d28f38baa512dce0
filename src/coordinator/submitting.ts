import type { SubmitReply, SubmitRequest } from '../api/job.ts';
import { MAX_ARRAY_SIZE } from '../api/limits.ts';
import { readStageManifest } from '../api/stage.ts';
import { formatDependency } from '../core/dependency.ts';
import { SpawnError } from '../core/errors.ts';
import { TaskState } from '../core/task-state.ts';
import type { StoredJobFixed } from '../store/store.ts';
import { admitLaunch, checkLaunch } from './instances/hooks.ts';
import type { Ledger } from './ledger.ts';
import { bringPredecessors, checkPredecessors, withoutRawIds } from './predecessors.ts';
import { readJob } from './reading.ts';
import { makeJob } from './restore.ts';
import { addJob, type CheckedSubmit, checkSubmit, hashRequest, makeFixed } from './submit.ts';
import { timesOf } from './times.ts';
import type { Caller } from './use-cases.ts';
import { viewJob } from './views.ts';

/** Submits a job once for each idempotency key. */
export async function submitJob(ledger: Ledger, caller: Caller, request: SubmitRequest): Promise<SubmitReply> {
  const { options, randomHex } = ledger.ports;
  const read = checkSubmit(request.spec, options.maxArraySize ?? MAX_ARRAY_SIZE);
  const { idempotencyKey: key } = request;
  const bodyHash = hashRequest(request);
  if (key !== undefined) {
    const replay = await findReplay(ledger, caller, key, bodyHash);
    if (replay !== undefined) return replay;
  }
  const checked = await nameTasks(ledger, read);
  await checkBlobs(ledger, checked);
  const { instances, store } = ledger.ports;
  checkLaunch(instances, store.storeId, numberless(ledger, caller, checked));
  const bringAll = () => bringPredecessors(ledger, checked.dependency);
  if (request.dryRun === true) {
    await bringAll();
    return await dryRun(ledger, caller, checked);
  }
  const memoryKey = `${caller.tenant}\0${caller.owner}\0${key}`;
  return await ledger.writeAfter(bringAll, (world) => {
    const { memory } = world;
    // A twin of this request may have been taken in while we looked into the store.
    const twin = key === undefined ? undefined : memory.keys.get(memoryKey);
    if (twin !== undefined) {
      checkSameBody(twin.bodyHash, bodyHash, key!);
      return { job: viewJob(memory, ledger.entry(twin.jobId)), replayed: true, dryRun: false };
    }
    checkPredecessors(ledger, checked.dependency);
    admitLaunch(world, numberless(ledger, caller, checked));
    const entry = addJob(world, checked, caller, randomHex(6));
    if (key !== undefined) {
      const row = { owner: `${caller.tenant}/${caller.owner}`, key, bodyHash, jobId: entry.job.id, at: world.now };
      memory.changes.keys.push(row);
      memory.keys.set(memoryKey, { bodyHash, jobId: entry.job.id });
      if (memory.keys.size > 10_000) memory.keys.delete(memory.keys.keys().next().value!);
    }
    return { job: viewJob(memory, entry), replayed: false, dryRun: false };
  });
}

async function findReplay(
  ledger: Ledger,
  caller: Caller,
  key: string,
  bodyHash: string,
): Promise<SubmitReply | undefined> {
  const row = await ledger.ports.store.findKey(`${caller.tenant}/${caller.owner}`, key);
  if (row === undefined) return undefined;
  checkSameBody(row.bodyHash, bodyHash, key);
  return { job: await readJob(ledger, String(row.jobId)), replayed: true, dryRun: false };
}

function checkSameBody(known: string, given: string, key: string): void {
  if (known !== given) throw new SpawnError('IDEMPOTENCY_MISMATCH', { key });
}

/** Its dependency names no task by its raw number any more. */
async function nameTasks(ledger: Ledger, checked: CheckedSubmit): Promise<CheckedSubmit> {
  if (checked.dependency === null) return checked;
  const dependency = await withoutRawIds(ledger, checked.dependency);
  const isSame = dependency.terms.every((term, at) => term === checked.dependency!.terms[at]);
  return isSame ? checked : { ...checked, dependency, spec: { ...checked.spec, after: formatDependency(dependency) } };
}

async function checkBlobs(ledger: Ledger, { spec }: CheckedSubmit): Promise<void> {
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

/** The job's row but for the numbers that it gets when it is taken. */
function numberless(ledger: Ledger, caller: Caller, checked: CheckedSubmit): StoredJobFixed {
  return makeFixed(checked, caller, { id: 0, rawIdBase: 0, createdAt: ledger.world.now, random6hex: '000000' });
}

function dryRun(ledger: Ledger, caller: Caller, checked: CheckedSubmit): Promise<SubmitReply> {
  return ledger.read((memory) => {
    checkPredecessors(ledger, checked.dependency);
    const fixed = numberless(ledger, caller, checked);
    admitLaunch(ledger.world, fixed);
    const job = makeJob(fixed, checked.dependency === null ? TaskState.ready : TaskState.blocked);
    job.held = checked.spec.hold;
    job.throttle = checked.spec.throttle;
    job.priority = checked.spec.priority;
    Object.assign(job, timesOf(checked.spec, ledger.world.now));
    return { job: viewJob(memory, { job, fixed }), replayed: false, dryRun: true };
  });
}
