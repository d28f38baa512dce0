import { refuse, type SlurmCommand } from './refusal.ts';

/** One option of a command, by the rules of getopt_long(3). */
export interface GetoptOption {
  readonly long: string;
  /** The option that this is another name of. */
  readonly sameAs?: string;
  /** One letter. */
  readonly short?: string;
  /** An optional value is written in the same word: `--nice=5`, `-k5`. */
  readonly argument: 'none' | 'required' | 'optional';
}

export interface GivenWord<O extends GetoptOption> {
  readonly option: O;
  readonly value: string | undefined;
}

export interface Words<O extends GetoptOption> {
  /** In the order of the line. */
  readonly given: readonly GivenWord<O>[];
  readonly operands: readonly string[];
}

interface Rules {
  /** Exit code for a wrong option. */
  readonly exit: number;
  /** The script or program ends the options: what follows is its own. */
  readonly stopsAtOperand: boolean;
  /** A line that names `--help` follows. */
  readonly tellsHelp: boolean;
}

const SUBMITS: Rules = { exit: 255, stopsAtOperand: true, tellsHelp: true };
const ASKS: Rules = { exit: 1, stopsAtOperand: false, tellsHelp: true };

const RULES: Readonly<Record<SlurmCommand, Rules>> = {
  sbatch: SUBMITS,
  srun: SUBMITS,
  squeue: ASKS,
  scancel: ASKS,
  scontrol: ASKS,
  sinfo: ASKS,
  sacctmgr: ASKS,
  sshare: ASKS,
  sacct: { ...ASKS, tellsHelp: false },
  sstat: { ...ASKS, tellsHelp: false },
};

/**
 * Reads words as GNU getopt_long does: `--name value`, `--name=value`, names cut short as long as they are unique, `-n5`, `-n 5`, letters in
 * one word (`-hr`), `--` as the end. Options may come again.
 *
 * @throws SpawnError with the words of getopt and Slurm's exit code
 */
export function readWords<O extends GetoptOption>(
  command: SlurmCommand,
  options: readonly O[],
  words: readonly string[],
): Words<O> {
  const rules = RULES[command];
  const given: GivenWord<O>[] = [];
  const operands: string[] = [];
  let next = 0;
  const bad = (text: string): never => {
    const help = { form: 'bare', text: `Try "${command} --help" for more information` } as const;
    throw refuse([{ form: 'command', text }, ...(rules.tellsHelp ? [help] : [])], rules.exit);
  };

  const readLong = (word: string): void => {
    const equals = word.indexOf('=');
    const name = word.slice(2, equals < 0 ? undefined : equals);
    const option = optionNamed(options, name, word, bad);
    let value = equals < 0 ? undefined : word.slice(equals + 1);
    if (option.argument === 'none' && value !== undefined) bad(`option '--${option.long}' doesn't allow an argument`);
    if (option.argument === 'required' && value === undefined) {
      if (next === words.length) bad(`option '--${option.long}' requires an argument`);
      value = words[next++];
    }
    given.push({ option, value });
  };

  const readLetters = (word: string): void => {
    for (let at = 1; at < word.length; ) {
      const letter = String.fromCodePoint(word.codePointAt(at)!);
      const option = options.find(({ short }) => short === letter) ?? bad(`invalid option -- '${letter}'`);
      at += letter.length;
      const rest = word.slice(at);
      if (option.argument === 'none') {
        given.push({ option, value: undefined });
        continue;
      }
      let value = rest === '' ? undefined : rest;
      if (value === undefined && option.argument === 'required') {
        if (next === words.length) bad(`option requires an argument -- '${letter}'`);
        value = words[next++];
      }
      given.push({ option, value });
      return;
    }
  };

  while (next < words.length) {
    const word = words[next]!;
    const isOperand = !word.startsWith('-') || word === '-';
    if (isOperand && rules.stopsAtOperand) break;
    next += 1;
    if (word === '--') break;
    if (isOperand) operands.push(word);
    else if (word.startsWith('--')) readLong(word);
    else readLetters(word);
  }
  return { given, operands: [...operands, ...words.slice(next)] };
}

function optionNamed<O extends GetoptOption>(
  options: readonly O[],
  name: string,
  word: string,
  bad: (text: string) => never,
): O {
  const exact = options.find(({ long }) => long === name);
  if (exact !== undefined) return exact;
  const begun = options.filter(({ long }) => long.startsWith(name));
  if (begun.length === 0) bad(`unrecognized option '${word}'`);
  const first = begun[0]!;
  // Other names of the first are no other option.
  const meant = begun.filter((option) => option === first || nameOf(option) !== nameOf(first));
  if (meant.length > 1) {
    bad(`option '${word}' is ambiguous; possibilities: ${meant.map(({ long }) => `'--${long}'`).join(' ')}`);
  }
  return first;
}

/** The name by which an option is known, whatever it was called. */
export function nameOf({ long, sameAs }: GetoptOption): string {
  return sameAs ?? long;
}
