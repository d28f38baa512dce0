import { formatDependency } from '../core/dependency.ts';
import { SpawnError } from '../core/errors.ts';
import { checkRules } from './alerts/rules.ts';
import { checkBlobs } from './check-blobs.ts';
import { admitDrafts, type Draft, imagineDrafts, NUMBERLESS, ofOthers, takeDrafts } from './drafts.ts';
import { checkLaunch } from './instances/hooks.ts';
import type { Ledger } from './ledger.ts';
import type { JobEntry, Memory } from './memory.ts';
import { bringPredecessors, withoutRawIds } from './predecessors.ts';
import { makeFixed } from './submit.ts';
import type { Caller } from './use-cases.ts';

/** Jobs that are submitted together, once for each key. */
export interface Submission {
  /** In the order of their numbers: none before one that it waits for. */
  readonly drafts: readonly Draft[];
  /** Which of them the key stands for. */
  readonly main: Draft;
  readonly key: string | undefined;
  /** Of the request. */
  readonly bodyHash: string;
}

/** The job for which a key was used before; undefined when it was not. Errors: IDEMPOTENCY_MISMATCH. */
export async function findBefore(
  ledger: Ledger,
  caller: Caller,
  { key, bodyHash }: Pick<Submission, 'key' | 'bodyHash'>,
): Promise<number | undefined> {
  if (key === undefined) return undefined;
  const row = await ledger.ports.store.findKey(`${caller.tenant}/${caller.owner}`, key);
  if (row === undefined) return undefined;
  checkSameBody(row.bodyHash, bodyHash, key);
  return row.jobId;
}

/** Takes all of the jobs in one change, or gives the number of the job that a twin of this request has made meanwhile. */
export async function submitDrafts<T>(
  ledger: Ledger,
  caller: Caller,
  submission: Submission,
  view: (memory: Memory, entries: readonly JobEntry[]) => T,
): Promise<{ readonly taken: T } | { readonly before: number }> {
  const { randomHex } = ledger.ports;
  const { key, bodyHash, main } = submission;
  const drafts = await prepare(ledger, caller, submission.drafts);
  const memoryKey = `${caller.tenant}\0${caller.owner}\0${key}`;
  return await ledger.writeAfter(
    () => bringAll(ledger, drafts),
    (world) => {
      const { memory } = world;
      // A twin of this request may have been taken in while we looked into the store.
      const twin = key === undefined ? undefined : memory.keys.get(memoryKey);
      if (twin !== undefined) {
        checkSameBody(twin.bodyHash, bodyHash, key!);
        return { before: twin.jobId };
      }
      admitDrafts(ledger, caller, drafts);
      const entries = takeDrafts(world, caller, drafts, randomHex);
      if (key !== undefined) {
        const jobId = entries[submission.drafts.indexOf(main)]!.job.id;
        const row = { owner: `${caller.tenant}/${caller.owner}`, key, bodyHash, jobId, at: world.now };
        memory.changes.keys.push(row);
        memory.keys.set(memoryKey, { bodyHash, jobId });
        if (memory.keys.size > 10_000) memory.keys.delete(memory.keys.keys().next().value!);
      }
      return { taken: view(memory, entries) };
    },
  );
}

/** Checks all that a submit checks, and shows what would be taken. @param first the number that the first job is shown with */
export async function rehearse<T>(
  ledger: Ledger,
  caller: Caller,
  { drafts: given }: Submission,
  first: number,
  view: (memory: Memory, entries: readonly JobEntry[]) => T,
): Promise<T> {
  const drafts = await prepare(ledger, caller, given);
  await bringAll(ledger, drafts);
  return await ledger.read((memory) => {
    admitDrafts(ledger, caller, drafts);
    return view(memory, imagineDrafts(ledger, caller, drafts, first));
  });
}

/** Checks what needs no look at what lives now. */
async function prepare(ledger: Ledger, caller: Caller, drafts: readonly Draft[]): Promise<readonly Draft[]> {
  const { instances, store } = ledger.ports;
  const named: Draft[] = [];
  for (const given of drafts) {
    const draft = await nameTasks(ledger, given);
    checkRules(ledger.ports.alerts, caller, draft.checked.spec.notify);
    await checkBlobs(ledger, draft.checked);
    const fixed = makeFixed(draft.checked, caller, { ...NUMBERLESS, createdAt: ledger.world.now });
    checkLaunch(instances, store.storeId, fixed);
    named.push(draft);
  }
  return named;
}

/** Its dependency names no task by its raw number any more. */
async function nameTasks(ledger: Ledger, draft: Draft): Promise<Draft> {
  const { checked } = draft;
  if (checked.dependency === null) return draft;
  const dependency = await withoutRawIds(ledger, checked.dependency);
  const isSame = dependency.terms.every((term, at) => term === checked.dependency!.terms[at]);
  if (isSame) return draft;
  const spec = { ...checked.spec, after: formatDependency(dependency) };
  return { ...draft, checked: { ...checked, dependency, spec } };
}

async function bringAll(ledger: Ledger, drafts: readonly Draft[]): Promise<void> {
  for (const { checked } of drafts) await bringPredecessors(ledger, ofOthers(checked.dependency));
}

function checkSameBody(known: string, given: string, key: string): void {
  if (known !== given) throw new SpawnError('IDEMPOTENCY_MISMATCH', { key });
}
