import { visible } from '../../core/error-text.ts';

/** What a field of a table shows. */
export interface Field<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
}

/** Fields by letter (`%i`), or by name in lower case (`jobid`). */
export type Fields<Row> = Readonly<Record<string, Field<Row>>>;

/** A field of a table as it is listed: its letter and its names (with blanks between them), either may be empty; its title; its value. */
export type FieldRow<Row, Facts> = readonly [
  letter: string,
  names: string,
  title: string,
  value: (row: Row, facts: Facts) => string,
];

/** Fields by letter and by name. */
export interface FieldTables<Row> {
  readonly letters: Fields<Row>;
  readonly names: Fields<Row>;
}

/** The fields of a list, with what all of them need beside the row. */
export function fieldTables<Row, Facts>(list: readonly FieldRow<Row, Facts>[], facts: Facts): FieldTables<Row> {
  const letters: Record<string, Field<Row>> = {};
  const names: Record<string, Field<Row>> = {};
  for (const [letter, aliases, title, value] of list) {
    const field: Field<Row> = { title, value: (row) => value(row, facts) };
    if (letter !== '') letters[letter] = field;
    for (const name of aliases.split(' ')) if (name !== '') names[name] = field;
  }
  return { letters, names };
}

interface Cell<Row> {
  /** Undefined: the suffix is all there is. */
  readonly field: Field<Row> | undefined;
  /** 0: as long as the value. */
  readonly width: number;
  readonly right: boolean;
  readonly suffix: string;
}

/** A format as read; `unknown` names what is no field, in the order met. */
export interface LineFormat<Row> {
  readonly cells: readonly Cell<Row>[];
  readonly unknown: readonly string[];
}

const ASCII = /^[\x20-\x7e]*$/;
const MOST_WIDTH = 100_000;
const MOST_CELLS = 1_000;
const DEFAULT_WIDTH = 20;
const TOKEN = /^(\.?)(\d*)(.?)(.*)$/su;
const NAMED = /^([^:;]*)(?::(\.?)(\d*)(.*))?(;.*)?$/s;

function own<Row>(fields: Fields<Row>, name: string): Field<Row> | undefined {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

function widthOf(digits: string): number {
  return Math.min(Number(digits), MOST_WIDTH);
}

/**
 * Reads `%.18i %9P|%t`: each `%` begins a field of one letter, right-aligned with `.`, cut at its width; text behind it is shown as it is. A
 * letter that is no field is shown as it was written. Two `%` are as one.
 */
export function readPercentFormat<Row>(text: string, fields: Fields<Row>): LineFormat<Row> {
  const cells: Cell<Row>[] = [];
  const unknown: string[] = [];
  const literal = (suffix: string): Cell<Row> => ({ field: undefined, width: 0, right: false, suffix });
  const tokens = text.split('%').filter((token) => token !== '');
  for (const token of tokens.slice(0, MOST_CELLS)) {
    if (cells.length === 0 && !text.startsWith('%')) {
      cells.push(literal(token));
      continue;
    }
    const [, dot, digits, letter, suffix] = TOKEN.exec(token)!;
    const field = own(fields, letter!);
    if (field === undefined) {
      unknown.push(letter!);
      cells.push(literal(`%${token}`));
    } else {
      cells.push({ field, width: widthOf(digits!), right: dot === '.', suffix: suffix! });
    }
  }
  return { cells, unknown };
}

/**
 * Reads `jobid,name:30,state:.8`: names in any case with a width of 20 unless one is given, right-aligned with `.`. Text behind the width is shown
 * after the value. A name that is no field is left out.
 */
export function readNamedFormat<Row>(text: string, fields: Fields<Row>): LineFormat<Row> {
  const cells: Cell<Row>[] = [];
  const unknown: string[] = [];
  const items = text.split(',').filter((item) => item !== '');
  for (const item of items.slice(0, MOST_CELLS)) {
    const [, name = '', dot, digits, rest = '', tail = ''] = NAMED.exec(item)!;
    const field = own(fields, name.toLowerCase());
    if (field === undefined) {
      unknown.push(name);
    } else {
      const width = digits === undefined ? DEFAULT_WIDTH : widthOf(digits);
      cells.push({ field, width, right: dot === '.', suffix: rest + tail });
    }
  }
  return { cells, unknown };
}

/** The line of titles, closed by LF. */
export function titleLine<Row>({ cells }: LineFormat<Row>): string {
  return `${cells.map((cell) => shown(cell, cell.field?.title ?? '')).join('')}\n`;
}

/** The line of one row, closed by LF. A control character in a value becomes a visible one, so that it cannot make lines. */
export function rowLine<Row>({ cells }: LineFormat<Row>, row: Row): string {
  return `${cells.map((cell) => shown(cell, visible(cell.field?.value(row) ?? ''))).join('')}\n`;
}

function shown<Row>({ width, right, suffix }: Cell<Row>, text: string): string {
  return `${width === 0 ? text : toWidth(text, width, right)}${suffix}`;
}

/** Cut, or filled with blanks, to a width. */
export function toWidth(text: string, width: number, right: boolean): string {
  // Nearly always; of other text a character may be two of the string's.
  if (ASCII.test(text)) {
    const fit = text.slice(0, width);
    return right ? fit.padStart(width) : fit.padEnd(width);
  }
  const cut = [...text].slice(0, width);
  const blanks = ' '.repeat(width - cut.length);
  return right ? blanks + cut.join('') : cut.join('') + blanks;
}
