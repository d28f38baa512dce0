import { counted, shownBytes, shownCount, shownDuration } from '../../core/shown.ts';

export { counted, shownBytes, shownCount, shownDuration };

/** Tasks a second: `0.3/s`, `12/s`, `1,200/s`. */
export function shownRate(perSecond: number): string {
  return `${perSecond < 9.95 ? perSecond.toFixed(1) : shownCount(Math.round(perSecond))}/s`;
}

/** ISO 8601 in UTC, to the millisecond; null of nothing. */
export function isoTime(epochMs: number | undefined): string | null {
  return epochMs === undefined ? null : new Date(epochMs).toISOString();
}

/** One line, without control characters: text of others must neither break a table nor steer a terminal. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) => ESCAPES[char] ?? '\u00b7');
}

const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '\r': '\\r' };

/** At most `width` characters, the last one an ellipsis when something was cut. */
export function cut(text: string, width: number): string {
  const chars = [...text];
  return chars.length <= width ? text : `${chars.slice(0, Math.max(0, width - 1)).join('')}…`;
}
