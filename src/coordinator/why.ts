import type { Blocker, WhyReply } from '../api/insight.ts';
import { SpawnError } from '../core/errors.ts';
import type { Ledger } from './ledger.ts';
import { lookAt } from './reading.ts';
import { resolveRef, selectRuns } from './refs.ts';
import { addEnds, viewStates } from './tasks.ts';
import { viewJob } from './views.ts';
import { taskId } from './why-dependency.ts';
import { jobBlockers, taskBlockers } from './why-rules.ts';

/** What keeps a job or a task from running: every rule that does, what decides first before the others. */
export async function explainWhy(ledger: Ledger, ref: string): Promise<WhyReply> {
  const { store, clock } = ledger.ports;
  const resolved = await resolveRef(ledger.memory, store, ref, 'look');
  if (resolved.indices !== null && resolved.indices.size > 1) {
    throw new SpawnError('BAD_REQUEST', { where: 'ref', expected: 'a job or one task', found: ref });
  }
  const seen = await lookAt(ledger, resolved.id, (entry, memory) => {
    const { job } = entry;
    const now = clock.now();
    const position = resolved.indices === null ? undefined : selectRuns(job, resolved, undefined)[0]![0];
    const asked = { memory, job, now, position };
    const found = position === undefined ? jobBlockers(asked) : taskBlockers(asked, position);
    const blockers = ledger.writable ? found : [storeFull(found), ...found];
    const id = position === undefined ? String(job.id) : taskId(job, position);
    const positions = position === undefined ? [] : [position];
    return { id, job: viewJob(memory, entry), positions, views: viewStates(memory, entry, positions), blockers };
  });
  await addEnds(store, resolved.id, seen.positions, seen.views);
  const [task] = seen.views;
  return { ref: seen.id, job: seen.job, ...(task === undefined ? {} : { task }), blockers: seen.blockers };
}

function storeFull(others: readonly Blocker[]): Blocker {
  const text = 'nothing is started while the disk of the coordinator is full; it goes on by itself when there is space';
  return { rule: 'storeFull', text, tasks: Math.max(1, ...others.map(({ tasks }) => tasks)), holders: [] };
}
