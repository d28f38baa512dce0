import { value } from '../../core/error-text.ts';
import type { Units } from '../window.ts';
import { CR, LF } from './lines.ts';

const SHOWN_UNITS = 20;

/** What stands at a place, up to the end of its line, as a message shows it. */
export function foundAt(units: Units, at: number, to: number): string {
  const rest = units.subarray(at, Math.min(to, at + SHOWN_UNITS));
  const end = rest.findIndex((unit) => unit === LF || unit === CR);
  const line = end < 0 ? rest : rest.subarray(0, end);
  // A character that was cut off at the end of what is shown is left away.
  const text =
    line instanceof Uint8Array
      ? Buffer.from(line)
          .toString()
          .replace(/\ufffd+$/, '')
      : String.fromCharCode(...line);
  return text.trim() === '' ? 'the end of the line' : value(text.trimEnd());
}
