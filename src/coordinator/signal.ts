import type { SignalRequest, VerbReply } from '../api/job.ts';
import { GrantStatus } from '../core/grant-range.ts';
import type { Job } from '../core/job.ts';
import type { Books } from './books.ts';
import { addFence, eachIn, type Runs } from './cancel.ts';
import { sessionsOf } from './gang.ts';
import type { Ledger } from './ledger.ts';
import { checkOwner } from './ownership.ts';
import { resolveRef } from './refs.ts';
import { checkSelection, selectTasks } from './selection.ts';
import type { Caller } from './use-cases.ts';
import { viewJob } from './views.ts';

/**
 * Sends a signal to what runs of a job; `tasks` of the reply counts them, and the others hear nothing of it. Once it is answered it is on its way:
 * a worker that is away gets it when it is back, and passes it on if the attempt still runs.
 */
export async function signalTasks(
  ledger: Ledger,
  caller: Caller,
  ref: string,
  { signal, scope, ...selection }: SignalRequest,
): Promise<VerbReply> {
  const resolved = await resolveRef(ledger.memory, ledger.ports.store, ref, 'change');
  checkSelection(selection);
  return await ledger.writeAfter(
    () => ledger.bring(resolved.id, false),
    (world) => {
      const entry = ledger.entry(resolved.id);
      checkOwner(entry, caller, 'signal');
      const { job } = entry;
      const tasks = tellSignal(world, job, selectTasks(job, resolved, selection).runs, signal, scope);
      if (tasks > 0) world.memory.changes.event(world.now, job.id, 'jobSignalled', { tasks, signal, scope });
      return { job: viewJob(world.memory, world.entryOf(job)), tasks };
    },
  );
}

/** A worker of API 1 would not understand it. */
function tellSignal(books: Books, job: Job, runs: Runs, signal: number, scope: SignalRequest['scope']): number {
  const to = { mainOnly: scope === 'main', ...(scope === 'steps' ? { steps: true as const } : {}) };
  let told = 0;
  for (const range of job.grants) {
    const running = [...eachIn(range, runs)].filter((at) => range.status[at] === GrantStatus.running);
    if (running.length === 0 || books.memory.sessions.get(range.sessionId)!.session.api < 2) continue;
    const fences: [number, number][] = [];
    for (const at of running) addFence(fences, range.fence + at);
    for (const { id } of sessionsOf(books.memory, range)) {
      books.memory.changes.tell(id).signal.push({ signal, ...to, fences });
    }
    told += running.length;
  }
  return told;
}
