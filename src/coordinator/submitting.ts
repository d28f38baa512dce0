import type { SubmitReply, SubmitRequest } from '../api/job.ts';
import { MAX_ARRAY_SIZE } from '../api/limits.ts';
import { withCompanions } from './data/companions.ts';
import { draftNumbers } from './drafts.ts';
import type { Ledger } from './ledger.ts';
import type { JobEntry, Memory } from './memory.ts';
import { readJob } from './reading.ts';
import { checkSubmit, hashRequest } from './submit.ts';
import { findBefore, rehearse, type Submission, submitDrafts } from './submit-drafts.ts';
import type { Caller } from './use-cases.ts';
import { viewJob } from './views.ts';

/** Submits a job once for each idempotency key. */
export async function submitJob(ledger: Ledger, caller: Caller, request: SubmitRequest): Promise<SubmitReply> {
  const next = draftNumbers();
  const number = next();
  const checked = checkSubmit(request.spec, ledger.ports.options.maxArraySize ?? MAX_ARRAY_SIZE);
  const drafts = withCompanions({ number, checked }, next);
  const main = drafts.find((draft) => draft.number === number)!;
  const submission: Submission = { drafts, main, key: request.idempotencyKey, bodyHash: hashRequest(request.spec) };
  const replay = async (id: number): Promise<SubmitReply> => {
    return { job: await readJob(ledger, String(id)), replayed: true, dryRun: false };
  };
  const before = await findBefore(ledger, caller, submission);
  if (before !== undefined) return await replay(before);
  const view = (memory: Memory, entries: readonly JobEntry[]) => viewJob(memory, entries[drafts.indexOf(main)]!);
  if (request.dryRun === true) {
    const job = await rehearse(ledger, caller, submission, 0, view);
    return { job: { ...job, id: 0 }, replayed: false, dryRun: true };
  }
  const done = await submitDrafts(ledger, caller, submission, view);
  return 'before' in done ? await replay(done.before) : { job: done.taken, replayed: false, dryRun: false };
}
