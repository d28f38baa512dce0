import { type GivenWord, nameOf, readWords } from '../../config/slurm/getopt.ts';
import { refusalOf, refusalText, type SlurmCommand } from '../../config/slurm/refusal.ts';
import type { SlurmOption } from '../../config/slurm/sbatch-options.ts';
import type { World } from '../world.ts';
import { controllerText } from './controller-words.ts';

/** A command line of Slurm's, as read. */
export interface DialectInput<O extends SlurmOption = SlurmOption> {
  /** In the order of the line. */
  readonly given: readonly GivenWord<O>[];
  readonly operands: readonly string[];
}

/** One of Slurm's commands: what it takes and what it does. */
export interface Dialect<O extends SlurmOption = SlurmOption> {
  readonly command: SlurmCommand;
  /** Without the command's name: `[options] script [args]`. */
  readonly usage: readonly string[];
  /** What it does, in a few sentences. */
  readonly about: string;
  readonly options: readonly O[];
  /**
   * Does it. What it throws is said in Slurm's words: what `refuse` made, and errors of the coordinator.
   * @returns the exit code
   */
  readonly run: (input: DialectInput<O>, world: World) => Promise<number>;
}

/** One of Slurm's commands, its options forgotten: it is given what was read by its own table. */
export interface DialectCommand extends Omit<Dialect, 'run'> {
  /** @param words after the command's name @returns the exit code */
  readonly run: (words: readonly string[], world: World) => Promise<number>;
}

/** A command of Slurm's that reads its words by getopt's rules, and says in Slurm's words what is wrong with them. */
export function defineDialect<O extends SlurmOption>(dialect: Dialect<O>): DialectCommand {
  const { command, options } = dialect;
  return {
    ...dialect,
    async run(words, world) {
      try {
        const input = readWords(command, options, words);
        const asked = input.given.map(({ option }) => nameOf(option)).find((name) => TELLS.has(name));
        if (asked === undefined) return await dialect.run(input, quietUnless(isGiven(input, 'verbose'), world));
        const { dialectHelp, VERSION_TEXT } = await import('./dialect-help.ts');
        const { OPTION_TEXTS } = await import('./option-texts.ts');
        const told = asked === 'version' ? VERSION_TEXT : dialectHelp(dialect, asked === 'usage', OPTION_TEXTS);
        world.stdout.write(told);
        return 0;
      } catch (error) {
        return reportSlurmError(command, error, world);
      }
    },
  };
}

/** Programs join the streams of Slurm's commands and take them apart again: only a person is told that a coordinator was started. */
function quietUnless(verbose: boolean, world: World): World {
  return world.stderr.isTTY || verbose ? world : { ...world, connect: () => world.connect(true) };
}

/** They answer, and nothing else on the line counts. */
const TELLS = new Set(['help', 'usage', 'version']);

/**
 * Says what went wrong in Slurm's words.
 * @returns the exit code
 * @throws what is no error of ours
 */
export function reportSlurmError(command: SlurmCommand, error: unknown, world: Pick<World, 'stderr'>): number {
  const refusal = refusalOf(error);
  if (refusal !== undefined) {
    world.stderr.write(refusalText(command, refusal));
    return refusal.exit;
  }
  const text = controllerText(command, error);
  if (text === undefined) throw error;
  world.stderr.write(text);
  return 1;
}

/** The value of the last option of a name; undefined when it was not given, or given without a value. */
export function lastValue({ given }: DialectInput, name: string): string | undefined {
  return given.findLast(({ option }) => nameOf(option) === name)?.value;
}

/** Values of all options of a name, in the order of the line. */
export function allValues({ given }: DialectInput, name: string): readonly string[] {
  return given.flatMap(({ option, value }) => (nameOf(option) === name && value !== undefined ? [value] : []));
}

/** Whether an option was given. */
export function isGiven({ given }: DialectInput, name: string): boolean {
  return given.some(({ option }) => nameOf(option) === name);
}
