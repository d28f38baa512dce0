import { SpawnError } from './errors.ts';
import { intersectRuns, lastOf, MAX_INDEX, type Run } from './index-runs.ts';
import { type IndexDialect, scanIndexSet } from './index-set-text.ts';
import { normalise } from './normalise-runs.ts';
import { TextScanner } from './text-scanner.ts';

export type { IndexDialect, Run };
export { MAX_INDEX };

/** How many tasks an array may have when nothing else is said. */
const DEFAULT_MAX_SIZE = 1_000_000;

/** Overlapping stepped ranges are merged index by index; more than this many would be a way to stop the coordinator. */
const MAX_SORTED = 4_000_000;

/**
 * An immutable set of array indices as ascending runs that do not interleave, so that a million indices cost a few
 * bytes. The position of an index is its rank in the set: what RANK and the per-task columns of a job use.
 */
export class IndexSet {
  readonly size: number;
  private readonly starts: Uint32Array;
  private readonly steps: Uint32Array;
  private readonly counts: Uint32Array;
  /** Position of the first index of each run. */
  private readonly offsets: Uint32Array;
  private readonly writtenStep: number;

  private constructor(runs: readonly Run[], writtenStep: number) {
    this.starts = new Uint32Array(runs.length);
    this.steps = new Uint32Array(runs.length);
    this.counts = new Uint32Array(runs.length);
    this.offsets = new Uint32Array(runs.length);
    let size = 0;
    runs.forEach((run, r) => {
      this.starts[r] = run.start;
      this.steps[r] = run.step;
      this.counts[r] = run.count;
      this.offsets[r] = size;
      size += run.count;
    });
    this.size = size;
    this.writtenStep = writtenStep;
  }

  /** 0 to n-1. */
  static ofSize(n: number): IndexSet {
    return IndexSet.fromRuns(n === 0 ? [] : [{ start: 0, step: 1, count: n }]);
  }

  /** Any runs, in any order, overlapping or not. `writtenStep`: what `step()` shall give when it is not to be derived. */
  static fromRuns(runs: readonly Run[], writtenStep?: number): IndexSet {
    const disjoint = normalise(runs, MAX_SORTED);
    if (typeof disjoint === 'number') throw new SpawnError('ARRAY_TOO_LARGE', { size: disjoint, max: MAX_SORTED });
    return new IndexSet(disjoint, writtenStep ?? (disjoint.length === 1 ? disjoint[0]!.step : 1));
  }

  /** Reads what `toString` wrote. The size is not limited. */
  static fromString(text: string): IndexSet {
    return parseIndexSet(text, { dialect: 'wire', maxSize: MAX_INDEX + 1 }).set;
  }

  /** The smallest index; NaN of the empty set. */
  get min(): number {
    return this.size === 0 ? Number.NaN : this.at(0);
  }

  /** The largest index; NaN of the empty set. */
  get max(): number {
    return this.size === 0 ? Number.NaN : this.at(this.size - 1);
  }

  /** The index at a position, 0 to size - 1. O(log runs). */
  at(position: number): number {
    if (!(position >= 0 && position < this.size)) {
      throw new RangeError(`position ${position} of ${this.size}`);
    }
    const r = lastAtMost(this.offsets, position);
    return this.starts[r]! + (position - this.offsets[r]!) * this.steps[r]!;
  }

  /** The position of an index, or -1. O(log runs). */
  positionOf(index: number): number {
    const r = lastAtMost(this.starts, index);
    if (r < 0) return -1;
    const away = index - this.starts[r]!;
    const step = this.steps[r]!;
    if (away % step !== 0) return -1;
    const k = away / step;
    return k < this.counts[r]! ? this.offsets[r]! + k : -1;
  }

  has(index: number): boolean {
    return this.positionOf(index) >= 0;
  }

  /** SLURM_ARRAY_TASK_STEP: S when the set was written as one `a-b:S`, 1 for every list (as Slurm: by the text). */
  step(): number {
    return this.writtenStep;
  }

  /** The runs, ascending; two single indices are two runs. */
  *ranges(): IterableIterator<Run> {
    for (let r = 0; r < this.starts.length; r += 1) yield this.run(r);
  }

  equals(other: IndexSet): boolean {
    const length = this.starts.length;
    if (length !== other.starts.length) return false;
    for (let r = 0; r < length; r += 1) {
      if (this.starts[r] !== other.starts[r]) return false;
      if (this.counts[r] !== other.counts[r]) return false;
      if (this.steps[r] !== other.steps[r]) return false;
    }
    return true;
  }

  intersect(other: IndexSet): IndexSet {
    const shared: Run[] = [];
    for (const [run] of this.sharedRuns(other)) shared.push(run);
    return IndexSet.fromRuns(shared);
  }

  /** Where the indices of `other` are in this set: ascending [first position, count]. Indices not in this set are left out. */
  *positionsOf(other: IndexSet): IterableIterator<readonly [start: number, count: number]> {
    let start = 0;
    let count = 0;
    for (const [shared, r] of this.sharedRuns(other)) {
      const stride = shared.count === 1 ? 1 : shared.step / this.steps[r]!;
      const first = this.offsets[r]! + (shared.start - this.starts[r]!) / this.steps[r]!;
      const [pieces, each] = stride === 1 ? [1, shared.count] : [shared.count, 1];
      for (let k = 0; k < pieces; k += 1) {
        const at = first + k * stride;
        if (count > 0 && at === start + count) {
          count += each;
        } else {
          if (count > 0) yield [start, count];
          start = at;
          count = each;
        }
      }
    }
    if (count > 0) yield [start, count];
  }

  /** The indices at the positions: the inverse of `positionsOf`. */
  select(positions: Iterable<readonly [start: number, count: number]>): IndexSet {
    const runs: Run[] = [];
    for (const [start, count] of positions) {
      let from = start;
      for (let r = lastAtMost(this.offsets, from); from < start + count; r += 1) {
        const within = from - this.offsets[r]!;
        const taken = Math.min(this.counts[r]! - within, start + count - from);
        runs.push({ start: this.starts[r]! + within * this.steps[r]!, step: this.steps[r]!, count: taken });
        from += taken;
      }
    }
    return IndexSet.fromRuns(runs);
  }

  /** The shortest text that `fromString` reads back to the same set and the same `step()`: `0-98:2,101`. */
  toString(): string {
    const parts: string[] = [];
    if (this.size > 0 && this.size < 3 && this.writtenStep > 1) return `${this.min}-${this.max}:${this.writtenStep}`;
    let first = this.starts.length > 0 ? this.run(0) : undefined;
    if (first !== undefined && this.starts.length === 1 && first.step > 1 && this.writtenStep === 1) {
      // A list whose indices happen to be evenly apart stays a list, because its step is 1.
      parts.push(String(first.start));
      first = { start: first.start + first.step, step: first.step, count: first.count - 1 };
    }
    if (first !== undefined) parts.push(runText(first));
    for (let r = 1; r < this.starts.length; r += 1) parts.push(runText(this.run(r)));
    return parts.join(',');
  }

  private run(r: number): Run {
    return { start: this.starts[r]!, step: this.steps[r]!, count: this.counts[r]! };
  }

  /** Shared runs with the number of the run of this set that each is part of. */
  private *sharedRuns(other: IndexSet): IterableIterator<readonly [Run, number]> {
    let r = 0;
    let o = 0;
    while (r < this.starts.length && o < other.starts.length) {
      const mine = this.run(r);
      const theirs = other.run(o);
      const shared = intersectRuns(mine, theirs);
      if (shared !== undefined) yield [shared, r];
      if (lastOf(mine) <= lastOf(theirs)) r += 1;
      else o += 1;
    }
  }
}

/** The last place of an ascending column whose value is at most `value`, or -1. */
function lastAtMost(column: Uint32Array, value: number): number {
  let low = 0;
  let high = column.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (column[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function runText(run: Run): string {
  if (run.count === 1) return String(run.start);
  return `${run.start}-${lastOf(run)}${run.step === 1 ? '' : `:${run.step}`}`;
}

export interface IndexSetOptions {
  /**
   * native: a number alone is a size (`100` is 0-99), a list or a range is indices. slurm: a number alone is an index;
   * `%` without a number is no throttle. wire: as slurm, without throttle and brackets optional.
   * Default native.
   */
  readonly dialect?: IndexDialect;
  /** How many indices there may be. Default 1,000,000. */
  readonly maxSize?: number;
}

export interface ParsedIndexSet {
  readonly set: IndexSet;
  /** How many tasks may be leased or running at once; absent when not limited (`%0` included). */
  readonly throttle?: number;
}

/**
 * Reads `a`, `a-b`, `a-b:s`, lists of them by comma, in brackets or not, and `%K` at the end. It is a set: order and
 * repetition mean nothing. Source: sbatch(1), `--array`.
 * @throws BAD_INDEX_SET with the column; ARRAY_TOO_LARGE
 */
export function parseIndexSet(text: string, options: IndexSetOptions = {}): ParsedIndexSet {
  const max = options.maxSize ?? DEFAULT_MAX_SIZE;
  const scanned = scanIndexSet(new TextScanner(text, 'BAD_INDEX_SET'), options.dialect ?? 'native');
  const set = setOfScanned(scanned.runs, scanned.step, max);
  return scanned.throttle > 0 ? { set, throttle: scanned.throttle } : { set };
}

/** The set of runs as scanned, refused when it has more than `max` indices. */
export function setOfScanned(runs: readonly Run[], step: number, max: number): IndexSet {
  for (const { count } of runs) {
    if (count > max) throw new SpawnError('ARRAY_TOO_LARGE', { size: count, max });
  }
  const set = IndexSet.fromRuns(runs, step);
  if (set.size > max) throw new SpawnError('ARRAY_TOO_LARGE', { size: set.size, max });
  return set;
}
