import type { Window } from '../window.ts';

/** What is wrong with a record. */
export interface Fault {
  /** Number of the record among those of the scan. */
  readonly record: number;
  /** Unit of the window where it is wrong. */
  readonly at: number;
  readonly expected: string;
  readonly found: string;
  /** It cannot be told where records begin after it, so that no policy can leave it out. */
  readonly fatal: boolean;
}

/** Records that one look at a window finds at most. */
export const MOST_RECORDS = 32 * 1024;

/** The records that one look at a window found, whole ones only; used again for the next. */
export class Found {
  /** Unit behind each record, with its line end. A record begins behind the one before. */
  readonly ends: Uint32Array;
  count = 0;
  /** Unit up to which what was used belongs to no record, nor to the one after it; -1 where there is nothing like that. */
  outside = -1;
  /** In the order of their records. */
  faults: Fault[] = [];
  /** What groups go by, one for each record; only when they are asked for. */
  readonly keys: string[] = [];

  constructor(most = MOST_RECORDS) {
    this.ends = new Uint32Array(most);
  }

  get full(): boolean {
    return this.count >= this.ends.length;
  }

  clear(): void {
    this.count = 0;
    this.outside = -1;
    this.faults = [];
  }

  add(end: number): void {
    this.ends[this.count++] = end;
  }

  fault(at: number, expected: string, found: string, fatal = false): void {
    this.faults.push({ record: this.count, at, expected, found, fatal });
  }
}

/**
 * Finds the whole records at `window.start`, and gives the unit behind what it used: at least the last record's end. What is
 * there but no record (blank lines) belongs to the one after it. When nothing follows (`window.last`) it uses all of it.
 * It may write to the spare units behind the window. A fatal fault is the last one of a scan.
 */
export type Scan = (window: Window, found: Found) => number;
