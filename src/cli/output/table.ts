import { type Colour, painter } from './color.ts';
import { cut, oneLine } from './format.ts';
import { wrapWords } from './wrap-words.ts';

export interface Column<Row> {
  readonly title: string;
  /** For people. */
  readonly value: (row: Row) => string;
  /** For programs; default the same. */
  readonly plain?: (row: Row) => string;
  readonly right?: true;
  /** On a terminal that is too narrow for all columns those with a number here are left out, the lowest first. */
  readonly leave?: number;
  /** The last column goes on in further lines, in place of being cut. */
  readonly wrap?: true;
  readonly colour?: (row: Row) => Colour | undefined;
}

export interface TableStyle {
  /** Aligned with a header; else one line a row, tab-separated, without a header. */
  readonly isTTY: boolean;
  readonly columns: number;
  readonly colour: boolean;
}

const NARROWEST = 8;
const NARROWEST_WRAPPED = 20;

/** Rows as lines. The last column is cut to the terminal's width, when columns that can be spared have been left out. */
export class Table<Row> {
  private columns: readonly Column<Row>[];
  private readonly style: TableStyle;
  private widths: readonly number[] | undefined;

  constructor(columns: readonly Column<Row>[], style: TableStyle) {
    this.columns = columns;
    this.style = style;
  }

  /** The lines of one page; the header comes with the first one. Later pages widen columns but never narrow them. */
  render(rows: readonly Row[]): string {
    if (!this.style.isTTY) {
      const cells = (row: Row) => this.columns.map(({ value, plain }) => oneLine((plain ?? value)(row)));
      return rows.map((row) => `${cells(row).join('\t')}\n`).join('');
    }
    const before = this.widths;
    if (before === undefined) this.columns = fitting(this.columns, rows, this.style.columns);
    const cells = rows.map((row) => this.columns.map(({ value }) => oneLine(value(row))));
    const widths = this.columns.map(({ title }, c) =>
      cells.reduce((widest, row) => Math.max(widest, [...row[c]!].length), before?.[c] ?? title.length),
    );
    this.widths = widths;
    const paint = painter(this.style.colour);
    const header =
      before === undefined
        ? [
            this.line(
              widths,
              this.columns.map(({ title }) => title),
              () => 'bold',
            ),
          ]
        : [];
    const lines = cells.flatMap((row, r) =>
      this.wrapped(widths, row).map((part) => this.line(widths, part, (c) => this.columns[c]!.colour?.(rows[r]!))),
    );
    return [...header, ...lines]
      .map(
        (pieces) =>
          `${pieces
            .map(({ text, colour }) => paint(colour, text))
            .join('  ')
            .trimEnd()}\n`,
      )
      .join('');
  }

  /** What the last column has left. */
  private room(widths: readonly number[]): number {
    const used = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
    return Math.max(NARROWEST, this.style.columns - used);
  }

  /** The row, and lines with nothing but the rest of its last cell. */
  private wrapped(widths: readonly number[], row: readonly string[]): readonly (readonly string[])[] {
    const room = this.room(widths);
    if (!this.columns.at(-1)!.wrap || room < NARROWEST_WRAPPED) return [row];
    const [first, ...more] = wrapWords(row.at(-1)!, room);
    const empty = row.slice(0, -1).map(() => '');
    return [[...row.slice(0, -1), first!], ...more.map((text) => [...empty, text])];
  }

  private line(widths: readonly number[], cells: readonly string[], colour: (column: number) => Colour | undefined) {
    const last = cells.length - 1;
    const room = this.room(widths);
    return cells.map((cell, c) => {
      const text = c === last ? cut(cell, room) : cell;
      const space = c === last && !this.columns[c]!.right ? '' : ' '.repeat(Math.max(0, widths[c]! - [...text].length));
      return { text: this.columns[c]!.right ? space + text : text + space, colour: colour(c) };
    });
  }
}

/** Those that are shown: all, if they fit. */
function fitting<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number): readonly Column<Row>[] {
  const widths = new Map(
    columns.map((column) => [
      column,
      rows.reduce((widest, row) => Math.max(widest, [...oneLine(column.value(row))].length), column.title.length),
    ]),
  );
  let shown = columns;
  for (const column of columns.filter(({ leave }) => leave !== undefined).sort((a, b) => a.leave! - b.leave!)) {
    const used = shown.reduce((sum, each) => sum + widths.get(each)! + 2, -2);
    if (used <= width) break;
    shown = shown.filter((each) => each !== column);
  }
  return shown;
}
