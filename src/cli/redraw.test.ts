import { expect, test } from 'vitest';
import { Redraw } from './redraw.ts';

function terminal(columns: number, rows: number) {
  const written: string[] = [];
  const sink = {
    isTTY: true,
    colour: true,
    columns,
    rows,
    write: (data: string | Uint8Array) => void written.push(String(data)),
  };
  return { redraw: new Redraw(sink), written };
}

test('draws over what it drew, and nothing when nothing changed', () => {
  const { redraw, written } = terminal(80, 24);
  redraw.draw(['a', 'b']);
  redraw.draw(['a', 'b']);
  redraw.draw(['a']);
  redraw.draw(['c']);
  expect(written).toEqual(['\x1b[Ja\nb\n', '\x1b[2A\r\x1b[Ja\n', '\x1b[1A\r\x1b[Jc\n']);
});

test('never draws wider or higher than the terminal', () => {
  const { redraw, written } = terminal(6, 3);
  redraw.draw(['123456789', '\x1b[31m12345\x1b[0m', 'c']);
  redraw.draw(['\x1b[31m123456\x1b[0m']);
  expect(written).toEqual(['\x1b[J12345\n\x1b[31m12345\x1b[0m\n', '\x1b[2A\r\x1b[J12345\n']);
});
