import type { Cutter } from './cut/cutters.ts';
import { type Charset, findInvalid, isValid } from './encoding.ts';
import type { BadRecordPolicy } from './left-out.ts';
import type { Found, Scan } from './records/scan.ts';
import { LineFinder } from './refuse.ts';
import type { OpenSource } from './source.ts';
import { Window } from './window.ts';

/** One source to be read from the beginning of its records to its end. */
export interface SourceScan {
  /** Position in the plan. */
  readonly source: number;
  readonly open: OpenSource;
  readonly charset: Charset;
  readonly lineEnd: number;
  readonly from: number;
  readonly scan: Scan;
  readonly cutter: Cutter;
  readonly bad: BadRecordPolicy;
  /** What groups go by; adds faults for records without it. */
  readonly keys?: (window: Window, found: Found) => void;
  /** Called after every look with the bytes that were read since the last. */
  readonly onRead: (bytes: number) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Reads a source once, whole records at a time, and gives them to the cutter. Memory does not grow with the source. */
export async function scanSource(work: SourceScan, found: Found): Promise<void> {
  const { open, charset, scan, signal } = work;
  const window = new Window(open, work.from, open.source.size, charset, signal);
  const finder = new LineFinder(open, charset, work.lineEnd);
  try {
    while (await window.fill()) {
      for (;;) {
        signal.throwIfAborted();
        const from = window.start;
        found.clear();
        const used = scan(window, found);
        if (found.count === 0 && used === from) break;
        checkCharacters(window, found, from, used);
        work.keys?.(window, found);
        await give(work, window, found, from, finder);
        window.start = used;
        await work.onRead((used - from) * charset.unit);
      }
    }
  } finally {
    await window.close();
  }
}

/** Adds a fault for every record that is not valid in the encoding. */
export function checkCharacters(window: Window, found: Found, from: number, used: number): void {
  const { unit, encoding } = window.charset;
  if (isValid(window.bytes, encoding, from * unit, used * unit)) return;
  const known = new Map(found.faults.map((fault) => [fault.record, fault]));
  let begin = from;
  for (let record = 0; record <= found.count; record++) {
    // Behind the last record: what stands around the array of a document.
    const end = record < found.count ? found.ends[record]! : used;
    if (!isValid(window.bytes, encoding, begin * unit, end * unit)) {
      const { at, found: what } = findInvalid(window.bytes, encoding, begin * unit, end * unit);
      const fatal = record === found.count || known.get(record)?.fatal === true;
      known.set(record, { record, at: Math.floor(at / unit), expected: encoding, found: what, fatal });
    }
    begin = end;
  }
  found.faults = [...known.values()].sort((a, b) => a.record - b.record);
}

async function give(work: SourceScan, window: Window, found: Found, from: number, finder: LineFinder): Promise<void> {
  const { cutter, bad, signal } = work;
  let next = 0;
  if (found.outside >= 0) cutter.skip(window.placeOf(found.outside));
  for (const fault of found.faults) {
    if (fault.record > next) cutter.take(window, found, next, fault.record);
    const begin = window.placeOf(fault.record === 0 ? from : found.ends[fault.record - 1]!);
    const end = window.placeOf(found.ends[fault.record] ?? window.length);
    await bad.leaveOut(work.source, window, fault, begin, end, finder, signal);
    cutter.skip(end);
    next = fault.record + 1;
  }
  if (found.count > next) cutter.take(window, found, next, found.count);
}
