import { nameOf } from '../../config/slurm/getopt.ts';
import type { AcctStyle } from './acct-format.ts';
import { type DialectInput, lastValue } from './dialect.ts';

/** In columns, or as the last of `--parsable` and `--parsable2` says. */
export function chosenStyle(input: DialectInput): AcctStyle {
  const last = input.given.findLast(({ option }) => nameOf(option).startsWith('parsable'));
  if (last === undefined) return { kind: 'columns' };
  return { kind: 'separated', by: lastValue(input, 'delimiter') ?? '|', atEnd: nameOf(last.option) === 'parsable' };
}
