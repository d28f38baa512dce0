import { SpawnError } from './errors.ts';

/** What the signs of a pattern stand for, of one task. */
export interface OutputFacts {
  /** `%A` */
  readonly jobId: number;
  /** `%a`; 0 without an array. */
  readonly index: number;
  /** `%j`, and `%J`: in Slurm that is the id of the step, which is the job's own for a script. */
  readonly rawId: number;
  /** `%x` */
  readonly name: string;
  /** `%u`: who submitted it. */
  readonly user: string;
  /** `%N`: the machine, without its domain. */
  readonly host: string;
}

/** Slurm: sbatch(1), filename pattern: a number before the sign pads what is a number, to 10 places at most. */
const SIGN = /%(\d*)(.?)/gsu;
const MOST_WIDTH = 10;
const EXPECTED = '%A %a %j %J %x %u %N %b %n %t %s or %%, with a width of 1 to 10 before the letter (%4a)';

/**
 * @param where the flag or field that holds the pattern
 * @throws BAD_REQUEST for a sign that stands for nothing: in Slurm it would become part of the file's name, and a typing error with it
 */
export function checkOutputPath(pattern: string, where: string): void {
  if (pattern.includes('\0')) {
    throw new SpawnError('BAD_REQUEST', { where, expected: 'a path without NUL bytes', found: pattern });
  }
  const found = pattern.includes('\\') ? undefined : firstUnknown(pattern);
  if (found !== undefined) throw new SpawnError('BAD_REQUEST', { where, expected: EXPECTED, found });
}

function firstUnknown(pattern: string): string | undefined {
  for (const [sign, width, letter] of pattern.matchAll(SIGN)) {
    const isPlain = width === '' || (Number(width) >= 1 && Number(width) <= MOST_WIDTH);
    if (!isPlain || !/^[AajJxuNbnts%]$/.test(letter!) || (letter === '%' && width !== '')) return sign;
  }
  return undefined;
}

/**
 * The path of a task's output file, absolute or relative to its directory. A backslash anywhere turns the signs off, and is itself left
 * out unless doubled, as in Slurm. What a sign stands for is one word of the path: it cannot lead into another directory.
 */
export function expandOutputPath(pattern: string, facts: OutputFacts): string {
  if (pattern.includes('\\')) return pattern.replace(/\\(\\?)/g, '$1');
  return pattern.replace(SIGN, (sign, width: string, letter: string) => {
    const padded = (number: number) => String(number).padStart(Math.min(Number(width), MOST_WIDTH), '0');
    switch (letter) {
      case 'A':
        return padded(facts.jobId);
      case 'a':
        return padded(facts.index);
      case 'b':
        return padded(facts.index % 10);
      case 'j':
      case 'J':
        return padded(facts.rawId);
      case 'x':
        return word(facts.name);
      case 'u':
        return word(facts.user);
      case 'N':
        return word(facts.host);
      // The only machine, the only process, and the step that is the script itself.
      case 'n':
      case 't':
        return padded(0);
      case 's':
        return 'batch';
      case '%':
        return '%';
    }
    return sign;
  });
}

function word(text: string): string {
  const flat = text.replaceAll(/[/\0]/g, '_');
  return /^\.\.?$/.test(flat) ? '_' : flat;
}
