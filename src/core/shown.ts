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

/** `a`, `a and b`, `a, b and c`. */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
