import { describe, expect, test } from 'vitest';
import { type Command, defineCommand, type OptionTable } from './command.ts';
import { wholeNumber } from './option-values.ts';
import { parseCommandLine } from './parse-command-line.ts';

const options = {
  name: { value: 'NAME', summary: 'A name' },
  priority: { value: 'N', summary: 'A number', parse: wholeNumber(-10, 10) },
  env: { value: 'K=V', many: true, summary: 'Variables' },
  hold: { summary: 'A flag', short: 'H' },
  format: { short: 'o', value: 'FORMAT', choices: ['json', 'jsonl'], summary: 'A choice' },
} as const satisfies OptionTable;

function command(part: Partial<Command>): Command {
  return defineCommand({
    usage: ['do'],
    about: '',
    options,
    operands: { name: 'JOB', min: 0, max: 2 },
    examples: [],
    run: async () => 0,
    ...part,
  });
}

const parse = (words: string[], part: Partial<Command> = {}) => parseCommandLine('do', command(part), words);

describe('values', () => {
  test('are undefined, false or empty when nothing was given', () => {
    expect(parse([])).toEqual({
      options: { name: undefined, priority: undefined, env: [], hold: false, format: undefined },
      operands: [],
      rest: undefined,
    });
  });

  test.each([
    [['--name', 'x'], { name: 'x' }],
    [['--name=x'], { name: 'x' }],
    [['--name=a=b'], { name: 'a=b' }],
    [['--name='], { name: '' }],
    [['--name', '-'], { name: '-' }],
    [['--name', '--unknown'], { name: '--unknown' }],
    [['--name=--hold'], { name: '--hold' }],
    [['--priority', '-5'], { priority: -5 }],
    [['-o', 'json'], { format: 'json' }],
    [['-ojson'], { format: 'json' }],
    [['-o=json'], { format: 'json' }],
    [['-H', '--env', 'A=1', '--env=B=2'], { hold: true, env: ['A=1', 'B=2'] }],
  ])('%j', (words, expected) => {
    expect(parse(words)).toMatchObject({ options: expected, operands: [] });
  });
});

describe('operands', () => {
  test('may stand between options, or all after "--"', () => {
    expect(parse(['a', '--hold', 'b'])).toMatchObject({ options: { hold: true }, operands: ['a', 'b'] });
    expect(parse(['a', '--', '--hold'])).toMatchObject({ options: { hold: false }, operands: ['a', '--hold'] });
  });

  test('end the options of a command that stops there', () => {
    const input = parse(['--hold', 'run.sh', '--name', '--', '-x'], {
      stopsAtOperand: true,
      operands: { name: 'SCRIPT', min: 0, max: 9 },
    });
    expect(input).toMatchObject({
      options: { hold: true, name: undefined },
      operands: ['run.sh', '--name', '--', '-x'],
    });
  });

  test('are not what follows "--" where that is another program', () => {
    expect(parse(['--hold', '--', 'ls', '--hold'], { takesRest: true })).toMatchObject({
      operands: [],
      rest: ['ls', '--hold'],
    });
    expect(parse(['--'], { takesRest: true })).toMatchObject({ rest: [] });
  });
});

describe('help', () => {
  test.each([[['--help']], [['-h']], [['x', '--hold', '--help']]])('is asked for by %j', (words) => {
    expect(parse(words)).toBe('help');
  });

  test('is not asked for by an option of the script or program', () => {
    expect(parse(['x', '--help'], { stopsAtOperand: true })).toMatchObject({ operands: ['x', '--help'] });
    expect(parse(['--', 'x', '--help'], { takesRest: true })).toMatchObject({ rest: ['x', '--help'] });
  });
});

describe('refused', () => {
  test.each([
    [['--nmae', 'x'], 'do: unknown option "--nmae"; did you mean "--name"?'],
    [['--xyzzy'], 'do: unknown option "--xyzzy"; see: spawn help do'],
    [['--constructor'], 'do: unknown option "--constructor"; see: spawn help do'],
    [['--na', 'x'], 'do: unknown option "--na"; did you mean "--name"?'],
    [['-x'], 'do: unknown option "-x"; see: spawn help do'],
    [['-hold'], 'do: unknown option "-hold"; did you mean "--hold"?'],
    [['-Hx'], '-H: expected no value, found "-Hx"'],
    [['--hold=1'], '--hold: expected no value, found "--hold=1"'],
    [['--name'], '--name: expected a value (NAME), found nothing'],
    [['--name', '--hold'], '--name: expected a value (NAME), found nothing'],
    [['--name', '-H'], '--name: expected a value (NAME), found nothing'],
    [['--name', '--priority=3'], '--name: expected a value (NAME), found nothing'],
    [['--name', '--', 'x'], '--name: expected a value (NAME), found nothing'],
    [['-o'], '-o: expected a value (FORMAT), found nothing'],
    [['-o', 'yaml'], '-o: expected json or jsonl, found "yaml"'],
    [['--name', 'x', '--name', 'y'], '--name: expected once, found twice'],
    [['--hold', '-H'], '-H: expected once, found twice'],
    [['--priority', 'high'], '--priority: expected a whole number from -10 to 10, found "high"'],
    [['a', 'b', 'c'], 'do: expected at most 2 of JOB, found "c" too'],
  ])('%j', (words, message) => {
    expect(() => parse(words)).toThrow(expect.objectContaining({ message, exitCode: 2 }));
  });

  test.each([
    [[], { name: 'JOB', min: 1, max: 1 }, 'do: expected JOB, found nothing; see: spawn help do'],
    [['a', 'b'], { name: 'JOB', min: 1, max: 1 }, 'do: expected only one JOB, found "b" too'],
    [['a'], { name: 'argument', min: 0, max: 0 }, 'do: expected no argument, found "a" too'],
    [
      ['strat'],
      { name: 'x', min: 1, max: 1, choices: ['start', 'stop'] },
      'do: expected start or stop, found "strat"; did you mean "start"?',
    ],
  ])('operands %j', (words, operands, message) => {
    expect(() => parse(words, { operands })).toThrow(expect.objectContaining({ message, exitCode: 2 }));
  });
});
