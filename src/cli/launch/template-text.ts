import { resolve } from 'node:path';
import type { TemplateText } from '../../config/launch-template.ts';
import { SpawnError } from '../../core/errors.ts';
import type { Command, Option, OptionTable } from '../command.ts';
import { parseCommandLine } from '../parse-command-line.ts';
import { isGiven } from './layers.ts';
import { type Given, options } from './options.ts';
import { NOT_KEPT } from './read-launch.ts';
import { UNSUPPORTED } from './unsupported.ts';

/** Options that name a file or a directory: kept in full, so that the template means the same from everywhere. */
const PATHS: readonly (keyof Given)[] = ['user-data-file', 'param-file', 'env-file', 'cwd'];

const TABLE: OptionTable = { ...options, ...UNSUPPORTED };

/** Options as they were typed: what is kept is text, which is read again by the same table when it is used. */
const TYPED: OptionTable = Object.fromEntries(
  Object.entries(TABLE).map(([name, { parse: _, ...option }]: [string, Option]) => [name, option]),
);

export interface TypedLaunch extends TemplateText {
  /** Variables whose values are kept in the file. */
  readonly keptVariables: readonly string[];
}

/**
 * What a template keeps of the words of a launch.
 * @param launch the command that reads them; it says what is wrong with one
 * @returns `'help'` when that was asked for
 */
export function templateText(words: readonly string[], launch: Command, cwd: string): TypedLaunch | 'help' {
  const typed = parseCommandLine('template save', { ...launch, options: TYPED }, words);
  if (typed === 'help') return 'help';
  // Read once more, with the checks of each value.
  parseCommandLine('template save', launch, words);
  const given = Object.entries(typed.options).filter(([, value]) => isGiven(value));
  const kept = given.map(([name, value]): [string, string | true | readonly string[]] => {
    if ((NOT_KEPT as readonly string[]).includes(name)) {
      const shown = name === 'format' ? '-o' : `--${name}`;
      throw usage(`expected options that can be kept, found ${shown}, which belongs to one launch`);
    }
    if (value === true) return [name, true];
    if (Array.isArray(value)) return [name, value.map((text: string) => absolute(name, text, cwd))];
    return [name, absolute(name, String(value), cwd)];
  });
  const [operand] = typed.operands;
  if (operand !== undefined && kept.some(([name]) => name === 'name')) {
    throw usage(`expected --name or a name for the instances, found both`);
  }
  const named: typeof kept = operand === undefined ? kept : [...kept, ['name', operand]];
  const said = Object.fromEntries(named);
  const env = Array.isArray(said.env) ? (said.env as readonly string[]) : [];
  return {
    options: said,
    argv: typed.rest,
    keptVariables: env.filter((text) => text.includes('=')).map((text) => text.slice(0, text.indexOf('='))),
  };
}

function absolute(name: string, text: string, cwd: string): string {
  if ((PATHS as readonly string[]).includes(name)) return resolve(cwd, text);
  if (name !== 'user-data' || !text.startsWith('@')) return text;
  if (text === '@-') throw usage('--user-data: expected text or a file to keep, found standard input');
  return `@${resolve(cwd, text.slice(1))}`;
}

function usage(message: string): SpawnError {
  return new SpawnError('USAGE', { message: `template save: ${message}` });
}
