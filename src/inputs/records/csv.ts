import type { Units, Window } from '../window.ts';
import { foundAt } from './found-text.ts';
import { CR } from './lines.ts';
import type { Found, Scan } from './scan.ts';

/** How a table is written, in units of its encoding. */
export interface CsvShape {
  readonly delimiter: readonly number[];
  readonly quote: number;
  readonly lineEnd: number;
  /** Fields that every record must have; undefined: any number. */
  readonly fields: number | undefined;
}

/**
 * Quotes count where a field begins; then everything up to the closing one belongs to the field, also line ends, and two of them
 * mean one. A quote further on in a field is a character like others. An empty line is no record.
 */
export function csvScan(shape: CsvShape): Scan {
  const { quote, lineEnd, fields: wanted } = shape;
  const comma = shape.delimiter[0]!;
  const more = shape.delimiter.slice(1);
  return (window: Window, found: Found) => {
    const { units, length } = window;
    // Guards: a search for the end of a field stops at the first, one for a closing quote at the second.
    units[length] = lineEnd;
    units[length + 1] = quote;
    units[length + 2] = 0;
    let at = window.start;
    let used = at;
    while (!found.full) {
      while (at < length && (units[at] === lineEnd || (units[at] === CR && units[at + 1] === lineEnd))) at++;
      if (at >= length) return window.last || units[length - 1] !== CR ? length : used;
      const begin = at;
      let fields = 1;
      let wrong = -1;
      for (;;) {
        if (units[at] === quote) {
          const opened = at;
          at = afterQuoted(units, at, quote);
          if (at > length) {
            if (!window.last) return used;
            found.fault(opened, 'a closing quote', 'the end of the file', true);
            found.add(length);
            return length;
          }
          if (wrong < 0 && !endsField(units, at, comma, lineEnd)) wrong = at;
        }
        let unit = units[at];
        while (unit !== comma && unit !== lineEnd) unit = units[++at];
        if (unit === lineEnd) break;
        at++;
        if (more.length === 0) fields++;
        else if (more.every((next, index) => units[at + index] === next)) {
          at += more.length;
          fields++;
        } else if (units[at] === quote) at++;
      }
      // At the guard: more of the record may follow.
      if (at >= length && !window.last) return used;
      at = Math.min(at + 1, length);
      if (wrong >= 0)
        found.fault(wrong, 'a delimiter or line end after a closing quote', foundAt(units, wrong, length));
      else if (wanted !== undefined && fields !== wanted) found.fault(begin, countOf(wanted), `${fields}`);
      found.add(at);
      used = at;
    }
    return used;
  };
}

function countOf(fields: number): string {
  return fields === 1 ? '1 field' : `${fields} fields`;
}

/** The unit behind the closing quote of a field that begins with one. */
function afterQuoted(units: Units, opened: number, quote: number): number {
  let at = opened + 1;
  for (;;) {
    while (units[at] !== quote) at++;
    at++;
    if (units[at] !== quote) return at;
    at++;
  }
}

function endsField(units: Units, at: number, comma: number, lineEnd: number): boolean {
  const unit = units[at];
  return unit === comma || unit === lineEnd || (unit === CR && units[at + 1] === lineEnd);
}
