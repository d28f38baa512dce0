import { type Dependency, formatDependency, type Term, type TermState } from '../../core/dependency.ts';
import { IndexSet } from '../../core/index-set.ts';

/** More than these stay in brackets. */
const MOST_SINGLE = 1_000;

/** As `%E` of squeue and `Dependency=` of scontrol show what is left of a dependency: `afterok:7_*(unfulfilled),after:8+5(failed)`. */
export function dependencyText(
  dependency: Dependency | undefined,
  states: readonly TermState[],
  isArray: (job: number) => boolean,
): string {
  const parts = (dependency?.terms ?? []).flatMap((term, at) => {
    const state = states[at] ?? 'pending';
    if (state === 'satisfied') return [];
    const shown = state === 'failed' ? '(failed)' : '(unfulfilled)';
    if (term.type === 'singleton') return [`singleton${shown}`];
    if (term.indices === null && isArray(term.jobId)) {
      const whole = formatDependency({ mode: 'all', terms: [term] });
      return [`${whole.replace(/(\+\d+)?$/, '_*$1')}${shown}`];
    }
    return single(term).map((one) => `${formatDependency({ mode: 'all', terms: [one] })}${shown}`);
  });
  return parts.length === 0 ? '(null)' : parts.join(dependency!.mode === 'all' ? ',' : '?');
}

/** A term for each index, as Slurm keeps them. */
function single(term: Term): readonly Term[] {
  if (term.type === 'singleton' || term.indices === null || term.indices.size > MOST_SINGLE) return [term];
  const { indices } = term;
  return Array.from({ length: indices.size }, (_, position) => {
    const run = { start: indices.at(position), step: 1, count: 1 };
    return { ...term, indices: IndexSet.fromRuns([run]) };
  });
}
