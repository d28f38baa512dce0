import { SpawnError } from './errors.ts';

const SIZES: Readonly<Record<string, number>> = { B: 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

export type ByteUnit = 'B' | 'K' | 'M' | 'G' | 'T';

function bad(text: string, at: number, expected: string): never {
  throw new SpawnError('BAD_BYTES', { text, at, expected });
}

/**
 * Bytes of `512M`, `4G`, `4GB`, `4GiB`, `100B`: multiples of 1024 however the unit is written, as Slurm's `--mem`.
 * @param bareUnit the unit of a number without one (Slurm's `--mem`: M); without it such a number is refused, except `0`.
 */
export function parseBytes(text: string, bareUnit?: ByteUnit): number {
  const digits = /^\d+/.exec(text)?.[0];
  if (digits === undefined) bad(text, 0, 'a whole number with a unit, as 512M or 4G');
  const unit = text.slice(digits.length);
  if (unit === '') {
    if (bareUnit === undefined && Number(digits) !== 0) {
      bad(text, digits.length, `a unit: B, K, M, G or T (${digits.slice(0, 6)}M is mebibytes)`);
    }
    return bounded(text, Number(digits) * SIZES[bareUnit ?? 'B']!);
  }
  const letter = /^(?:([KMGT])(?:i?B)?|B)$/i.exec(unit);
  if (letter === null) bad(text, digits.length, 'a unit: B, K, M, G or T');
  return bounded(text, Number(digits) * SIZES[(letter[1] ?? 'B').toUpperCase()]!);
}

function bounded(text: string, bytes: number): number {
  if (bytes > Number.MAX_SAFE_INTEGER) bad(text, 0, 'less than 8192T');
  return bytes;
}

/** `512M` of 536870912: the largest unit that divides it, so that `parseBytes` gives the number back. */
export function formatBytes(bytes: number): string {
  let count = Math.max(0, Math.round(bytes));
  const units = ['B', 'K', 'M', 'G', 'T'];
  let unit = 0;
  while (count > 0 && count % 1024 === 0 && unit < units.length - 1) {
    count /= 1024;
    unit += 1;
  }
  return `${count}${units[unit]}`;
}
