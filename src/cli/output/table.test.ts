import { describe, expect, test } from 'vitest';
import { type Column, Table } from './table.ts';

interface Row {
  id: number;
  name: string;
  text: string;
}
const columns: readonly Column<Row>[] = [
  { title: 'ID', right: true, value: ({ id }) => `#${id}`, plain: ({ id }) => String(id) },
  { title: 'NAME', value: ({ name }) => name, colour: () => 'red' },
  { title: 'TEXT', value: ({ text }) => text },
];
const rows: Row[] = [
  { id: 7, name: 'a', text: 'first' },
  { id: 1_000, name: 'longer', text: 'a\nsecond line' },
];

test('through a pipe: a line a row, tab-separated, no header, plain values', () => {
  const table = new Table(columns, { isTTY: false, columns: 10, colour: false });
  expect(table.render(rows)).toBe('7\ta\tfirst\n1000\tlonger\ta\\nsecond line\n');
  expect(table.render([])).toBe('');
});

describe('on a terminal', () => {
  test('aligned below a header, the last column cut to the width', () => {
    const table = new Table(columns, { isTTY: true, columns: 26, colour: false });
    expect(table.render(rows).split('\n')).toEqual([
      '   ID  NAME    TEXT',
      '   #7  a       first',
      '#1000  longer  a\\nsecond …',
      '',
    ]);
  });

  test('what can be spared is left out where not all fit, on later pages too', () => {
    const [id, name, text] = columns;
    const table = new Table([id!, { ...name!, leave: 2 }, { ...text!, leave: 1 }], {
      isTTY: true,
      columns: 14,
      colour: false,
    });
    expect(table.render(rows)).toBe('   ID  NAME\n   #7  a\n#1000  longer\n');
    expect(table.render([rows[0]!])).toBe('   #7  a\n');
    const wide = new Table([{ ...id!, leave: 1 }, name!, text!], { isTTY: true, columns: 29, colour: false });
    expect(wide.render(rows)).toContain('#1000  longer  a\\nsecond line\n');
    const narrow = new Table([{ ...id!, leave: 1 }, name!, text!], { isTTY: true, columns: 28, colour: false });
    expect(narrow.render(rows)).toContain('\nlonger  a\\nsecond line\n');
  });

  test('a last column that may goes on in further lines, at blanks', () => {
    const [, name, text] = columns;
    const style = { isTTY: true, columns: 28, colour: false };
    const said = { id: 1, name: 'a', text: 'not possible: only what runs can be hibernated' };
    const shown = (last: string): string =>
      new Table([name!, { ...text!, wrap: true }], style).render([{ ...said, text: last }]);
    expect(shown(said.text)).toBe('NAME  TEXT\na     not possible: only\n      what runs can be\n      hibernated\n');
    // Exactly as wide as there is room, and a word that is wider.
    expect(shown('a'.repeat(22))).toBe(`NAME  TEXT\na     ${'a'.repeat(22)}\n`);
    expect(shown(`is ${'a'.repeat(30)}`)).toBe(`NAME  TEXT\na     is\n      ${'a'.repeat(21)}…\n`);
    expect(shown('')).toBe('NAME  TEXT\na\n');
  });

  test('the next page has no header and stays aligned', () => {
    const table = new Table(columns, { isTTY: true, columns: 80, colour: false });
    table.render(rows);
    expect(table.render([rows[0]!])).toBe('   #7  a       first\n');
  });

  test('colours do not move anything', () => {
    const table = new Table(columns, { isTTY: true, columns: 80, colour: true });
    const text = table.render(rows);
    expect(text).toContain('\x1b[31ma     \x1b[0m  first');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is taken away
    const plain = text.replace(/\x1b\[\d+m/g, '');
    expect(plain).toBe(new Table(columns, { isTTY: true, columns: 80, colour: false }).render(rows));
  });
});
