import type { Window } from '../window.ts';
import { findLineEnds } from './lines.ts';
import type { Found, Scan } from './scan.ts';

/** Every line is a record, also an empty one; the last one needs no line end. */
export function textScan(lineEnd: number): Scan {
  return (window: Window, found: Found) => {
    found.count = findLineEnds(window.units, window.start, window.length, lineEnd, found.ends, found.count);
    const used = found.count > 0 ? found.ends[found.count - 1]! : window.start;
    if (!window.last || found.full || used === window.length) return used;
    found.add(window.length);
    return window.length;
  };
}
