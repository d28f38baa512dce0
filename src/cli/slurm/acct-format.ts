import { refuseLine } from '../../config/slurm/refusal.ts';
import { visible } from '../../core/error-text.ts';
import { type Field, toWidth } from './percent-format.ts';

/** A column of sacct, sstat and their like. Its title is its name. */
export interface AcctField<Row> extends Field<Row> {
  /** Below 0: left-aligned. */
  readonly width: number;
}

/** How rows are written: in columns; or separated, with a separator at the end of the line (`-p`) or not (`-P`). */
export type AcctStyle =
  | { readonly kind: 'columns' }
  | { readonly kind: 'separated'; readonly by: string; readonly atEnd: boolean };

const MOST_WIDTH = 10_000;
const MOST_FIELDS = 1_000;

/**
 * Reads `jobid,state%20,user%-8`: names in any case, cut short as long as they begin a name (the first in the order of the table), with a width.
 * @throws SpawnError with Slurm's words
 */
export function readAcctFormat<Row>(text: string, fields: readonly AcctField<Row>[]): readonly AcctField<Row>[] {
  const items = text.split(',').map((item) => item.trim());
  return items
    .filter((item) => item !== '')
    .slice(0, MOST_FIELDS)
    .map((item) => {
      const [, name = '', digits] = /^([^%]*)(?:%(-?\d*).*)?$/s.exec(item)!;
      const field = fields.find(({ title }) => title.toLowerCase().startsWith(name.toLowerCase()));
      if (field === undefined || name === '') throw refuseLine(`Invalid field requested: "${name}"`, 1);
      const width = Math.min(Math.max(Number(digits), -MOST_WIDTH), MOST_WIDTH);
      return width === 0 || Number.isNaN(width) ? field : { ...field, width };
    });
}

/** The title, and in columns a line of dashes below it; each line closed by LF. */
export function acctHeader<Row>(fields: readonly AcctField<Row>[], style: AcctStyle): string {
  const titles = fields.map(({ title }) => title);
  if (style.kind === 'separated') return joined(titles, style);
  const cells = fields.map(({ width, title }) => `${toWidth(title, Math.abs(width), width > 0)} `).join('');
  return `${cells}\n${fields.map(({ width }) => `${'-'.repeat(Math.abs(width))} `).join('')}\n`;
}

/** A row, closed by LF. In columns a value that is too long ends with `+`. */
export function acctLine<Row>(fields: readonly AcctField<Row>[], row: Row, style: AcctStyle): string {
  const values = fields.map(({ value }) => visible(value(row)));
  if (style.kind === 'separated') return joined(values, style);
  return `${fields.map(({ width }, at) => `${column(values[at]!, width)} `).join('')}\n`;
}

function joined(values: readonly string[], { by, atEnd }: Extract<AcctStyle, { kind: 'separated' }>): string {
  return `${values.join(by)}${atEnd ? by : ''}\n`;
}

function column(text: string, width: number): string {
  const most = Math.abs(width);
  const isLong = [...text].length > most;
  return toWidth(isLong ? `${[...text].slice(0, most - 1).join('')}+` : text, most, width > 0);
}
