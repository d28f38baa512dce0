import { Canary, chooseCanary } from '../core/canary.ts';
import type { Job } from '../core/job.ts';
import { TaskState } from '../core/task-state.ts';
import { TaskReason } from '../core/task-table.ts';
import type { StoredJobFixed } from '../store/store.ts';
import type { Books } from './books.ts';
import { cancelTasks } from './cancel.ts';

/** Random digits at the end of an array id. */
const SEED_DIGITS = 6;

/** Chooses the tasks that run first, if the job asks for any; always the same ones for the same job. */
export function addCanary(job: Job, { arrayId, size, spec }: StoredJobFixed): void {
  if (spec.canary === 0) return;
  job.canary = new Canary(chooseCanary(size, spec.canary, arrayId.slice(-SEED_DIGITS)));
  setGate(job);
}

/** As it was stored. */
export function restoreCanary(job: Job, stored: Pick<Canary, 'state' | 'missed'> | undefined): void {
  if (job.canary === undefined || stored === undefined) return;
  job.canary.state = stored.state;
  job.canary.missed = stored.missed;
  setGate(job);
}

function setGate({ canary, table }: Job): void {
  table.setGate(canary?.state === 'running' ? canary.positions : undefined);
}

/** Every canary has ended: the others run now, or never. */
export function decideCanary(books: Books, job: Job): void {
  const canary = job.canary!;
  const tasks = canary.positions.length;
  const notCompleted = canary.notCompleted(job.table.state);
  const { changes } = books.memory;
  if (notCompleted === 0) {
    canary.state = 'passed';
    changes.event(books.now, job.id, 'canaryPassed', { tasks });
  } else {
    canary.state = 'failed';
    const cancelled = cancelTasks(books, job, [[0, job.size]], TaskReason.canaryFailed);
    // Otherwise the whole job was cancelled or skipped, its canary with it: that is no finding.
    if (cancelled > 0 || job.table.counts[TaskState.failed]! > 0) {
      canary.missed = notCompleted;
      changes.event(books.now, job.id, 'canaryFailed', { tasks, notCompleted, cancelled });
    }
  }
  setGate(job);
  books.changed(job);
}

/** Tasks of the job wait again. When there are canaries among them, the others wait for those; what has passed stays passed. */
export function reviveCanary(job: Job): void {
  const { canary, table } = job;
  if (canary?.state !== 'failed' || canary.hasEnded(table.state)) return;
  canary.state = 'running';
  canary.missed = 0;
  setGate(job);
}
