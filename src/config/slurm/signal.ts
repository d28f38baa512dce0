import { signalNamed } from '../../core/outcome.ts';
import { badSpecification } from './refusal.ts';

/** `--signal`: sent before the time limit. */
export interface EarlySignal {
  readonly number: number;
  readonly beforeMs: number;
  /** The batch shell alone (`B:`); else what srun started in the job, and not the shell. */
  readonly toShell: boolean;
}

const DEFAULT_SECONDS = 60;
const MOST_SECONDS = 65_535;
const SIGNAL = /^(?:([RB]{1,2}):)?\s*([^@:]*)(?:@(\d{0,6}))?$/i;
/** The only names that Slurm has. */
const NAMES = new Set('HUP INT QUIT ABRT KILL ALRM TERM USR1 USR2 URG CONT STOP TSTP TTIN TTOU XCPU'.split(' '));

/** The number of a signal as scancel and `--signal` take it; undefined when Slurm has no such signal. */
export function slurmSignal(text: string): number | undefined {
  if (/^\d+$/.test(text)) return signalNamed(text);
  return NAMES.has(text.toUpperCase().replace(/^SIG/, '')) ? signalNamed(text) : undefined;
}

/**
 * Reads `[R][B]:SIGNAL[@SECONDS]`. `R` (for reservations) means nothing here.
 * @throws SpawnError with Slurm's words
 */
export function signalOption(text: string): EarlySignal {
  const [, to = '', name = '', seconds] = SIGNAL.exec(text) ?? [];
  const number = slurmSignal(name);
  const before = seconds === undefined ? DEFAULT_SECONDS : Number(seconds);
  if (number === undefined || before > MOST_SECONDS) throw badSpecification('signal');
  return { number, beforeMs: Math.max(1, before * 1_000), toShell: /B/i.test(to) };
}
