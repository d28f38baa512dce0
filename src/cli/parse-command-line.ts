import { SpawnError } from '../core/errors.ts';
import { didYouMean } from '../core/nearest.ts';
import type { Command, Input, Option, OptionTable, Values } from './command.ts';

/**
 * Reads what was typed after a verb. `--name value`, `--name=value`, `-o value`, `-ovalue` and `-o=value` are the forms of
 * an option; options and operands may be mixed, unless the command stops at its first operand. An option that is given twice
 * is refused, because one of the two would be ignored.
 *
 * @returns `'help'` when `--help` or `-h` was met among the options
 * @throws SpawnError USAGE or BAD_REQUEST, or what an option's own parser throws
 */
export function parseCommandLine(verb: string, command: Command, args: readonly string[]): Input | 'help' {
  const given = new Map<string, unknown[]>();
  const operands: string[] = [];
  let rest: string[] | undefined;
  for (let i = 0; i < args.length; i++) {
    const word = args[i]!;
    if (word === '--') {
      if (command.takesRest) rest = args.slice(i + 1);
      else operands.push(...args.slice(i + 1));
      break;
    }
    if (!isOption(word)) {
      if (command.stopsAtOperand) {
        operands.push(...args.slice(i));
        break;
      }
      operands.push(word);
      continue;
    }
    if (word === '--help' || word === '-h') return 'help';
    const { name, typed, option, attached } = findOption(verb, command.options, word);
    let text = attached;
    if (option.value !== undefined && text === undefined) {
      text = args[i + 1];
      i += 1;
      if (text === undefined || text === '--' || isKnown(command.options, text)) {
        throw new SpawnError('BAD_REQUEST', { where: typed, expected: `a value (${option.value})`, found: undefined });
      }
    }
    const values = given.get(name) ?? [];
    if (values.length > 0 && !option.many) usage(`${typed}: expected once, found twice`);
    given.set(name, [...values, text === undefined ? true : readValue(option, text, typed)]);
  }
  checkOperands(verb, command, operands);
  return { options: valuesOf(command.options, given), operands, rest };
}

function usage(message: string): never {
  throw new SpawnError('USAGE', { message });
}

/** A dash alone is an operand (by custom: standard input). */
function isOption(word: string): boolean {
  return word.startsWith('-') && word !== '-';
}

interface Found {
  readonly name: string;
  /** As the person knows it: `--array` or `-o`. */
  readonly typed: string;
  readonly option: Option;
  /** The value written in the same word. */
  readonly attached: string | undefined;
}

function findOption(verb: string, options: OptionTable, word: string): Found {
  if (word.startsWith('--')) {
    const equals = word.indexOf('=');
    const name = word.slice(2, equals < 0 ? undefined : equals);
    const option = Object.hasOwn(options, name) ? options[name] : undefined;
    if (option === undefined) {
      usage(
        `${verb}: unknown option ${JSON.stringify(`--${name}`)}${didYouMean(name, Object.keys(options), '--') || seeHelp(verb)}`,
      );
    }
    if (equals >= 0 && option.value === undefined) usage(`--${name}: expected no value, found ${JSON.stringify(word)}`);
    return { name, typed: `--${name}`, option, attached: equals < 0 ? undefined : word.slice(equals + 1) };
  }
  const letter = word.slice(1, 2);
  const entry = Object.entries(options).find(([, option]) => option.short === letter);
  if (entry === undefined) {
    const meant = word.length > 2 ? didYouMean(word.slice(1), Object.keys(options), '--') : '';
    usage(`${verb}: unknown option ${JSON.stringify(word)}${meant || seeHelp(verb)}`);
  }
  const [name, option] = entry;
  const tail = word.slice(2);
  if (tail !== '' && option.value === undefined) usage(`-${letter}: expected no value, found ${JSON.stringify(word)}`);
  const attached = tail === '' ? undefined : tail.replace(/^=/, '');
  return { name, typed: `-${letter}`, option, attached };
}

export function seeHelp(verb: string): string {
  return `; see: spawn help ${verb}`;
}

/** A value may begin with a dash (`--priority -5`), but an option in its place means that it was forgotten. */
function isKnown(options: OptionTable, word: string): boolean {
  if (!isOption(word)) return false;
  const long = word.split('=', 1)[0]!.slice(2);
  return Object.entries(options).some(([name, option]) => name === long || `-${option.short}` === word);
}

function readValue(option: Option, text: string, typed: string): unknown {
  if (option.choices !== undefined && !option.choices.includes(text)) {
    throw new SpawnError('BAD_REQUEST', { where: typed, expected: option.choices.join(' or '), found: text });
  }
  return option.parse === undefined ? text : option.parse(text, typed);
}

function checkOperands(verb: string, command: Command, operands: readonly string[]): void {
  const { name, min, max, choices } = command.operands;
  if (operands.length < min) usage(`${verb}: expected ${name}, found nothing${seeHelp(verb)}`);
  const surplus = operands[max];
  if (surplus !== undefined) {
    const allowed = max === 0 ? 'no argument' : max === 1 ? `only one ${name}` : `at most ${max} of ${name}`;
    usage(`${verb}: expected ${allowed}, found ${JSON.stringify(surplus)} too`);
  }
  for (const operand of choices === undefined ? [] : operands) {
    if (choices!.includes(operand)) continue;
    usage(
      `${verb}: expected ${choices!.join(' or ')}, found ${JSON.stringify(operand)}${didYouMean(operand, choices!)}`,
    );
  }
}

function valuesOf(options: OptionTable, given: ReadonlyMap<string, unknown[]>): Values<OptionTable> {
  const entries = Object.entries(options).map(([name, option]) => {
    const values = given.get(name) ?? [];
    if (option.many) return [name, values];
    return [name, option.value === undefined ? values.length > 0 : values[0]];
  });
  return Object.fromEntries(entries);
}
