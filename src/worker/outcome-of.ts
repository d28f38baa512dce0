import type { Outcome, ProcessEnd } from '../core/outcome.ts';
import type { Attempt } from './attempt.ts';
import type { TaskEnded } from './forker/types.ts';

/** The outcome of an attempt from what the forker saw. */
export function outcomeOf({ cause, end }: Pick<TaskEnded, 'cause' | 'end'>): Outcome {
  const exit: ProcessEnd =
    end.kind === 'exited' ? { kind: 'exited', code: end.code } : { kind: 'signalled', signal: end.signal };
  switch (cause) {
    case 'timeLimit':
      return { kind: 'timedOut', exit };
    case 'memory':
      return { kind: 'outOfMemory' };
    case 'cancel':
      return { kind: 'cancelled', exit };
    case 'lease':
      return { kind: 'lost' };
    case 'shutdown':
      // Asked to stop with its worker, it finished its work after all.
      return end.kind === 'exited' && end.code === 0 ? { kind: 'exited', code: 0 } : { kind: 'preempted' };
    case 'none':
      return exit;
  }
}

/** The same, where the worker knows more than its forker: a process that only said why nothing ran, or one that was ended for its silence. */
export function attemptOutcome({ failure, stalled, cancelled }: Attempt, event: TaskEnded): Outcome {
  if (event.cause === 'none' && failure !== undefined) return failure;
  const outcome = outcomeOf(event);
  if (outcome.kind !== 'cancelled' || !stalled || cancelled) return outcome;
  return { ...outcome, kind: 'stalled' };
}
