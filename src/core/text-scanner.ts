import { SpawnError } from './errors.ts';

/** The errors that show where in a text they are. */
export type TextErrorCode = 'BAD_INDEX_SET' | 'BAD_DEPENDENCY' | 'BAD_JOB_REF' | 'BAD_FILTER';

const SPACE = 32;
const WORD = /[A-Za-z0-9-]*/y;

/** Reads from `at` to `end` of a text and remembers how far it is; errors carry the place. */
export class TextScanner {
  readonly text: string;
  readonly code: TextErrorCode;
  readonly end: number;
  at: number;

  constructor(text: string, code: TextErrorCode, at = 0, end = text.length) {
    this.text = text;
    this.code = code;
    this.at = at;
    this.end = end;
  }

  bad(expected: string, at = this.at): never {
    throw new SpawnError(this.code, { text: this.text, at, expected });
  }

  take(char: number): boolean {
    if (!this.sees(char)) return false;
    this.at += 1;
    return true;
  }

  sees(char: number): boolean {
    return this.at < this.end && this.text.charCodeAt(this.at) === char;
  }

  seesDigit(): boolean {
    return this.at < this.end && isDigit(this.text.charCodeAt(this.at));
  }

  spaces(): void {
    while (this.sees(SPACE)) this.at += 1;
  }

  /** Letters, digits and dashes, as many as there are: none is the empty text. */
  word(): string {
    WORD.lastIndex = this.at;
    const [found] = WORD.exec(this.text.slice(0, this.end))!;
    this.at += found.length;
    return found;
  }

  /** A decimal number up to `max`; leading zeros mean nothing. */
  number(expected: string, max: number): number {
    const from = this.at;
    let n = 0;
    while (this.at < this.end) {
      const char = this.text.charCodeAt(this.at);
      if (!isDigit(char)) break;
      n = n * 10 + (char - 48);
      if (n > max) this.bad(expected, from);
      this.at += 1;
    }
    if (this.at === from) this.bad(expected);
    return n;
  }
}

function isDigit(char: number): boolean {
  return char >= 48 && char <= 57;
}
