/** The largest index there is: one below 2^32 - 1, which Slurm uses for "no index". */
export const MAX_INDEX = 4_294_967_294;

/** The indices start, start + step, … : `count` of them. A step of 1 when there is one. */
export interface Run {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

export function lastOf(run: Run): number {
  return run.start + (run.count - 1) * run.step;
}

/** The indices two runs share: again one run, or undefined. */
export function intersectRuns(a: Run, b: Run): Run | undefined {
  const [few, many] = a.count <= b.count ? [a, b] : [b, a];
  const last = Math.min(lastOf(a), lastOf(b));
  const shared = gcd(few.step, many.step);
  // With `few` fewer than `many`, either it is short or the step of `many` is: at most 65,536 rounds.
  const rounds = Math.min(few.count, many.step / shared);
  const first = Math.max(0, Math.ceil((many.start - few.start) / few.step));
  for (let k = first; k < first + rounds; k += 1) {
    const index = few.start + k * few.step;
    if (index > last) return undefined;
    if ((index - many.start) % many.step === 0) {
      const step = (few.step / shared) * many.step;
      const count = Math.floor((last - index) / step) + 1;
      return { start: index, step: count === 1 ? 1 : step, count };
    }
  }
  return undefined;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
