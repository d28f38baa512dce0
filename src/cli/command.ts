import type { World } from './world.ts';

/** One option of a command. This table drives parsing, help, completion and the reference: an option is written here only. */
export interface Option<T = unknown> {
  /** One line, beginning with a capital letter, no full stop. */
  readonly summary: string;
  /** A single letter, without its dash. */
  readonly short?: string;
  /** What its value is called in help; absent: a flag, which takes none. */
  readonly value?: string;
  /** The only values allowed. */
  readonly choices?: readonly string[];
  /** May be given several times. */
  readonly many?: true;
  /** Known, and left out of help and completion: an option that is always refused, with a better answer than that it is unknown. */
  readonly hidden?: true;
  /** Reads the value; throws a SpawnError that names `where` (the option as typed). */
  readonly parse?: (text: string, where: string) => T;
}

/** By long name, without its dashes. */
export type OptionTable = Readonly<Record<string, Option>>;

type ValueOf<O extends Option> = O extends { readonly parse: (text: string, where: string) => infer T }
  ? T
  : O extends { readonly choices: readonly (infer C)[] }
    ? C
    : string;

/** What was given: flags are false, values undefined and lists empty when they were not. */
export type Values<T extends OptionTable> = {
  readonly [K in keyof T]: T[K] extends { readonly many: true }
    ? readonly ValueOf<T[K]>[]
    : T[K] extends { readonly value: string }
      ? ValueOf<T[K]> | undefined
      : boolean;
};

/** A command line after its verb, as read. */
export interface Input<T extends OptionTable = OptionTable> {
  readonly options: Values<T>;
  readonly operands: readonly string[];
  /** What came after `--`, where the command takes it; undefined without `--`. */
  readonly rest: readonly string[] | undefined;
}

export interface Operands {
  /** As in the usage line: `JOB|TASK`. */
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** The only words allowed. */
  readonly choices?: readonly string[];
}

export interface Example {
  readonly line: string;
  readonly says: string;
}

/** A verb: what it takes and what it does. */
export interface Definition<T extends OptionTable> {
  /** Without the program's name: `list [options]`. */
  readonly usage: readonly string[];
  /** What it does and prints, in a few sentences. */
  readonly about: string;
  readonly options: T;
  readonly operands: Operands;
  /** Options end at the first operand: all that follows belongs to it. */
  readonly stopsAtOperand?: true;
  /** `--` begins another program's command line, given as `rest`; else what follows it are operands. */
  readonly takesRest?: true;
  readonly examples: readonly Example[];
  /** @returns the exit code */
  readonly run: (input: Input<T>, world: World) => Promise<number>;
}

/** A verb whose options are known by its table only. It is given what was read by that same table. */
export type Command = Definition<OptionTable>;

/** Lets `run` know what each option gives; outside of the definition the table alone says it. */
export function defineCommand<const T extends OptionTable>(definition: Definition<T>): Command {
  return definition as unknown as Command;
}

/** A verb in the list of all of them. */
export interface Entry {
  readonly name: string;
  readonly group: string;
  /** One line for `spawn --help`. */
  readonly summary: string;
  /** Loads this verb's module and no other. */
  readonly load: () => Promise<Command>;
}
