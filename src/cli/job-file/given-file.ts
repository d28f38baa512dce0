import type { CompiledFile } from '../../config/job-file/compile.ts';
import { SpawnError } from '../../core/errors.ts';
import type { Command, Input } from '../command.ts';
import { localZone } from '../local-zone.ts';
import { parseCommandLine } from '../parse-command-line.ts';
import type { SubmitInput } from '../submit/options.ts';
import type { World } from '../world.ts';
import { type GivenFile, isJobFile } from './read-file.ts';

/** A job file of a command line with what it means. */
export interface SubmittedFile extends GivenFile {
  readonly compiled: CompiledFile;
}

/**
 * The command line with the options that stand behind a job file among the others; undefined when what it names is none.
 * @param verb as errors call it
 */
export function withFileOptions(
  verb: string,
  command: Command,
  input: SubmitInput,
  world: Pick<World, 'cwd'>,
): SubmitInput | undefined {
  const [path, ...words] = input.operands;
  if (path === undefined || path === '-' || !isJobFile(path, world.cwd)) return undefined;
  const { stopsAtOperand: _, takesRest: __, ...mixed } = command;
  const more = parseCommandLine(verb, { ...mixed, operands: { name: 'FILE', min: 0, max: 0 } }, words);
  if (more === 'help')
    throw new SpawnError('USAGE', { message: `${verb}: expected --help before the file, found it behind` });
  if (input.rest !== undefined) {
    throw new SpawnError('USAGE', { message: `${verb}: expected a job file or a program after "--", found both` });
  }
  return { operands: [path], rest: undefined, options: joined(verb, input, more) };
}

function joined(verb: string, one: SubmitInput, other: Input): SubmitInput['options'] {
  const all: Record<string, unknown> = { ...one.options };
  for (const [name, value] of Object.entries(other.options)) {
    const before = all[name];
    if (Array.isArray(value)) all[name] = [...(before as unknown[]), ...value];
    else if (value !== undefined && value !== false) {
      if (before !== undefined && before !== false) {
        const option = name === 'format' ? '-o' : `--${name}`;
        throw new SpawnError('USAGE', { message: `${verb}: ${option}: expected once, found twice` });
      }
      all[name] = value;
    }
  }
  return all as SubmitInput['options'];
}

/** What a job file means. */
export async function compileGiven(given: GivenFile): Promise<SubmittedFile> {
  const { compileJobFile } = await import('../../config/job-file/compile.ts');
  return { ...given, compiled: compileJobFile(given.file, localZone) };
}
