import { refuse } from '../../config/slurm/refusal.ts';

/** How sacct writes sizes. */
export interface AcctSizes {
  /** Of memory asked for: whole MiB, as `100M`. */
  readonly asked: (bytes: number) => string;
  /** Of memory used: whole KiB, as `6148K`. */
  readonly used: (bytes: number) => string;
}

const UNITS = ' KMGTP';
const KIB = 1_024;

/**
 * In the largest unit of which a size is a whole number; with `--units` in that one; with `--noconvert` in the one it is counted in.
 * @throws SpawnError with Slurm's words
 */
export function readSizes(units: string | undefined, noconvert: boolean): AcctSizes {
  if (units !== undefined && !/^[KMGTP]/i.test(units)) {
    throw refuse(
      [
        { form: 'error', text: `Invalid unit type '${units}'. Possible options are 'KMGTP'` },
        { form: 'fatal', text: 'Invalid unit type' },
      ],
      1,
    );
  }
  const shown = (size: number, unit: number) => {
    if (units !== undefined) return inUnit(size, unit, UNITS.indexOf(units[0]!.toUpperCase()));
    return noconvert ? `${size}${unitText(unit)}` : exact(size, unit);
  };
  return { asked: (bytes) => shown(Math.ceil(bytes / KIB ** 2), 2), used: (bytes) => shown(bytes, 0) };
}

function unitText(unit: number): string {
  return UNITS[unit]!.trim();
}

function exact(size: number, from: number): string {
  let [left, unit] = [size, from];
  while (left > 0 && left % KIB === 0 && unit < UNITS.length - 1) {
    left /= KIB;
    unit += 1;
  }
  return size === 0 ? '0' : `${left}${unitText(unit)}`;
}

function inUnit(size: number, from: number, to: number): string {
  const value = size * KIB ** (from - to);
  return `${Number.isInteger(value) ? value : value.toFixed(2)}${unitText(to)}`;
}
