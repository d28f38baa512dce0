import { lastOf, type Run } from './index-runs.ts';

/**
 * Any runs as ascending ones that do not interleave, in the one form a set has: as if the indices came singly and each
 * run took all it can, where two indices apart are two single ones. So equal sets have equal runs. Overlapping runs of
 * different steps have to be merged index by index: when these are more than `limit`, their number is given instead.
 */
export function normalise(runs: readonly Run[], limit: number): Run[] | number {
  const sorted = [...runs].sort((a, b) => a.start - b.start);
  const out = new Compressor();
  let merged = 0;
  for (let i = 0; i < sorted.length; ) {
    let last = lastOf(sorted[i]!);
    let end = i + 1;
    while (end < sorted.length && sorted[end]!.start <= last) {
      last = Math.max(last, lastOf(sorted[end]!));
      end += 1;
    }
    if (end === i + 1) {
      out.push(sorted[i]!);
    } else {
      merged += mergeGroup(out, sorted.slice(i, end), last, limit - merged);
      if (merged > limit) return merged;
    }
    i = end;
  }
  return out.finish();
}

/** Takes ascending, disjoint runs and indices, and joins them. */
class Compressor {
  readonly #runs: Run[] = [];
  #start = 0;
  #step = 1;
  #count = 0;

  push(run: Run): void {
    for (let done = 0; done < run.count; done += 1) {
      // After at most three indices the open run ends in this one and has its step: the rest is one addition.
      if (done > 0 && this.#count > 1 && this.#step === run.step) {
        this.#count += run.count - done;
        return;
      }
      this.pushIndex(run.start + done * run.step);
    }
  }

  pushIndex(index: number): void {
    const last = this.#start + (this.#count - 1) * this.#step;
    if (this.#count > 1 && index === last + this.#step) {
      this.#count += 1;
      return;
    }
    this.#splitPair();
    if (this.#count > 1) this.#close();
    if (this.#count === 0) {
      this.#start = index;
    } else {
      this.#step = index - this.#start;
    }
    this.#count += 1;
  }

  finish(): Run[] {
    this.#splitPair();
    if (this.#count > 0) this.#close();
    return this.#runs;
  }

  /** Two indices apart do not make a run: the first is on its own, the second may begin one. */
  #splitPair(): void {
    if (this.#count !== 2 || this.#step === 1) return;
    this.#runs.push({ start: this.#start, step: 1, count: 1 });
    this.#start += this.#step;
    this.#count = 1;
  }

  #close(): void {
    this.#runs.push({ start: this.#start, step: this.#count === 1 ? 1 : this.#step, count: this.#count });
    this.#count = 0;
  }
}

/** Pushes the union of runs that overlap. Gives how many indices were sorted for it; nothing is done above `limit`. */
function mergeGroup(out: Compressor, group: readonly Run[], last: number, limit: number): number {
  const dense = denseRuns(group);
  if (dense.length === 1 && dense[0]!.start === group[0]!.start && lastOf(dense[0]!) === last) {
    out.push(dense[0]!);
    return 0;
  }
  const parts = [...dense, ...joinAligned(group.filter((run) => run.step > 1))];
  const total = parts.reduce((sum, run) => sum + run.count, 0);
  if (total > limit) return total;
  const indices = new Uint32Array(total);
  let filled = 0;
  for (const run of parts) {
    for (let k = 0; k < run.count; k += 1) indices[filled++] = run.start + k * run.step;
  }
  indices.sort();
  let before = -1;
  for (const index of indices) {
    if (index !== before) out.pushIndex(index);
    before = index;
  }
  return total;
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
