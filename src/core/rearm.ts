import type { Term } from './dependency.ts';
import type { Job } from './job.ts';
import { TaskState } from './task-state.ts';
import { TaskReason } from './task-table.ts';

interface Step {
  job: Job;
  /** Positions that are no longer ended. */
  runs: readonly (readonly [start: number, count: number])[];
}

/**
 * Tasks of `job` run again: tasks that were skipped because of them wait again, and so on down the chain. What ran is not undone, and a
 * satisfied dependency stays satisfied. Jobs of the Slurm dialect are not re-armed. `revived` is told each job that changed.
 */
export function rearmFollowers(job: Job, runs: Step['runs'], revived: (job: Job) => void): void {
  const steps: Step[] = [{ job, runs }];
  for (let step = steps.shift(); step !== undefined; step = steps.shift()) {
    for (const { job: follower, term } of step.job.waiters) {
      if (follower.facts.invalidDependency === 'wait') continue;
      const again = rearmFollower(step, follower, term);
      if (again.length === 0) continue;
      revived(follower);
      steps.push({ job: follower, runs: again });
    }
  }
}

function rearmFollower(step: Step, follower: Job, at: number): (readonly [number, number])[] {
  const term = follower.facts.dependency!.terms[at]!;
  const wholeFailed = follower.termStates[at] === 'failed';
  const again: (readonly [number, number])[] = [];
  if (term.type === 'aftercorr') rearmPartners(step, follower, again);
  if (wholeFailed) {
    follower.termStates[at] = 'pending';
    follower.dirty = true;
    for (const [start, count] of [...follower.table.runsOf(TaskState.skipped)]) {
      rearmWhole(step.job, follower, term, start, count, again);
    }
  }
  return again;
}

function rearmPartners(step: Step, follower: Job, again: (readonly [number, number])[]): void {
  for (const [start, count] of step.runs) {
    for (let position = start; position < start + count; position++) {
      const partner = follower.facts.indices.positionOf(step.job.facts.indices.at(position));
      if (partner >= 0 && follower.table.state[partner] === TaskState.skipped) rearmRun(follower, partner, 1, again);
    }
  }
}

/** Of an aftercorr term only tasks without a partner waited for the whole array. */
function rearmWhole(
  job: Job,
  follower: Job,
  term: Term,
  start: number,
  count: number,
  again: (readonly [number, number])[],
): void {
  if (term.type !== 'aftercorr') {
    rearmRun(follower, start, count, again);
    return;
  }
  for (let position = start; position < start + count; position++) {
    if (!job.facts.indices.has(follower.facts.indices.at(position))) rearmRun(follower, position, 1, again);
  }
}

function rearmRun(follower: Job, start: number, count: number, again: (readonly [number, number])[]): void {
  follower.table.moveRun(start, count, TaskState.skipped, TaskState.blocked);
  follower.table.setReason(start, count, TaskReason.none);
  follower.table.touchRun(start, count);
  again.push([start, count]);
}
