const MOST_WIDTH = 10;
const SIGN = /%(\d*)(.?)/gsu;

/**
 * A file name pattern of Slurm in our spelling: `%J` is `%j`, `%s %n %t` are those of the batch step, a width counts with numbers alone, signs that
 * mean nothing to Slurm 22.05 stay as they are, and so does a backslash, which switches all signs off.
 */
export function ownPattern(text: string): string {
  if (text.includes('\\')) return text;
  return text.replace(SIGN, (sign: string, digits: string, letter: string) => {
    const width = Math.min(Number(digits), MOST_WIDTH);
    switch (letter) {
      case 'A':
      case 'a':
      case 'j':
        return `%${width === 0 ? '' : width}${letter}`;
      case 'J':
        return `%${width === 0 ? '' : width}j`;
      case 'x':
      case 'u':
      case 'N':
        return `%${letter}`;
      case 's':
        return 'batch';
      case 'n':
      case 't':
        return '0'.padStart(width, '0');
      case '%':
        return digits === '' ? '%%' : `%%${digits}%%`;
    }
    return sign.replace('%', '%%');
  });
}
