import type { Units } from '../window.ts';

/** Brackets that may be open at a time. */
const MOST_DEPTH = 10_000;

/** Kinds of units inside a text: 0 is most. */
const IN_TEXT = new Uint8Array(65_536);
IN_TEXT.fill(1, 0, 0x20);
IN_TEXT[0x22] = 2;
IN_TEXT[0x5c] = 3;

const SPACE = new Uint8Array(65_536);
for (const unit of [0x20, 0x09, 0x0a, 0x0d]) SPACE[unit] = 1;

const DIGIT = new Uint8Array(65_536);
DIGIT.fill(1, 0x30, 0x3a);

const HEX = new Uint8Array(65_536);
HEX.fill(1, 0x30, 0x3a);
HEX.fill(1, 0x41, 0x47);
HEX.fill(1, 0x61, 0x67);

const ESCAPED = new Uint8Array(65_536);
for (const character of '"\\/bfnrt') ESCAPED[character.charCodeAt(0)] = 1;

const WORDS = new Map(['true', 'false', 'null'].map((word) => [word.charCodeAt(0), [...Buffer.from(word)]]));

/** The end came inside of a value. */
export const INCOMPLETE = -1;
/** The value is not JSON; `faultAt` and `expected` say why. */
export const FAULTY = -2;

const OBJECT = 1;
const ARRAY = 2;

/** Stops searches in what a window has. */
export function guardText(units: Units, length: number): void {
  units[length] = 0;
}

export function skipSpace(units: Units, from: number, to: number): number {
  let at = from;
  while (at < to && SPACE[units[at]!] === 1) at++;
  return at;
}

/**
 * Looks for the ends of JSON values, checks every unit on the way (RFC 8259), and makes nothing of them. A unit that cannot be in a
 * text (`guardText`) must stand somewhere behind, so that a search for its end stops.
 */
export class JsonValues {
  faultAt = 0;
  expected = '';
  readonly #open = new Uint8Array(MOST_DEPTH);

  /** The unit behind the value that begins at `from`, or INCOMPLETE or FAULTY. A number may go on behind `to`. */
  end(units: Units, from: number, to: number): number {
    const open = this.#open;
    let depth = 0;
    let at = from;
    for (;;) {
      // A value begins here.
      if (at >= to) return INCOMPLETE;
      const unit = units[at]!;
      if (unit === 0x7b || unit === 0x5b) {
        if (depth === MOST_DEPTH) return this.#wrong(at, `at most ${MOST_DEPTH} open brackets`);
        const isObject = unit === 0x7b;
        open[depth++] = isObject ? OBJECT : ARRAY;
        at = skipSpace(units, at + 1, to);
        if (at >= to) return INCOMPLETE;
        if (units[at] === (isObject ? 0x7d : 0x5d)) {
          depth--;
          at++;
        } else {
          if (isObject) at = this.#name(units, at, to);
          if (at < 0) return at;
          continue;
        }
      } else {
        at = unit === 0x22 ? this.textEnd(units, at, to) : this.#scalar(units, at, to);
        if (at < 0) return at;
      }
      // A value ended here.
      for (;;) {
        if (depth === 0) return at;
        at = skipSpace(units, at, to);
        if (at >= to) return INCOMPLETE;
        const isObject = open[depth - 1] === OBJECT;
        if (units[at] === 0x2c) {
          at = skipSpace(units, at + 1, to);
          if (isObject) at = this.#name(units, at, to);
          if (at < 0) return at;
          break;
        }
        if (units[at] !== (isObject ? 0x7d : 0x5d)) return this.#wrong(at, isObject ? '"," or "}"' : '"," or "]"');
        depth--;
        at++;
      }
    }
  }

  /** The unit behind a text that begins at `from` with its quote. */
  textEnd(units: Units, from: number, to: number): number {
    let at = from + 1;
    for (;;) {
      while (IN_TEXT[units[at]!] === 0) at++;
      if (at >= to) return INCOMPLETE;
      const kind = IN_TEXT[units[at]!];
      if (kind === 2) return at + 1;
      if (kind === 1) return this.#wrong(at, 'a closing quote, or a control character to be escaped');
      if (at + 1 >= to) return INCOMPLETE;
      if (ESCAPED[units[at + 1]!] === 1) at += 2;
      else if (units[at + 1] !== 0x75) return this.#wrong(at, 'an escape like \\n or \\u0041');
      else {
        for (let digit = at + 2; digit < at + 6; digit++) {
          if (digit >= to) return INCOMPLETE;
          if (HEX[units[digit]!] === 0) return this.#wrong(at, 'an escape like \\n or \\u0041');
        }
        at += 6;
      }
    }
  }

  /** Behind a name and its colon, where the value begins. */
  #name(units: Units, from: number, to: number): number {
    if (from >= to) return INCOMPLETE;
    if (units[from] !== 0x22) return this.#wrong(from, 'a name in double quotes');
    let at = this.textEnd(units, from, to);
    if (at < 0) return at;
    at = skipSpace(units, at, to);
    if (at >= to) return INCOMPLETE;
    if (units[at] !== 0x3a) return this.#wrong(at, '":"');
    return skipSpace(units, at + 1, to);
  }

  #scalar(units: Units, from: number, to: number): number {
    const unit = units[from]!;
    if (unit === 0x2d || DIGIT[unit] === 1) return this.#number(units, from, to);
    const word = WORDS.get(unit);
    if (word === undefined) return this.#wrong(from, 'a value');
    for (let at = 1; at < word.length; at++) {
      if (from + at >= to) return INCOMPLETE;
      if (units[from + at] !== word[at]) return this.#wrong(from, 'a value');
    }
    return from + word.length;
  }

  #number(units: Units, from: number, to: number): number {
    let at = units[from] === 0x2d ? from + 1 : from;
    if (at < to && units[at] === 0x30) at++;
    else at = this.#digits(units, at, to);
    if (at >= 0 && at < to && units[at] === 0x2e) at = this.#digits(units, at + 1, to);
    if (at >= 0 && at < to && (units[at]! | 0x20) === 0x65) {
      at++;
      if (at < to && (units[at] === 0x2b || units[at] === 0x2d)) at++;
      at = this.#digits(units, at, to);
    }
    return at;
  }

  #digits(units: Units, from: number, to: number): number {
    let at = from;
    while (at < to && DIGIT[units[at]!] === 1) at++;
    if (at > from) return at;
    return at >= to ? INCOMPLETE : this.#wrong(at, 'a digit');
  }

  #wrong(at: number, expected: string): number {
    this.faultAt = at;
    this.expected = expected;
    return FAULTY;
  }
}
