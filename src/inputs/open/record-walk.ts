import type { PlannedSource } from '../plan/manifest.ts';
import { charsetOfPlanned, lineEndOfPlanned } from '../record-input.ts';
import { Found, type Scan } from '../records/scan.ts';
import { badRecord, LineFinder } from '../refuse.ts';
import { checkCharacters } from '../scan-source.ts';
import type { OpenSource } from '../source.ts';
import { Window } from '../window.ts';

/** Records that are given at a time. */
const MOST_AT_A_TIME = 4_096;

/** Whole records of a stretch: `found` of them, the first at the unit `from`, all of them up to `to`. Valid until the next. */
export interface Records {
  readonly window: Window;
  readonly found: Found;
  readonly from: number;
  readonly to: number;
}

/**
 * Walks over the records of a stretch of a source. A record that is not what the input says throws BAD_INPUT with its line: of a
 * plan that looked at all records there is none, of one that only looked for borders there may be.
 */
export async function* walkRecords(
  open: OpenSource,
  row: PlannedSource,
  from: number,
  to: number,
  scan: Scan,
  signal: AbortSignal,
): AsyncIterable<Records> {
  const charset = charsetOfPlanned(row);
  const window = new Window(open, from, to, charset, signal);
  const found = new Found(MOST_AT_A_TIME);
  try {
    while (await window.fill()) {
      for (;;) {
        signal.throwIfAborted();
        const begin = window.start;
        found.clear();
        const used = scan(window, found);
        if (found.count === 0 && used === begin) break;
        checkCharacters(window, found, begin, used);
        const [fault] = found.faults;
        if (fault !== undefined) {
          const finder = new LineFinder(open, charset, lineEndOfPlanned(row));
          throw await badRecord(finder, row.uri, window.placeOf(fault.at), fault.expected, fault.found, signal);
        }
        if (found.count > 0) yield { window, found, from: begin, to: used };
        window.start = used;
      }
    }
  } finally {
    await window.close();
  }
}
