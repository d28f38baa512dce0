import type { SlurmOption } from '../../config/slurm/sbatch-options.ts';
import type { Command, Entry, Option } from '../command.ts';
import type { DialectEntry } from '../slurm/registry.ts';

/** What may follow: words to choose from, a file, a directory, a job, an instance, or anything at all. */
export type Value =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'file' | 'directory' | 'job' | 'instance' | 'any' };

export interface OptionWords {
  readonly name: string;
  readonly short: string | undefined;
  readonly summary: string;
  /** Absent: a flag. */
  readonly value: Value | undefined;
}

export interface VerbWords {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionWords[];
  readonly operands: Value;
}

/** All that shells complete, from the tables that the parsers read. */
export async function completionWords(
  entries: readonly Entry[],
  slurm: readonly DialectEntry[],
): Promise<readonly VerbWords[]> {
  const verbs = await Promise.all(
    entries.map(async ({ name, summary, load }): Promise<VerbWords> => {
      const command = await load();
      const shown = Object.entries(command.options).filter(([, { hidden }]) => !hidden);
      const options = shown.map(([option, table]) => optionWords(option, table));
      const help = { name: 'help', short: 'h', summary: 'Print how it is used', value: undefined };
      return { name, summary, options: [...options, help], operands: operandsOf(name, command) };
    }),
  );
  const dialects = await Promise.all(
    slurm.map(async ({ name, summary, load }): Promise<VerbWords> => {
      const { options } = await load();
      return { name, summary, options: options.map(slurmWords), operands: { kind: RUNS.has(name) ? 'file' : 'job' } };
    }),
  );
  const names = [...verbs, ...dialects].map(({ name }) => name);
  return [
    ...verbs,
    ...dialects,
    { name: 'help', summary: 'Tell all of a command', options: [], operands: { kind: 'words', words: names } },
  ];
}

/** Slurm's commands that are given a program; the others are given jobs. */
const RUNS = new Set(['sbatch', 'srun']);

/** Their options have no line for a person but what is said of the difference. */
function slurmWords({ long, short, argument, note = '' }: SlurmOption): OptionWords {
  const summary = note.replaceAll('`', '');
  return { name: long, short, summary, value: argument === 'required' ? { kind: 'any' } : undefined };
}

function optionWords(name: string, { short, summary, value, choices }: Option): OptionWords {
  const plain = { name, short, summary };
  if (value === undefined) return { ...plain, value: undefined };
  if (choices !== undefined) return { ...plain, value: { kind: 'words', words: choices } };
  const kind = value === 'DIR' ? 'directory' : value === 'FILE' || value === 'PATTERN' ? 'file' : 'any';
  return { ...plain, value: { kind } };
}

/** Verbs of two words say which in their usage: `config get NAME`. */
function operandsOf(verb: string, { operands, usage }: Command): Value {
  if (operands.choices !== undefined) return { kind: 'words', words: operands.choices };
  if (/\bJOB\b/.test(operands.name)) return { kind: 'job' };
  if (operands.name === 'NAME|ID') return { kind: 'instance' };
  if (operands.name === 'SCRIPT') return { kind: 'file' };
  const words = usage.flatMap((line) => new RegExp(`^${verb} \\[?([a-z]+)\\b`).exec(line)?.[1] ?? []);
  const own = words.filter((word) => word !== 'options');
  return own.length > 0 ? { kind: 'words', words: own } : { kind: 'any' };
}
