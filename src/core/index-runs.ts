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

/**
 * Collects ascending, disjoint runs into the one form a set has: as if the indices came singly and each run took all
 * it can, where two indices apart are two single ones. So equal sets have equal runs.
 */
class Compressor {
  readonly runs: Run[] = [];
  private start = 0;
  private step = 1;
  private count = 0;

  push(run: Run): void {
    let done = 0;
    // Within three indices the open run ends in this one, with its step; then the rest is one addition.
    while (done < run.count) {
      if (this.count > 1 && this.step === run.step && done > 0) {
        this.count += run.count - done;
        return;
      }
      this.pushOne(run.start + done * run.step);
      done += 1;
    }
  }

  private pushOne(index: number): void {
    if (this.count > 1) {
      const last = this.start + (this.count - 1) * this.step;
      if (index === last + this.step) {
        this.count += 1;
        return;
      }
      if (this.count === 2 && this.step > 1) {
        this.runs.push({ start: this.start, step: 1, count: 1 });
        this.start = last;
      } else {
        this.close();
        this.start = index;
        this.count = 1;
        return;
      }
    } else if (this.count === 0) {
      this.start = index;
      this.count = 1;
      return;
    }
    this.step = index - this.start;
    this.count = 2;
  }

  close(): void {
    const { start, step, count } = this;
    if (count === 2 && step > 1) {
      this.runs.push({ start, step: 1, count: 1 }, { start: start + step, step: 1, count: 1 });
    } else if (count > 0) {
      this.runs.push({ start, step: count === 1 ? 1 : step, count });
    }
    this.count = 0;
  }
}

/** The disjoint ascending form of any runs, or the number of indices that would have to be sorted when above `limit`. */
export function normalise(runs: readonly Run[], limit: number): Run[] | number {
  const sorted = [...runs].sort((a, b) => a.start - b.start);
  const out = new Compressor();
  for (let i = 0; i < sorted.length; ) {
    let groupLast = lastOf(sorted[i]!);
    let end = i + 1;
    while (end < sorted.length && sorted[end]!.start <= groupLast) {
      groupLast = Math.max(groupLast, lastOf(sorted[end]!));
      end += 1;
    }
    if (end === i + 1) {
      out.push(sorted[i]!);
    } else {
      const merged = mergeGroup(sorted.slice(i, end), limit);
      if (typeof merged === 'number') return merged;
      for (const run of merged) out.push(run);
    }
    i = end;
  }
  out.close();
  return out.runs;
}

/** Disjoint ascending runs of a few that overlap. */
function mergeGroup(group: readonly Run[], limit: number): Run[] | number {
  const start = group[0]!.start;
  const last = group.reduce((max, run) => Math.max(max, lastOf(run)), start);
  const dense = denseRuns(group);
  if (dense.length === 1 && dense[0]!.start === start && lastOf(dense[0]!) === last) return dense;
  const parts = [...dense, ...joinAligned(group.filter((run) => run.step > 1))];
  const total = parts.reduce((sum, run) => sum + run.count, 0);
  if (total > limit) return total;
  const indices = new Uint32Array(total);
  let filled = 0;
  for (const run of parts) {
    for (let k = 0; k < run.count; k += 1) indices[filled++] = run.start + k * run.step;
  }
  indices.sort();
  const singles: Run[] = [];
  for (let k = 0; k < total; k += 1) {
    if (k === 0 || indices[k] !== indices[k - 1]) singles.push({ start: indices[k]!, step: 1, count: 1 });
  }
  return singles;
}

/** The union of the runs of step 1, as disjoint runs: no index is looked at. */
function denseRuns(sorted: readonly Run[]): Run[] {
  const out: Run[] = [];
  for (const run of sorted) {
    if (run.step !== 1) continue;
    const open = out.at(-1);
    if (open !== undefined && run.start <= lastOf(open) + 1) {
      const count = Math.max(lastOf(open), lastOf(run)) - open.start + 1;
      out[out.length - 1] = { start: open.start, step: 1, count };
    } else {
      out.push(run);
    }
  }
  return out;
}

/** Joins runs of the same step that hit the same indices, so that a range written a thousand times costs as one. */
function joinAligned(sorted: readonly Run[]): Run[] {
  const open = new Map<string, Run>();
  const out: Run[] = [];
  for (const run of sorted) {
    const key = `${run.step}:${run.start % run.step}`;
    const before = open.get(key);
    if (before !== undefined && run.start <= lastOf(before) + run.step) {
      const last = Math.max(lastOf(before), lastOf(run));
      open.set(key, { start: before.start, step: run.step, count: (last - before.start) / run.step + 1 });
    } else {
      if (before !== undefined) out.push(before);
      open.set(key, run);
    }
  }
  return [...out, ...open.values()];
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
