import { type GivenWord, nameOf, readWords } from './getopt.ts';
import { BAD_OPTION_EXIT, refuseLine } from './refusal.ts';
import { SBATCH_OPTIONS, type SbatchName, type SlurmOption } from './sbatch-options.ts';

/** Where an option was found: the command line counts more than variables, these more than the script. */
export type OptionSource = 'script' | 'variable' | 'line';

export interface GivenOption {
  readonly name: SbatchName;
  /** Undefined for a flag, and for an optional value that was not written. */
  readonly value: string | undefined;
  readonly source: OptionSource;
}

export interface SbatchWords {
  /** From the weakest source to the strongest: of two that contradict each other the later one counts. */
  readonly given: readonly GivenOption[];
  /** The script and its arguments. */
  readonly operands: readonly string[];
}

/** Options as getopt read them, with where they were found. */
export function givenOptions(
  words: readonly GivenWord<(typeof SBATCH_OPTIONS)[number]>[],
  source: OptionSource,
): readonly GivenOption[] {
  return words.map(({ option, value }) => ({ name: nameOf(option) as SbatchName, value, source }));
}

/**
 * The words after `sbatch`.
 * @throws SpawnError with Slurm's words
 */
export function readSbatchLine(words: readonly string[]): SbatchWords {
  const read = readWords('sbatch', SBATCH_OPTIONS, words);
  return { given: givenOptions(read.given, 'line'), operands: read.operands };
}

/**
 * The words of `#SBATCH` lines, which hold options alone.
 * @throws SpawnError with Slurm's words
 */
export function readScriptOptions(words: readonly string[]): readonly GivenOption[] {
  const read = readWords('sbatch', SBATCH_OPTIONS, words);
  const [stray] = read.operands;
  if (stray !== undefined) throw refuseLine(`Invalid directive found in batch script: ${stray}`, BAD_OPTION_EXIT);
  return givenOptions(read.given, 'script');
}

/** What the `SBATCH_*` variables say. */
export function readVariables(env: Readonly<Record<string, string | undefined>>): readonly GivenOption[] {
  return variablesOf(SBATCH_OPTIONS, env);
}

/** Options that variables stand for; a flag is set by its variable whatever its value. */
export function variablesOf<N extends string>(
  options: readonly (SlurmOption & { readonly long: N })[],
  env: Readonly<Record<string, string | undefined>>,
): readonly { readonly name: N; readonly value: string | undefined; readonly source: 'variable' }[] {
  return options.flatMap(({ long, variable, argument }) => {
    const text = variable === undefined ? undefined : env[variable];
    if (text === undefined) return [];
    const value = argument === 'none' || (argument === 'optional' && text === '') ? undefined : text;
    return [{ name: long, value, source: 'variable' as const }];
  });
}

/** The last of the options of these names; undefined when none was given. */
export function lastOf(all: readonly GivenOption[], ...names: readonly SbatchName[]): GivenOption | undefined {
  return all.findLast(({ name }) => names.includes(name));
}
