/** What the signs of srun's file names stand for. */
export interface StepNames {
  /** `%A` */
  readonly arrayJob: number;
  /** `%a` */
  readonly arrayTask: number;
  /** `%j` */
  readonly job: number;
  /** `%s` */
  readonly step: number;
  /** `%t` */
  readonly rank: number;
  /** `%n`: of the node in the step */
  readonly node: number;
  /** `%N` */
  readonly host: string;
  /** `%u` */
  readonly user: string;
  /** `%x` */
  readonly name: string;
}

const SIGN = /%(\d*)(.?)/gsu;
const MOST_WIDTH = 10;

/** Slurm: srun(1), IO redirection. Signs that mean nothing stay; a backslash switches all off. */
export function expandStepPattern(pattern: string, names: StepNames): string {
  if (pattern.includes('\\')) return pattern.replace(/\\(\\?)/g, '$1');
  return pattern.replace(SIGN, (sign, width: string, letter: string) => {
    const padded = (number: number) => String(number).padStart(Math.min(Number(width), MOST_WIDTH), '0');
    switch (letter) {
      case 'A':
        return padded(names.arrayJob);
      case 'a':
        return padded(names.arrayTask);
      case 'b':
        return padded(names.arrayTask % 10);
      case 'j':
        return padded(names.job);
      case 'J':
        return `${padded(names.job)}.${names.step}`;
      case 's':
        return padded(names.step);
      case 't':
        return padded(names.rank);
      case 'n':
        return padded(names.node);
      case 'N':
        return word(names.host);
      case 'u':
        return word(names.user);
      case 'x':
        return word(names.name);
      case '%':
        return '%';
    }
    return sign;
  });
}

/** Whether each process has a file of its own. */
export function isPerRank(pattern: string): boolean {
  return !pattern.includes('\\') && [...pattern.matchAll(SIGN)].some(([, , letter]) => /^[tnN]$/.test(letter!));
}

function word(text: string): string {
  const flat = text.replaceAll(/[/\0]/g, '_');
  return /^\.\.?$/.test(flat) ? '_' : flat;
}
