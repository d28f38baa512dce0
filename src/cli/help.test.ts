import { expect, test } from 'vitest';
import { runCli } from '../../test/support/cli-world.ts';
import { COMMANDS } from './registry.ts';

const NAMES = COMMANDS.map(({ name }) => name);
const help = (columns: number, ...argv: string[]) => runCli(argv, { tty: true, columns });
/** As text without its lines. */
const flat = (text: string): string => text.replace(/\s+/g, ' ');

test.each(NAMES)('help %s fits a terminal of 80 columns, and says the same', async (name) => {
  const { out } = await help(80, 'help', name);
  const prose = out
    .slice(0, out.indexOf('\nExamples\n'))
    .split('\n')
    .filter((line) => !/spawn .*\[/.test(line));
  expect(prose.filter((line) => line.length > 80)).toEqual([]);
  expect(flat(out)).toBe(flat((await runCli(['help', name])).out));
});

test('the overview fits too', async () => {
  const { out } = await help(80, '--help');
  expect(out.split('\n').filter((line) => line.length > 80)).toEqual([]);
});
