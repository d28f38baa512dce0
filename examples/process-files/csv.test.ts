import { expect, test } from 'vitest';
import { readCsv } from './csv.mjs';
import { summarize } from './summary.mjs';

test.each([
  ['nothing', '', []],
  [
    'fields',
    'a,b\nc,d\n',
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  ],
  ['no line end at the end', 'a,b', [['a', 'b']]],
  [
    'CRLF',
    'a,b\r\nc,d\r\n',
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  ],
  ['a CR inside a field', 'a\rb,c\n', [['a\rb', 'c']]],
  [
    'empty fields',
    ',a,\n,,',
    [
      ['', 'a', ''],
      ['', '', ''],
    ],
  ],
  ['an empty quoted field', '"",a\n', [['', 'a']]],
  ['a comma in quotes', '"a,b",c\n', [['a,b', 'c']]],
  ['doubled quotes', '"say ""hi""",""""\n', [['say "hi"', '"']]],
  [
    'line ends in quotes',
    '"a\nb","c\r\nd"\r\ne,f',
    [
      ['a\nb', 'c\r\nd'],
      ['e', 'f'],
    ],
  ],
  ['a quote inside a field', 'a"b,c\n', [['a"b', 'c']]],
  [
    'empty lines',
    '\na,b\n\r\n\nc,d\n',
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  ],
  ['a byte order mark', '\uFEFFa,b\n', [['a', 'b']]],
])('reads %s', (_, text, records) => {
  expect([...readCsv(text)]).toEqual(records);
});

test.each([
  ['a,b\n"c,d\n', 'line 2: a quote is never closed'],
  ['a\n"b\nc"d,e\n', 'line 3: expected a comma after a closing quote'],
])('refuses %j', (text, message) => {
  expect(() => [...readCsv(text)]).toThrow(message);
});

test('infers types from every value that is there', () => {
  const text = 'id,zip,x,day,word,none,mixed\n-1,00501,1e3,2020-02-29,b,,1\n+20,99950,-.5,2019-12-31,a,,x\n3,,0,,\n';
  const { rows, columns } = summarize(text);
  expect(rows).toBe(3);
  expect(columns.map(({ name, type, count, missing, min, max }) => [name, type, count, missing, min, max])).toEqual([
    ['id', 'integer', 3, 0, -1, 20],
    ['zip', 'text', 2, 1, '00501', '99950'],
    ['x', 'number', 3, 0, -0.5, 1000],
    ['day', 'date', 2, 1, '2019-12-31', '2020-02-29'],
    ['word', 'text', 2, 1, 'a', 'b'],
    ['none', 'empty', 0, 3, null, null],
    ['mixed', 'text', 2, 1, '1', 'x'],
  ]);
});

test('refuses a record that is longer than the header', () => {
  expect(() => summarize('a,b\n1,2\n1,2,3\n')).toThrow('record 2 has more fields than the header');
});
