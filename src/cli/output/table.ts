import { type Colour, painter } from './color.ts';
import { cut, oneLine } from './format.ts';

export interface Column<Row> {
  readonly title: string;
  /** For people. */
  readonly value: (row: Row) => string;
  /** For programs; default the same. */
  readonly plain?: (row: Row) => string;
  readonly right?: true;
  readonly colour?: (row: Row) => Colour | undefined;
}

export interface TableStyle {
  /** Aligned with a header; else one line a row, tab-separated, without a header. */
  readonly isTTY: boolean;
  readonly columns: number;
  readonly colour: boolean;
}

const NARROWEST = 8;

/** Rows as lines. The last column is cut to the terminal's width. */
export class Table<Row> {
  private readonly columns: readonly Column<Row>[];
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
    const cells = rows.map((row) => this.columns.map(({ value }) => oneLine(value(row))));
    const before = this.widths;
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
    const lines = cells.map((row, r) => this.line(widths, row, (c) => this.columns[c]!.colour?.(rows[r]!)));
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

  private line(widths: readonly number[], cells: readonly string[], colour: (column: number) => Colour | undefined) {
    const last = cells.length - 1;
    const used = widths.slice(0, last).reduce((sum, width) => sum + width + 2, 0);
    return cells.map((cell, c) => {
      const text = c === last ? cut(cell, Math.max(NARROWEST, this.style.columns - used)) : cell;
      const space = c === last && !this.columns[c]!.right ? '' : ' '.repeat(Math.max(0, widths[c]! - [...text].length));
      return { text: this.columns[c]!.right ? space + text : text + space, colour: colour(c) };
    });
  }
}
