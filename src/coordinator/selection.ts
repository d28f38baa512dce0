import type { Selection } from '../api/job.ts';
import { SpawnError } from '../core/errors.ts';
import { type FailureFilter, matchesFailure, parseFailureFilter } from '../core/failure-filter.ts';
import type { Job } from '../core/job.ts';
import { TASK_STATES, TaskState } from '../core/task-state.ts';
import type { Runs } from './cancel.ts';
import { type ResolvedRef, selectRuns } from './refs.ts';

/** The tasks that a reference and a selection name together, as positions. */
export interface Selected {
  readonly runs: Runs;
  /** All of the job, named as such: the verb is about the job itself. */
  readonly whole: boolean;
}

/** The tasks that a query about logs names. */
export function selectionOf({ index, state }: { index?: string | undefined; state?: string | undefined }): Selection {
  return { ...(index === undefined ? {} : { index }), ...(state === undefined ? {} : { state }) };
}

/** Everything of a selection that can be wrong whatever the job is. */
export function checkSelection({ state, where }: Selection): void {
  if (state !== undefined) parseStates(state);
  if (where !== undefined) parseFailureFilter(where);
}

/** Errors: TASK_NOT_FOUND for an index that is not in the array; tasks that do not fit `state` and `where` are left out. */
export function selectTasks(job: Job, ref: ResolvedRef, selection: Selection): Selected {
  const { index, state, where } = selection;
  let runs = selectRuns(job, ref, index);
  const whole = ref.indices === null && index === undefined && state === undefined && where === undefined;
  if (state !== undefined) runs = inStates(job, runs, parseStates(state));
  if (where !== undefined) runs = endedSo(job, runs, parseFailureFilter(where));
  return { runs, whole };
}

/** Reads `failed,cancelled`. */
export function parseStates(text: string): Set<number> {
  return new Set(
    text.split(',').map((name) => {
      const state = TASK_STATES.indexOf(name as (typeof TASK_STATES)[number]);
      if (state < 0)
        throw new SpawnError('BAD_REQUEST', { where: 'state', expected: TASK_STATES.join(', '), found: name });
      return state;
    }),
  );
}

function inStates({ table }: Job, runs: Runs, states: ReadonlySet<number>): Runs {
  return keep(runs, (position) => states.has(table.state[position]!));
}

/** Those whose last attempt that ended did so in a way that the filter names. */
function endedSo({ table }: Job, runs: Runs, filter: FailureFilter): Runs {
  return keep(runs, (position) => {
    const ended = table.attempts[position]! - (table.state[position] === TaskState.running ? 1 : 0);
    return ended > 0 && matchesFailure(filter, table.outcomes?.[position] ?? 0);
  });
}

/** Those of the positions that fit. */
export function keep(runs: Runs, fits: (position: number) => boolean): Runs {
  const kept: [number, number][] = [];
  for (const [start, count] of runs) {
    for (let position = start; position < start + count; position++) {
      if (!fits(position)) continue;
      const last = kept.at(-1);
      if (last !== undefined && last[0] + last[1] === position) last[1]++;
      else kept.push([position, 1]);
    }
  }
  return kept;
}
