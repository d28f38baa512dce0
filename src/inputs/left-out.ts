import type { BadRecords } from '../api/data.ts';
import type { BlobSink, LeftOut } from './plan/manifest.ts';
import type { Fault } from './records/scan.ts';
import { badInput, badRecord, type LineFinder } from './refuse.ts';
import type { Window } from './window.ts';

/** One record that a plan left out, as its list has it. */
export interface LeftOutRecord {
  /** Position in the plan. */
  readonly source: number;
  readonly uri: string;
  /** Bytes of the source. */
  readonly from: number;
  readonly to: number;
  readonly line: number;
  readonly column: number;
  readonly expected: string;
  readonly found: string;
}

/** Records that a list has at most. With `skip` more are only counted; where they are to be written, more are refused. */
const MOST_LISTED = 100_000;

/** Applies the policy for bad records: throws for one that must not be there, and lists those that are left out. */
export class BadRecordPolicy {
  count = 0;
  readonly #policy: BadRecords;
  readonly #lines: string[] = [];

  constructor(policy: BadRecords) {
    this.#policy = policy;
  }

  async leaveOut(
    source: number,
    window: Window,
    fault: Fault,
    from: number,
    to: number,
    finder: LineFinder,
    signal: AbortSignal,
  ): Promise<void> {
    const { uri } = window.source.source;
    const { expected, found, fatal } = fault;
    const at = window.placeOf(fault.at);
    if (fatal || this.#policy === 'fail') throw await badRecord(finder, uri, at, expected, found, signal);
    this.count++;
    const max = this.#policy === 'skip' ? Number.POSITIVE_INFINITY : (this.#policy.max ?? MOST_LISTED);
    if (this.count > max) {
      const { line, column } = await finder.find(at, signal);
      const more = `line ${line}, column ${column}: expected ${expected}, found ${found}`;
      throw badInput(uri, `at most ${max} bad records`, 'one more', more);
    }
    if (this.#lines.length >= MOST_LISTED) return;
    const record: LeftOutRecord = { source, uri, from, to, ...(await finder.find(at, signal)), expected, found };
    this.#lines.push(`${JSON.stringify(record)}\n`);
  }

  /** Keeps the list; undefined when nothing was left out. */
  async finish(sink: BlobSink): Promise<LeftOut | undefined> {
    if (this.count === 0) return undefined;
    return { count: this.count, list: await sink.put(Buffer.from(this.#lines.join(''))) };
  }
}
