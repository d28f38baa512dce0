import { decode } from '../encoding.ts';
import type { Window } from '../window.ts';
import { foundAt } from './found-text.ts';
import { FAULTY, guardText, INCOMPLETE, JsonValues, skipSpace } from './json-value.ts';

/** Why a document has no array at a path. */
export interface PathFault {
  readonly at: number;
  readonly expected: string;
  readonly found: string;
}

/** `data.items` -> names from the outside in; a dot in a name is written `\.`. */
export function parsePath(at: string | undefined): readonly string[] {
  if (at === undefined || at === '') return [];
  return at.split(/(?<!\\)\./).map((name) => name.replaceAll('\\.', '.'));
}

const MOST_NAMES_SHOWN = 10;

interface Open {
  readonly isObject: boolean;
  /** Items or names so far. */
  count: number;
}

type State = 'value' | 'first' | 'name' | 'after' | 'end';
type Step = 'more' | 'array' | 'done';

/**
 * Walks through a document around the array at a path, token by token, as the window brings it: first to its `[`, and after its
 * `]` to the end of the document, which must be JSON too.
 */
export class JsonWalk {
  fault: PathFault | undefined;
  readonly #values = new JsonValues();
  readonly #path: readonly string[];
  readonly #open: Open[] = [];
  /** Names of the path that are open; the next one is looked for inside of the last. */
  #matched = 0;
  #isNext: boolean;
  #state: State = 'value';
  #found = false;
  /** What stands in the bracket where the next name is looked for. */
  #seen: string[] = [];

  constructor(path: readonly string[]) {
    this.#path = path;
    this.#isNext = path.length === 0;
  }

  /** Uses up tokens. `array`: `window.start` is behind its `[`. `done`: the document has ended. `more`: fill the window. */
  walk(window: Window): Step {
    guardText(window.units, window.length);
    for (;;) {
      window.start = skipSpace(window.units, window.start, window.length);
      if (window.start >= window.length) {
        if (!window.last) return 'more';
        return this.#state === 'end' ? 'done' : this.#wrong(window, this.#wanted(), 'the end of the file');
      }
      const step = this.#token(window);
      if (this.fault !== undefined) return 'done';
      if (step !== undefined) return step;
    }
  }

  /** The array's `]` was used up. */
  leaveArray(): void {
    this.#closed();
  }

  #token(window: Window): Step | undefined {
    const unit = window.units[window.start]!;
    if (this.#state === 'end') return this.#wrong(window, 'the end of the file');
    const top = this.#open.at(-1);
    const isClosing = top !== undefined && unit === (top.isObject ? 0x7d : 0x5d);
    if (isClosing && (this.#state === 'first' || this.#state === 'after')) return this.#close(window);
    if (this.#state === 'after') {
      if (unit !== 0x2c) return this.#wrong(window, this.#wanted());
      window.start++;
      this.#state = top!.isObject ? 'name' : 'value';
      return undefined;
    }
    if (top?.isObject && (this.#state === 'first' || this.#state === 'name')) return this.#name(window, top);
    return this.#value(window, unit);
  }

  #name(window: Window, top: Open): Step | undefined {
    const { units, length } = window;
    if (units[window.start] !== 0x22) return this.#wrong(window, 'a name in double quotes');
    const end = this.#checked(window, this.#values.textEnd(units, window.start, length));
    if (end === undefined) return window.last || this.fault ? undefined : 'more';
    const colon = skipSpace(units, end, length);
    if (colon >= length && !window.last) return 'more';
    if (units[colon] !== 0x3a || colon >= length) return this.#wrong(window, '":"', undefined, colon);
    if (this.#isHere()) {
      const { unit, encoding } = window.charset;
      const name: string = JSON.parse(decode(window.bytes, encoding, window.start * unit, end * unit));
      this.#isNext = name === this.#path[this.#matched];
      if (this.#seen.length < MOST_NAMES_SHOWN) this.#seen.push(JSON.stringify(name));
    }
    top.count++;
    window.start = colon + 1;
    this.#state = 'value';
    return undefined;
  }

  #value(window: Window, unit: number): Step | undefined {
    const top = this.#open.at(-1);
    if (top !== undefined && !top.isObject) {
      if (this.#isHere()) this.#isNext = String(top.count) === this.#path[this.#matched];
      top.count++;
    }
    const isWanted = this.#isNext && !this.#found;
    const isOpening = unit === 0x7b || unit === 0x5b;
    if (isWanted && this.#matched >= this.#path.length - 1) {
      if (unit !== 0x5b) return this.#wrong(window, `an array${this.#shownPath(this.#path.length)}`, kindOf(unit));
      this.#found = true;
      this.#open.push({ isObject: false, count: 0 });
      window.start++;
      return 'array';
    }
    if (isOpening) {
      if (isWanted) this.#matched++;
      this.#isNext = false;
      if (isWanted) this.#seen = [];
      this.#open.push({ isObject: unit === 0x7b, count: 0 });
      window.start++;
      this.#state = 'first';
      return undefined;
    }
    if (isWanted || (top === undefined && this.#path.length > 0)) {
      const expected = `an object or array${this.#shownPath(isWanted ? this.#matched + 1 : 0)}`;
      return this.#wrong(window, expected, kindOf(unit));
    }
    const end = this.#checked(window, this.#values.end(window.units, window.start, window.length));
    if (end === undefined || (end >= window.length && !window.last)) {
      if (top !== undefined && !top.isObject) top.count--;
      return this.fault ? undefined : 'more';
    }
    window.start = end;
    this.#state = this.#open.length === 0 ? 'end' : 'after';
    return undefined;
  }

  /** True inside of the bracket where the next name of the path is looked for. */
  #isHere(): boolean {
    return !this.#found && this.#open.length === this.#matched + 1 && this.#matched < this.#path.length;
  }

  #close(window: Window): Step | undefined {
    if (this.#isHere()) {
      const expected = `${JSON.stringify(this.#path[this.#matched])}${this.#shownPath(this.#matched)}`;
      const found = this.#open.at(-1)!.isObject
        ? this.#seen.join(', ') || 'no names'
        : `${this.#open.at(-1)!.count} items`;
      return this.#wrong(window, expected, found);
    }
    window.start++;
    this.#closed();
    return undefined;
  }

  #closed(): void {
    this.#open.pop();
    this.#state = this.#open.length === 0 ? 'end' : 'after';
  }

  #shownPath(names: number): string {
    return names === 0 ? '' : ` at ${this.#path.slice(0, names).join('.')}`;
  }

  #wanted(): string {
    if (this.#state === 'after') return this.#open.at(-1)!.isObject ? '"," or "}"' : '"," or "]"';
    if (this.#state === 'first') return this.#open.at(-1)!.isObject ? 'a name or "}"' : 'a value or "]"';
    return this.#state === 'name' ? 'a name in double quotes' : 'a value';
  }

  /** The end, or undefined when it is not there yet or when there is a fault. */
  #checked(window: Window, end: number): number | undefined {
    if (end >= 0) return end;
    if (end === FAULTY) this.#wrong(window, this.#values.expected, undefined, this.#values.faultAt);
    if (end === INCOMPLETE && window.last) this.#wrong(window, 'the rest of a value', 'the end of the file');
    return undefined;
  }

  #wrong(window: Window, expected: string, found?: string, at = window.start): 'done' {
    this.fault = { at, expected, found: found ?? foundAt(window.units, at, window.length) };
    return 'done';
  }
}

function kindOf(unit: number): string {
  if (unit === 0x7b) return 'an object';
  if (unit === 0x5b) return 'an array';
  if (unit === 0x22) return 'a text';
  return unit === 0x74 || unit === 0x66 ? 'true or false' : unit === 0x6e ? 'null' : 'a number';
}
