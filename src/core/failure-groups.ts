/** A failed task of which is known what it said last; undefined when it said nothing. */
export interface SampledFailure {
  readonly position: number;
  /** encodeOutcome() of its last attempt. */
  readonly outcome: number;
  readonly message: string | undefined;
}

/** Tasks that ended in the same way and said the same. */
export interface OutcomeGroup {
  readonly outcome: number;
  readonly message: string | undefined;
  readonly tasks: number;
  /** `tasks` was scaled up from those that were looked at. */
  readonly estimated: boolean;
  /** Those of them that were looked at; empty when it was none. */
  readonly positions: readonly number[];
}

/** Messages of one outcome that get a group of their own; the rest shares one without a message. */
const MAX_MESSAGES = 20;

/**
 * Groups failed tasks by outcome and message. How many there are of each outcome is exact; it is shared out to the messages as they are
 * in the sample, to whole tasks that add up. Largest groups first.
 */
export function groupFailures(
  counts: ReadonlyMap<number, number>,
  sample: readonly SampledFailure[],
): readonly OutcomeGroup[] {
  const groups: OutcomeGroup[] = [];
  for (const [outcome, tasks] of counts) {
    const seen = sample.filter((one) => one.outcome === outcome);
    groups.push(...groupsOf(outcome, tasks, seen));
  }
  return groups.toSorted((a, b) => b.tasks - a.tasks || a.outcome - b.outcome);
}

function groupsOf(outcome: number, tasks: number, seen: readonly SampledFailure[]): OutcomeGroup[] {
  if (seen.length === 0) return [{ outcome, message: undefined, tasks, estimated: false, positions: [] }];
  const parts = [...partition(seen)].toSorted(([, a], [, b]) => b.length - a.length);
  const [rest, named] = [parts.slice(MAX_MESSAGES), parts.slice(0, MAX_MESSAGES)];
  if (rest.length > 0) {
    const silent = named.find(([message]) => message === undefined);
    const others = rest.flatMap(([, positions]) => positions);
    if (silent === undefined) named.push([undefined, others]);
    else silent[1].push(...others);
  }
  const shares = shareOut(
    tasks,
    named.map(([, positions]) => positions.length),
  );
  const estimated = seen.length < tasks;
  return named.map(([message, positions], at) => {
    return { outcome, message, tasks: shares[at]!, estimated, positions: positions.toSorted((a, b) => a - b) };
  });
}

function partition(seen: readonly SampledFailure[]): Map<string | undefined, number[]> {
  const parts = new Map<string | undefined, number[]>();
  for (const { message, position } of seen) {
    const positions = parts.get(message);
    if (positions === undefined) parts.set(message, [position]);
    else positions.push(position);
  }
  return parts;
}

/** `total` in the proportions of `weights`, in whole numbers that add up to it: the largest remainders are rounded up. */
export function shareOut(total: number, weights: readonly number[]): number[] {
  const sum = weights.reduce((a, b) => a + b, 0);
  const exact = weights.map((weight) => (weight * total) / sum);
  const shares = exact.map(Math.floor);
  const left = total - shares.reduce((a, b) => a + b, 0);
  const byRemainder = exact.map((value, at) => ({ at, rest: value - shares[at]! })).sort((a, b) => b.rest - a.rest);
  for (const { at } of byRemainder.slice(0, left)) shares[at]!++;
  return shares;
}
