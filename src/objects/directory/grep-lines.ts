import { type LineBlock, LineBlocks, lineAround } from './line-blocks.ts';
import type { LinePattern } from './line-pattern.ts';

/** A found line is shown as far as this, characters. */
const MAX_SHOWN = 16_384;
/** Characters of JSON in one message. */
const MESSAGE_CHARS = 256 * 1024;

/** Whose lines they are: by source, which is `2 * row + stream`. */
export interface LineSources {
  readonly index: { readonly [row: number]: number };
  readonly attempt: { readonly [row: number]: number };
}

export interface GrepOutput {
  /** So many lines at most are wanted. */
  readonly limit: number;
  /** Told before and after each block of lines is matched. */
  matching(isBegun: boolean): void;
  /** One GrepMatch a line. False when nobody wants more. */
  found(json: string, lines: number): boolean;
}

interface Hit {
  readonly source: number;
  readonly order: number;
  readonly line: string;
}

/** Finds the lines that fit a pattern, in the order in which they are added. */
export class GrepLines {
  readonly blocks = new LineBlocks((ascii, wide) => this.#search(ascii, wide));
  readonly #pattern: LinePattern;
  readonly #sources: LineSources;
  readonly #output: GrepOutput;
  #left: number;
  #json = '';
  #lines = 0;

  constructor(pattern: LinePattern, sources: LineSources, output: GrepOutput) {
    this.#pattern = pattern;
    this.#sources = sources;
    this.#output = output;
    this.#left = output.limit;
  }

  get isFull(): boolean {
    return this.#left <= 0;
  }

  #search(ascii: LineBlock, wide: LineBlock): void {
    if (this.isFull) return;
    this.#output.matching(true);
    const { line, lines } = this.#pattern;
    const plain = lines === undefined ? eachLine(ascii, line) : inLines(ascii, lines);
    const hits = wide.text === '' ? plain : inOrder(plain, eachLine(wide, line));
    for (const hit of hits) {
      this.#show(hit);
      this.#left--;
      if (!this.isFull && this.#json.length >= MESSAGE_CHARS) this.#send();
      if (this.isFull) break;
    }
    if (this.#lines > 0) this.#send();
    this.#output.matching(false);
  }

  #show({ source, line }: Hit): void {
    const row = source >> 1;
    const stream = (source & 1) === 0 ? 'out' : 'err';
    const { index, attempt } = this.#sources;
    const text = JSON.stringify(line.length > MAX_SHOWN ? cut(line) : line);
    this.#json += `{"index":${index[row]},"attempt":${attempt[row]},"stream":"${stream}","text":${text}}\n`;
    this.#lines++;
  }

  /** While it waits for whoever takes it, nothing is matched. */
  #send(): void {
    this.#output.matching(false);
    if (!this.#output.found(this.#json, this.#lines)) this.#left = 0;
    this.#json = '';
    this.#lines = 0;
    this.#output.matching(true);
  }
}

/** Not through the middle of a character. */
function cut(line: string): string {
  const last = line.charCodeAt(MAX_SHOWN - 1);
  return line.slice(0, last >= 0xd800 && last < 0xdc00 ? MAX_SHOWN - 1 : MAX_SHOWN);
}

function* inLines(block: LineBlock, pattern: RegExp): Generator<Hit> {
  const { text, starts, sources, order } = block;
  let span = 0;
  pattern.lastIndex = 0;
  for (;;) {
    const at = pattern.exec(text)?.index ?? text.length;
    if (at >= text.length) return;
    while (span + 1 < starts.length && starts[span + 1]! <= at) span++;
    const { line, next } = lineAround(text, at);
    yield { source: sources[span]!, order: order[span]!, line };
    pattern.lastIndex = next;
  }
}

function* eachLine(block: LineBlock, pattern: RegExp): Generator<Hit> {
  const { text, starts, sources, order } = block;
  let span = 0;
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\n', at);
    const line = text.slice(at, end);
    if (pattern.test(line)) {
      while (span + 1 < starts.length && starts[span + 1]! <= at) span++;
      yield { source: sources[span]!, order: order[span]!, line };
    }
    at = end + 1;
  }
}

/** Both ascend by their order. */
function* inOrder(left: Generator<Hit>, right: Generator<Hit>): Generator<Hit> {
  let [a, b] = [left.next(), right.next()];
  while (a.done !== true || b.done !== true) {
    if (b.done === true || (a.done !== true && a.value.order < b.value.order)) {
      yield (a as IteratorYieldResult<Hit>).value;
      a = left.next();
    } else {
      yield b.value;
      b = right.next();
    }
  }
}
