import type { Dependency } from '../core/dependency.ts';
import { SpawnError } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import { rearmFollowers } from '../core/rearm.ts';
import { changeCondition, checkRoom, findCycle } from '../core/recondition.ts';
import type { Books } from './books.ts';
import type { Runs } from './cancel.ts';
import { linkJob } from './restore.ts';

/**
 * Makes tasks that have not started wait for something else (null: nothing), all of the job with `runs` null. What it names is in memory.
 * Gives how many tasks that concerns. Errors: DEPENDENCY_SELF, DEPENDENCY_CYCLE, CONFLICT for too many different ones.
 */
export function changeDependency(books: Books, job: Job, runs: Runs | null, dependency: Dependency | null): number {
  checkChange(books, job, runs, dependency);
  const { changed, unskipped } = changeCondition(job, runs, dependency);
  linkJob(books.memory, job);
  for (const { jobId } of namesOf(dependency)) {
    books.memory.changes.dependencies.push({ jobId: job.id, dependsOn: jobId });
  }
  books.changed(job);
  // Their canary and the deadline, if they had ended with these tasks, go on with them.
  if (unskipped.length > 0) books.revived(job);
  const followers = unskipped.length === 0 ? [] : rearmFollowers(job, unskipped, books);
  books.settlement.evaluate(job);
  for (const follower of followers) books.settlement.evaluate(follower);
  books.settlement.run();
  return changed.reduce((sum, [, count]) => sum + count, 0);
}

/** All errors of changeDependency. */
export function checkChange(books: Books, job: Job, runs: Runs | null, dependency: Dependency | null): void {
  if (dependency !== null) refuseCycle(books, job, dependency);
  if (runs !== null) checkRoom(job, dependency);
}

function namesOf(dependency: Dependency | null) {
  return (dependency?.terms ?? []).filter((term) => term.type !== 'singleton');
}

/** What has ended waits for nothing, whether it has left memory yet or not. */
function liveJob({ jobs }: Books['memory'], id: number): Job | undefined {
  const job = jobs.get(id)?.job;
  return job?.endedAt === 0 ? job : undefined;
}

function refuseCycle({ memory }: Books, job: Job, dependency: Dependency): void {
  const cycle = findCycle(job, dependency, (id) => liveJob(memory, id));
  if (cycle === undefined) return;
  if (cycle.length === 2) throw new SpawnError('DEPENDENCY_SELF', { ref: String(job.id) });
  throw new SpawnError('DEPENDENCY_CYCLE', { jobs: cycle });
}
