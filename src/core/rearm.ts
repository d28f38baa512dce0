import type { Condition, Job, Waiter } from './job.ts';
import { TaskState } from './task-state.ts';
import { TaskReason } from './task-table.ts';
import { type JobTerm, partnerOf, type Runs, runsOfCondition, termOf } from './terms.ts';

interface Step {
  job: Job;
  /** Positions that are no longer ended. */
  runs: Runs;
}

/** What re-arming tells whoever holds the jobs. */
export interface RearmWorld {
  /** Tasks of the job, which may have ended, wait again. */
  revived(job: Job): void;
  /** Only what is known of its dependency changed. */
  changed(job: Job): void;
}

/**
 * Tasks of `job` run again: tasks that were skipped because of them wait again, and so on down the chain. What ran is not undone, and a
 * satisfied dependency stays satisfied. Jobs of the Slurm dialect are not re-armed. Gives the jobs with tasks that wait again: to be
 * evaluated, because what they also wait for may have been decided while nothing of them waited.
 */
export function rearmFollowers(job: Job, runs: Runs, world: RearmWorld): ReadonlySet<Job> {
  const revived = new Set<Job>();
  const steps: Step[] = [{ job, runs }];
  for (let step = steps.shift(); step !== undefined; step = steps.shift()) {
    for (const waiter of step.job.waiters) {
      const { job: follower } = waiter;
      if (follower.facts.invalidDependency === 'wait') continue;
      const again = rearmFollower(step, waiter, world);
      if (again.length === 0) continue;
      if (follower.endedAt !== 0) for (const each of follower.conditions) each.queueAgain();
      revived.add(follower);
      world.revived(follower);
      steps.push({ job: follower, runs: again });
    }
  }
  return revived;
}

function rearmFollower(step: Step, waiter: Waiter, world: RearmWorld): Runs {
  const { job: follower, condition, term: at } = waiter;
  const term = termOf(waiter);
  const wholeFailed = condition.termStates[at] === 'failed' && namesAny(term, step);
  if (wholeFailed) {
    condition.termStates[at] = 'pending';
    world.changed(follower);
  }
  if (isHopeless(condition)) return [];
  const again: [number, number][] = [];
  if (term.type === 'aftercorr') rearmPartners(step, waiter, term, again);
  if (wholeFailed) {
    for (const [start, count] of runsOfCondition(follower, condition, TaskState.skipped)) {
      if (term.type !== 'aftercorr') rearmRun(follower, start, count, again);
      else rearmUnpaired(step.job, follower, term, start, count, again);
    }
  }
  return again;
}

/** Whether the term speaks of any of the tasks that run again. */
function namesAny({ indices }: JobTerm, { job, runs }: Step): boolean {
  if (indices === null) return true;
  for (const [start, count] of runs) {
    for (let position = start; position < start + count; position++) {
      if (indices.has(job.facts.indices.at(position))) return true;
    }
  }
  return false;
}

/** Another term has failed for all its tasks, and every term must hold. */
function isHopeless({ dependency, termStates }: Condition): boolean {
  const { mode, terms } = dependency!;
  return mode === 'all' && termStates.some((state, at) => state === 'failed' && terms[at]!.type !== 'aftercorr');
}

function rearmPartners(
  step: Step,
  { job: follower, condition }: Waiter,
  term: JobTerm,
  again: [number, number][],
): void {
  for (const [start, count] of step.runs) {
    for (let position = start; position < start + count; position++) {
      const index = step.job.facts.indices.at(position);
      if (partnerOf(step.job, term, index) !== position) continue;
      const partner = follower.facts.indices.positionOf(index);
      if (partner < 0 || follower.table.state[partner] !== TaskState.skipped) continue;
      if (follower.conditionOf(partner) === condition) rearmRun(follower, partner, 1, again);
    }
  }
}

/** Of an aftercorr term only tasks without a partner waited for the whole array. */
function rearmUnpaired(
  job: Job,
  follower: Job,
  term: JobTerm,
  start: number,
  count: number,
  again: [number, number][],
): void {
  for (let position = start; position < start + count; position++) {
    if (partnerOf(job, term, follower.facts.indices.at(position)) < 0) rearmRun(follower, position, 1, again);
  }
}

function rearmRun(follower: Job, start: number, count: number, again: [number, number][]): void {
  follower.table.moveRun(start, count, TaskState.skipped, TaskState.blocked);
  follower.table.setReason(start, count, TaskReason.none);
  again.push([start, count]);
}
