import { visible } from '../../core/error-text.ts';
import { isSpawnError, SpawnError } from '../../core/errors.ts';

export type SlurmCommand =
  | 'sbatch'
  | 'srun'
  | 'squeue'
  | 'scancel'
  | 'scontrol'
  | 'sacct'
  | 'sinfo'
  | 'sacctmgr'
  | 'sshare'
  | 'sstat';

/**
 * What stands before a line. error: `sbatch: error: `; fatal: `sbatch: fatal: `; command: `sbatch: `; bare: nothing; submit: what Slurm's
 * controller refuses, so `sbatch: error: Batch job submission failed: `.
 */
export type RefusalForm = 'error' | 'fatal' | 'command' | 'bare' | 'submit';

export interface RefusalLine {
  readonly form: RefusalForm;
  readonly text: string;
}

/** Why a command of Slurm's was refused, in Slurm's words. */
export interface Refusal {
  readonly lines: readonly RefusalLine[];
  readonly exit: number;
}

/** Options that cannot be read end sbatch and srun with 255, what the controller refuses with 1. */
export const BAD_OPTION_EXIT = 255;

/** An error that `refusalOf` reads again. */
export function refuse(lines: readonly RefusalLine[], exit: number): SpawnError {
  const shown = lines.map(({ form, text }) => ({ form, text: visible(text) }));
  return new SpawnError('USAGE', { message: shown.map(({ text }) => text).join('\n'), slurm: { lines: shown, exit } });
}

/** One line as `sbatch: error: …`. */
export function refuseLine(text: string, exit: number): SpawnError {
  return refuse([{ form: 'error', text }], exit);
}

/** `sbatch: error: Invalid --time specification`. */
export function badSpecification(option: string): SpawnError {
  return refuseLine(`Invalid --${option} specification`, BAD_OPTION_EXIT);
}

/** What Slurm's controller says to a job that it does not take. */
export function notSubmitted(text: string): SpawnError {
  return refuse([{ form: 'submit', text }], 1);
}

/** Undefined for an error that has no words of Slurm's. */
export function refusalOf(error: unknown): Refusal | undefined {
  return isSpawnError(error) && error.code === 'USAGE' ? (error.details.slurm as Refusal | undefined) : undefined;
}

const SUBMIT: Readonly<Partial<Record<SlurmCommand, string>>> = {
  sbatch: 'Batch job submission failed: ',
  srun: 'Unable to allocate resources: ',
};

/** The lines for stderr, each closed by LF. @param testOnly under `--test-only` a refused job has words of its own */
export function refusalText(command: SlurmCommand, { lines }: Refusal, testOnly = false): string {
  return lines.map((line) => `${shownLine(command, line, testOnly)}\n`).join('');
}

function shownLine(command: SlurmCommand, { form, text }: RefusalLine, testOnly: boolean): string {
  switch (form) {
    case 'bare':
      return text;
    case 'command':
      return `${command}: ${text}`;
    case 'submit':
      return testOnly ? `allocation failure: ${text}` : `${command}: error: ${SUBMIT[command] ?? ''}${text}`;
    case 'error':
    case 'fatal':
      return `${command}: ${form}: ${text}`;
  }
}
