import type { WorkflowSelection, WorkflowVerb, WorkflowVerbReply } from '../../api/workflow.ts';
import { isSpawnError, SpawnError } from '../../core/errors.ts';
import type { Ledger } from '../ledger.ts';
import type { JobEntry } from '../memory.ts';
import { checkOwner } from '../ownership.ts';
import { checkSelection } from '../selection.ts';
import type { Caller } from '../use-cases.ts';
import { applyNow } from '../verbs.ts';
import { findWorkflow, readWorkflow } from './read.ts';

/** One verb on all jobs of a workflow, in one change. */
export async function applyToWorkflow(
  ledger: Ledger,
  caller: Caller,
  verb: WorkflowVerb,
  ref: string,
  selection: WorkflowSelection,
): Promise<WorkflowVerbReply> {
  const ids = await findWorkflow(ledger, caller, ref);
  checkSelection(selection);
  const done = await ledger.writeAfter(
    () => bringAll(ledger, ids, verb === 'retry'),
    (world) => {
      const entries = ids.flatMap((id) => world.memory.jobs.get(id) ?? []);
      if (entries.length === 0) throw new SpawnError('WORKFLOW_NOT_FOUND', { ref });
      for (const entry of entries) checkOwner(entry, caller, verb);
      let jobs = 0;
      let tasks = 0;
      for (const { job } of inOrder(verb, entries)) {
        const changed = applyNow(world, verb, job, { id: job.id, indices: null }, selection);
        if (changed > 0) jobs++;
        tasks += changed;
      }
      world.settlement.run();
      return { jobs, tasks };
    },
  );
  return { workflow: await readWorkflow(ledger, caller, String(ids[0])), ...done };
}

/**
 * What waits is cancelled before what it waits for, or else it would be skipped for that; what is retried comes after what it waits for. Ended
 * jobs cannot be held or released, and that is no fault of a workflow.
 */
function inOrder(verb: WorkflowVerb, entries: readonly JobEntry[]): readonly JobEntry[] {
  switch (verb) {
    case 'cancel':
      return entries.toReversed();
    case 'retry':
      return entries;
    case 'hold':
    case 'release':
      return entries.filter(({ job }) => job.endedAt === 0);
  }
}

/** Those that were pruned cannot be brought. */
async function bringAll(ledger: Ledger, ids: readonly number[], followers: boolean): Promise<void> {
  for (const id of ids) {
    try {
      await ledger.bring(id, followers);
    } catch (error) {
      if (!isSpawnError(error) || error.code !== 'JOB_NOT_FOUND') throw error;
    }
  }
}
