import type { Window } from '../window.ts';
import { foundAt } from './found-text.ts';
import { FAULTY, guardText, INCOMPLETE, JsonValues, skipSpace } from './json-value.ts';
import { findLineEnds, LF, textEnd } from './lines.ts';
import { type Found, MOST_RECORDS, type Scan } from './scan.ts';

/** Every line is a record of one JSON value; a line of spaces is none. Line ends are LF, as CR is a space of JSON. */
export function jsonlScan(): Scan {
  const values = new JsonValues();
  const memory = new Uint32Array(MOST_RECORDS);
  return (window: Window, found: Found) => {
    const { units, length } = window;
    guardText(units, length);
    const lines = memory.subarray(0, found.ends.length);
    let count = findLineEnds(units, window.start, length, LF, lines, 0);
    let line = window.start;
    const used = count > 0 ? lines[count - 1]! : line;
    const complete = count < lines.length;
    if (window.last && complete && used < length) lines[count++] = length;
    for (let at = 0; at < count; at++) {
      const end = lines[at]!;
      const begin = skipSpace(units, line, end);
      line = end;
      if (begin === end) continue;
      const behind = values.end(units, begin, end);
      if (behind === INCOMPLETE)
        found.fault(textEnd(units, begin, end, LF), 'the rest of a JSON value', 'the end of the line');
      else if (behind === FAULTY) found.fault(values.faultAt, values.expected, foundAt(units, values.faultAt, end));
      else {
        const rest = skipSpace(units, behind, end);
        if (rest < end) found.fault(rest, 'the end of the line', foundAt(units, rest, end));
      }
      found.add(end);
    }
    return window.last && complete ? length : used;
  };
}
