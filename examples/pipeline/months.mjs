import { readFileSync } from 'node:fs';

/** The days of one month, 1 to 12, of all years of a weather file: `{ day, max }`. */
export function daysOf(month, path) {
  const [, ...lines] = readFileSync(path, 'utf8').trim().split('\n');
  return lines
    .map((line) => line.split(','))
    .filter(([day]) => Number(day.slice(5, 7)) === month)
    .map(([day, , max]) => ({ day, max: Number(max) }));
}
