/** Where a text stops being JSON. */
export interface JsonFault {
  line: number;
  column: number;
  expected: string;
  /** The text from there on, cut short; empty at the end. */
  found: string;
}

const SPACE = /[\t\n\r ]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
const ESCAPE = /["\\/bfnrt]|u[\dA-Fa-f]{4}/y;
const SHOWN = 20;

/**
 * The first place where `text` is not JSON, or undefined when it is. V8's own message names the place only sometimes.
 * For texts that JSON.parse has refused, as it is slow next to it. Needs no stack, however deep the text nests.
 */
export function findJsonFault(text: string): JsonFault | undefined {
  const scan = new Scan(text);
  const expected = scan.document();
  return expected === undefined ? undefined : { ...scan.place(), expected };
}

/** Its methods go on over what they name and return what they expected instead of what is there, if so. */
class Scan {
  #at = 0;
  readonly #text: string;
  /** Closing brackets of what is open, the innermost last. */
  readonly #open: ('}' | ']')[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  place(): { line: number; column: number; found: string } {
    const before = this.#text.slice(0, this.#at);
    const line = before.split('\n').length;
    return {
      line,
      column: this.#at - before.lastIndexOf('\n'),
      found: this.#text.slice(this.#at, this.#at + SHOWN),
    };
  }

  document(): string | undefined {
    let wrong = this.#value();
    for (let closer = this.#open.at(-1); wrong === undefined && closer !== undefined; closer = this.#open.at(-1)) {
      if (this.#take(closer)) this.#open.pop();
      else if (!this.#take(',')) wrong = `"," or "${closer}"`;
      else wrong = (closer === '}' ? this.#name() : undefined) ?? this.#value();
    }
    if (wrong !== undefined) return wrong;
    this.#skip(SPACE);
    return this.#at === this.#text.length ? undefined : 'the end';
  }

  /** A value, or the beginning of one that holds others. */
  #value(): string | undefined {
    for (;;) {
      if (this.#take('[')) {
        if (this.#take(']')) return undefined;
        this.#open.push(']');
      } else if (this.#take('{')) {
        if (this.#take('}')) return undefined;
        this.#open.push('}');
        const wrong = this.#name();
        if (wrong !== undefined) return wrong;
      } else {
        if (this.#text[this.#at] === '"') return this.#string();
        return this.#skip(NUMBER) || this.#skip(WORD) ? undefined : 'a value';
      }
    }
  }

  #name(): string | undefined {
    this.#skip(SPACE);
    if (this.#text[this.#at] !== '"') return 'a name in double quotes';
    return this.#string() ?? (this.#take(':') ? undefined : '":"');
  }

  #string(): string | undefined {
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === 0x22) {
        this.#at++;
        return undefined;
      }
      if (code < 0x20) return 'control characters to be escaped in text';
      if (code === 0x5c) {
        this.#at++;
        if (!this.#skip(ESCAPE)) return 'an escape like \\n or \\u0041';
        this.#at--;
      }
    }
    return 'a closing double quote';
  }

  #take(character: string): boolean {
    this.#skip(SPACE);
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.#text)) return false;
    this.#at = pattern.lastIndex;
    return true;
  }
}
