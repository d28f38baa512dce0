import type { Units, Window } from '../window.ts';
import { foundAt } from './found-text.ts';
import { JsonWalk } from './json-path.ts';
import { FAULTY, guardText, INCOMPLETE, JsonValues, skipSpace } from './json-value.ts';
import type { Found, Scan } from './scan.ts';

const COMMA = 0x2c;
const CLOSE = 0x5d;

/**
 * The items of the array at a path, each a record; a record has also the comma and the space before its item. What stands before
 * and behind the array is checked and used up.
 */
export function jsonArrayScan(path: readonly string[]): Scan {
  const walk = new JsonWalk(path);
  const values = new JsonValues();
  let [inArray, items, ended] = [false, 0, false];
  return (window: Window, found: Found) => {
    if (!inArray) {
      if (ended) return window.length;
      const step = walk.walk(window);
      if (walk.fault !== undefined) {
        const { at, expected, found: there } = walk.fault;
        found.fault(at, expected, there, true);
        found.add(window.length);
        return window.length;
      }
      ended = step === 'done';
      inArray = step === 'array';
      found.outside = window.start;
      return window.start;
    }
    const { units, length } = window;
    guardText(units, length);
    let used = window.start;
    while (!found.full) {
      let at = skipSpace(units, used, length);
      if (at >= length) break;
      if (units[at] === CLOSE) {
        inArray = false;
        walk.leaveArray();
        return at + 1;
      }
      if (items > 0) {
        if (units[at] !== COMMA) return fatal(window, found, at, '"," or "]"');
        at = skipSpace(units, at + 1, length);
        if (at >= length) break;
      }
      const end = values.end(units, at, length);
      // A number may go on in what comes next.
      if ((end === INCOMPLETE || end === length) && !window.last) return used;
      if (end === INCOMPLETE) return fatal(window, found, length, 'the rest of a value');
      if (end >= 0) used = end;
      else {
        const behind = skipBroken(units, at, length);
        if (behind >= length && !window.last) return used;
        found.fault(values.faultAt, values.expected, foundAt(units, values.faultAt, length), behind >= length);
        used = behind;
      }
      items++;
      found.add(used);
    }
    if (window.last && !found.full) return fatal(window, found, length, '"," or "]"');
    return used;
  };
}

/** The items in a stretch of an array that a plan has found before, as one of its extents has them. */
export function jsonItemsScan(): Scan {
  const values = new JsonValues();
  return (window: Window, found: Found) => {
    const { units, length } = window;
    guardText(units, length);
    let used = window.start;
    while (!found.full) {
      let at = skipSpace(units, used, length);
      if (at < length && units[at] === COMMA) at = skipSpace(units, at + 1, length);
      if (at >= length) return window.last ? length : used;
      const end = values.end(units, at, length);
      if ((end === INCOMPLETE || end === length) && !window.last) return used;
      if (end < 0) return fatal(window, found, end === FAULTY ? values.faultAt : length, values.expected || 'a value');
      used = end;
      found.add(used);
    }
    return used;
  };
}

function fatal(window: Window, found: Found, at: number, expected: string): number {
  const { units, length } = window;
  found.fault(at, expected, at >= length ? 'the end of the file' : foundAt(units, at, length), true);
  found.add(length);
  return length;
}

/** Behind an item that is not JSON: at the comma or bracket that ends it, if its own quotes and brackets are in pairs; else `to`. */
function skipBroken(units: Units, from: number, to: number): number {
  let depth = 0;
  for (let at = from; at < to; at++) {
    const unit = units[at]!;
    if (unit === 0x22) {
      for (at++; at < to && units[at] !== 0x22; at++) if (units[at] === 0x5c) at++;
      continue;
    }
    if (unit === 0x7b || unit === 0x5b) depth++;
    if (depth === 0 && (unit === COMMA || unit === CLOSE)) return at;
    if (unit === 0x7d || unit === CLOSE) depth--;
  }
  return to;
}
