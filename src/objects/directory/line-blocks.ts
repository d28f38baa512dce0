import { isAscii } from 'node:buffer';
import { MAX_LINE_BYTES } from './search-calls.ts';

/** Large enough that what is done once a block costs nothing, small enough to be in the cache. */
const BLOCK_BYTES = 1024 * 1024;
const RETURN = 13;
const NEWLINE = 10;

/** Lines that each end in a newline; `\r\n` has become a newline. */
export interface LineBlock {
  readonly text: string;
  /** Where in the text the lines of a source begin, ascending. */
  readonly starts: readonly number[];
  readonly sources: readonly number[];
  /** The how-manieth piece of all that came. */
  readonly order: readonly number[];
}

/**
 * Gathers lines of many sources into large texts, since looking through one large text is much faster than through many small
 * ones. What is ASCII is kept apart: it needs no decoding, and there a character is a byte.
 */
export class LineBlocks {
  readonly #give: (ascii: LineBlock, wide: LineBlock) => void;
  readonly #bytes = Buffer.allocUnsafeSlow(BLOCK_BYTES + MAX_LINE_BYTES + 1);
  #used = 0;
  #ascii = emptySpans();
  #wide = emptySpans();
  #wideText = '';
  #count = 0;

  constructor(give: (ascii: LineBlock, wide: LineBlock) => void) {
    this.#give = give;
  }

  /** @param bytes whole lines with their newlines, or one line; they may be overwritten afterwards */
  add(source: number, bytes: Buffer): void {
    const lines = bytes.includes(RETURN) ? withoutReturns(bytes) : bytes;
    const isPlain = isAscii(lines);
    const spans = isPlain ? this.#ascii : this.#wide;
    spans.starts.push(isPlain ? this.#used : this.#wideText.length);
    spans.sources.push(source);
    spans.order.push(this.#count++);
    if (isPlain) {
      lines.copy(this.#bytes, this.#used);
      this.#used += lines.length;
    } else {
      this.#wideText += lines.toString('utf8');
    }
    if (this.#used + this.#wideText.length >= BLOCK_BYTES) this.flush();
  }

  flush(): void {
    if (this.#used + this.#wideText.length === 0) return;
    const ascii = { text: this.#bytes.toString('latin1', 0, this.#used), ...this.#ascii };
    const wide = { text: this.#wideText, ...this.#wide };
    this.#used = 0;
    this.#wideText = '';
    this.#ascii = emptySpans();
    this.#wide = emptySpans();
    this.#give(ascii, wide);
  }
}

function emptySpans(): { starts: number[]; sources: number[]; order: number[] } {
  return { starts: [], sources: [], order: [] };
}

function withoutReturns(bytes: Buffer): Buffer {
  const kept = Buffer.allocUnsafe(bytes.length);
  let to = 0;
  for (let from = 0; from < bytes.length; ) {
    const found = bytes.indexOf('\r\n', from, 'latin1');
    const end = found < 0 ? bytes.length : found;
    to += bytes.copy(kept, to, from, end);
    from = found < 0 ? end : end + 1;
  }
  return kept.subarray(0, to);
}

/** The line around a place, and where the next one begins. */
export function lineAround(text: string, at: number): { line: string; next: number } {
  // Behind the end, lastIndexOf would look from the end.
  const start = at === 0 ? 0 : text.lastIndexOf('\n', at - 1) + 1;
  const end = text.indexOf('\n', at);
  return { line: text.slice(start, end), next: end + 1 };
}

/** A single line, ready to be added. */
export function endLine(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.of(NEWLINE)]);
}
