import type { Ends, FenceRun } from '../api/session.ts';
import { MEASURED, type Measured } from '../core/end-chunk.ts';

type Name = (typeof MEASURED)[number];

/** Ends of many attempts as columns: one that is all zeros is not there, so that a short task costs the few numbers that say something. */
export class EndColumns {
  /** In the order of the columns; neighbours are one run. */
  readonly runs: FenceRun[] = [];
  readonly #columns: Partial<Record<Name, number[]>> = {};
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Of all together. */
  get wallUs(): number {
    let sum = 0;
    for (const value of this.#columns.wallUs ?? []) sum += value;
    return sum;
  }

  /** An attempt that left nothing but its outcome and its duration. */
  addPlain(fence: number, outcome: number, wallUs: number): void {
    this.#fence(fence);
    if (outcome !== 0 || this.#columns.outcome !== undefined) this.#put('outcome', outcome);
    this.#put('wallUs', wallUs);
    this.#count += 1;
  }

  add(fence: number, measured: Partial<Readonly<Measured>>): void {
    this.#fence(fence);
    for (const name of MEASURED) {
      const value = measured[name] ?? 0;
      if (value !== 0) this.#put(name, value);
    }
    this.#count += 1;
  }

  /** Replaces what was said of the one at this place. */
  set(at: number, measured: Partial<Readonly<Measured>>): void {
    for (const name of MEASURED) {
      const value = measured[name];
      if (value !== undefined) this.#column(name, at)[at] = value;
    }
  }

  /** All of another behind these. */
  append(other: EndColumns): void {
    for (const [base, count] of other.runs) this.#fence(base, count);
    for (const name of MEASURED) {
      const column = other.#columns[name];
      if (column === undefined) continue;
      const own = this.#column(name, this.#count);
      for (const value of column) own.push(value);
    }
    this.#count += other.#count;
  }

  /** Those whose fence is wanted. */
  only(isWanted: (fence: number) => boolean): EndColumns {
    const kept = new EndColumns();
    let at = 0;
    for (const [base, count] of this.runs) {
      for (let fence = base; fence < base + count; fence++, at++) {
        if (isWanted(fence)) kept.add(fence, this.#at(at));
      }
    }
    return kept;
  }

  /** As the contract has it. */
  toEnds(): Ends {
    const ends: Ends = { runs: this.runs };
    for (const name of MEASURED) if (this.#columns[name] !== undefined) ends[name] = this.#column(name, this.#count);
    return ends;
  }

  #at(at: number): Partial<Measured> {
    const row: Partial<Measured> = {};
    for (const name of MEASURED) row[name] = this.#columns[name]?.[at] ?? 0;
    return row;
  }

  #fence(base: number, count = 1): void {
    const last = this.runs.at(-1);
    if (last !== undefined && last[0] + last[1] === base) last[1] += count;
    else this.runs.push([base, count]);
  }

  #put(name: Name, value: number): void {
    this.#column(name, this.#count).push(value);
  }

  /** With zeros up to this length. */
  #column(name: Name, length: number): number[] {
    this.#columns[name] ??= [];
    const column = this.#columns[name];
    while (column.length < length) column.push(0);
    return column;
  }
}
