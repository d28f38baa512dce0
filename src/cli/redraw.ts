import type { Sink } from './world.ts';

const CLEAR_BELOW = '\x1b[J';
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are made of them
const COLOUR = /\x1b\[\d*m/g;

/** Lines at the bottom of a terminal that are drawn over, without leaving its other text. */
export class Redraw {
  private readonly sink: Sink;
  private drawn = 0;
  private last = '';

  constructor(sink: Sink) {
    this.sink = sink;
  }

  /** A line wider than the terminal would wrap and could not be drawn over, and so could more lines than it has: both are cut. */
  draw(lines: readonly string[]): void {
    const { columns, rows } = this.sink;
    const shown = lines.slice(0, Math.max(1, rows - 1)).map((line) => cutToWidth(line, columns - 1));
    const text = shown.map((line) => `${line}\n`).join('');
    if (text === this.last) return;
    const up = this.drawn === 0 ? '' : `\x1b[${this.drawn}A\r`;
    this.sink.write(`${up}${CLEAR_BELOW}${text}`);
    this.drawn = shown.length;
    this.last = text;
  }
}

/** Cuts what is seen, not the colours: these are left out when something must go. */
function cutToWidth(line: string, width: number): string {
  const plain = line.replace(COLOUR, '');
  const chars = [...plain];
  return chars.length <= width ? line : chars.slice(0, Math.max(0, width)).join('');
}
