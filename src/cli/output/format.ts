/** `850ms`, `3.2s`, `1m05s`, `2h03m`, `3d04h`: two units at most, for people. */
export function shownDuration(ms: number): string {
  if (!(ms >= 0)) return '-';
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)}s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return two(seconds, 60, 'm', 1, 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 1_440) return two(minutes, 60, 'h', 1, 'm');
  return two(Math.round(minutes / 60), 24, 'd', 1, 'h');
}

function two(amount: number, size: number, large: string, each: number, small: string): string {
  return `${Math.floor(amount / size)}${large}${String((amount % size) / each).padStart(2, '0')}${small}`;
}

/** `512B`, `1.5K`, `20M`: multiples of 1024. */
export function shownBytes(bytes: number): string {
  const units = ['B', 'K', 'M', 'G', 'T', 'P'];
  let amount = bytes;
  let unit = 0;
  while (amount >= 1_023.5 && unit < units.length - 1) {
    amount /= 1_024;
    unit += 1;
  }
  return `${unit > 0 && amount < 9.95 ? amount.toFixed(1) : Math.round(amount)}${units[unit]}`;
}

/** `1,234,567`. */
export function shownCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 task`, `2 tasks`, `no task`. */
export function counted(count: number, word: string): string {
  return count === 0 ? `no ${word}` : `${shownCount(count)} ${word}${count === 1 ? '' : 's'}`;
}

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
