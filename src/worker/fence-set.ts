import type { FenceRun } from '../api/session.ts';

const DIGEST_MODULUS = 2 ** 48;

/** Sum of base … base+count-1 modulo 2^48. */
function sumOfRun(base: number, count: number): number {
  if (count === 1) return base % DIGEST_MODULUS;
  const n = BigInt(count);
  return Number((BigInt(base) * n + (n * (n - 1n)) / 2n) % BigInt(DIGEST_MODULUS));
}

/**
 * A set of fences as ascending runs, so that ten thousand granted at once cost two numbers. Keeps its digest (count and
 * sum modulo 2^48) up to date, because every exchange carries it.
 */
export class FenceSet {
  readonly #bases: number[] = [];
  readonly #counts: number[] = [];
  #count = 0;
  #sum = 0;

  get count(): number {
    return this.#count;
  }

  get runCount(): number {
    return this.#bases.length;
  }

  digest(): { count: number; sum: number } {
    return { count: this.#count, sum: this.#sum };
  }

  runs(): FenceRun[] {
    return this.#bases.map((base, i) => [base, this.#counts[i]!]);
  }

  has(fence: number): boolean {
    const at = this.#lastAtMost(fence);
    return at >= 0 && fence < this.#bases[at]! + this.#counts[at]!;
  }

  /** The parts of a run that are in the set, ascending. */
  within(base: number, count: number): FenceRun[] {
    const found: FenceRun[] = [];
    const end = base + count;
    for (let i = this.#firstTouching(base); i < this.#bases.length && this.#bases[i]! < end; i++) {
      const from = Math.max(base, this.#bases[i]!);
      const to = Math.min(end, this.#bases[i]! + this.#counts[i]!);
      found.push([from, to - from]);
    }
    return found;
  }

  /** The parts of a run that are not in the set, ascending. */
  without(base: number, count: number): FenceRun[] {
    const missing: FenceRun[] = [];
    let from = base;
    for (const [start, length] of this.within(base, count)) {
      if (start > from) missing.push([from, start - from]);
      from = start + length;
    }
    if (from < base + count) missing.push([from, base + count - from]);
    return missing;
  }

  /** Fences that are in the set already stay. */
  add(base: number, count = 1): void {
    for (const [start, length] of this.without(base, count)) this.#insert(start, length);
  }

  /** Fences that are not in the set are passed over. */
  delete(base: number, count = 1): void {
    for (const [start, length] of this.within(base, count)) this.#cut(start, length);
  }

  clear(): void {
    this.#bases.length = 0;
    this.#counts.length = 0;
    this.#count = 0;
    this.#sum = 0;
  }

  /** Forgets the lowest runs until at most `runCount` are left: bounds a memory of what was. */
  keepHighest(runCount: number): void {
    while (this.#bases.length > runCount) this.#cut(this.#bases[0]!, this.#counts[0]!);
  }

  #insert(base: number, count: number): void {
    const before = this.#lastAtMost(base);
    const joinsBefore = before >= 0 && this.#bases[before]! + this.#counts[before]! === base;
    const joinsAfter = this.#bases[before + 1] === base + count;
    if (joinsBefore && joinsAfter) {
      this.#counts[before]! += count + this.#counts[before + 1]!;
      this.#splice(before + 1, 1);
    } else if (joinsBefore) {
      this.#counts[before]! += count;
    } else if (joinsAfter) {
      this.#bases[before + 1] = base;
      this.#counts[before + 1]! += count;
    } else {
      this.#splice(before + 1, 0, [base, count]);
    }
    this.#count += count;
    this.#sum = (this.#sum + sumOfRun(base, count)) % DIGEST_MODULUS;
  }

  /** Removes a run that lies inside one run of the set. */
  #cut(base: number, count: number): void {
    const at = this.#lastAtMost(base);
    const start = this.#bases[at]!;
    const before = base - start;
    const after = this.#counts[at]! - before - count;
    const left: FenceRun[] = [];
    if (before > 0) left.push([start, before]);
    if (after > 0) left.push([base + count, after]);
    this.#splice(at, 1, ...left);
    this.#count -= count;
    this.#sum = (this.#sum + DIGEST_MODULUS - sumOfRun(base, count)) % DIGEST_MODULUS;
  }

  #splice(at: number, removed: number, ...runs: FenceRun[]): void {
    this.#bases.splice(at, removed, ...runs.map(([base]) => base));
    this.#counts.splice(at, removed, ...runs.map(([, count]) => count));
  }

  /** The last run that begins at or before the fence, or -1. */
  #lastAtMost(fence: number): number {
    let low = 0;
    let high = this.#bases.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#bases[middle]! <= fence) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #firstTouching(fence: number): number {
    const at = this.#lastAtMost(fence);
    return at >= 0 && fence < this.#bases[at]! + this.#counts[at]! ? at : at + 1;
  }
}
