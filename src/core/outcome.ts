import { SpawnError } from './errors.ts';

/** How the main process of an attempt ended. `signal` is the Linux number, `code` 0 to 255. */
export type ProcessEnd =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signalled'; readonly signal: number };

/** How one attempt ended; `exit` where it was made to end and it is known what its main process made of that. */
export type Outcome =
  | ProcessEnd
  /** As if it had exited so: it was never run, since its files could not be opened or its directory not be entered. */
  | { readonly kind: 'exited'; readonly code: number; readonly isUnstarted: true }
  | { readonly kind: 'timedOut'; readonly exit?: ProcessEnd }
  | { readonly kind: 'outOfMemory' }
  | { readonly kind: 'cancelled'; readonly exit?: ProcessEnd }
  | { readonly kind: 'preempted' }
  | { readonly kind: 'lost' };

/** The position is the number in stores and messages: append only. */
export const OUTCOME_KINDS = [
  'exited',
  'signalled',
  'timedOut',
  'outOfMemory',
  'cancelled',
  'preempted',
  'lost',
] as const satisfies readonly Outcome['kind'][];

/** The numbers that follow: append only. */
const WITH_PROCESS = [
  ['timedOut', 'exited'],
  ['timedOut', 'signalled'],
  ['cancelled', 'exited'],
  ['cancelled', 'signalled'],
] as const satisfies readonly (readonly [Outcome['kind'], ProcessEnd['kind']])[];

/** And the one after them. */
const UNSTARTED = OUTCOME_KINDS.length + WITH_PROCESS.length;

/** Linux numbers (signal(7)); 32 and above are real-time signals, which have no name. */
const SIGNALS =
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'.split(
    ' ',
  );

/** The last real-time signal. */
const MAX_SIGNAL = 64;

/** 9 of `KILL`, `SIGKILL` or `9`, in upper or lower case; undefined when there is no such signal. */
export function signalNamed(text: string): number | undefined {
  if (/^\d{1,2}$/.test(text)) return Number(text) >= 1 && Number(text) <= MAX_SIGNAL ? Number(text) : undefined;
  const at = SIGNALS.indexOf(text.toUpperCase().replace(/^SIG/, ''));
  return at < 0 ? undefined : at + 1;
}

/** What the main process ended with, as far as that is known, whatever was the cause. */
export function processEndOf(outcome: Outcome): ProcessEnd | undefined {
  switch (outcome.kind) {
    case 'exited':
      return 'isUnstarted' in outcome ? undefined : outcome;
    case 'signalled':
      return outcome;
    case 'timedOut':
    case 'cancelled':
      return outcome.exit;
    case 'outOfMemory':
    case 'preempted':
    case 'lost':
      return undefined;
  }
}

function numberOf({ kind }: Outcome, exit: ProcessEnd | undefined): number {
  if (kind === 'exited' && exit === undefined) return UNSTARTED;
  const at = WITH_PROCESS.findIndex(([cause, end]) => cause === kind && end === exit?.kind);
  return at < 0 ? OUTCOME_KINDS.indexOf(kind) : OUTCOME_KINDS.length + at;
}

/** An outcome in 16 bits: `kind * 256 + value`. A plain success is 0. */
export function encodeOutcome(outcome: Outcome): number {
  const exit = processEndOf(outcome);
  const value = outcome.kind === 'exited' ? outcome.code : exit?.kind === 'exited' ? exit.code : (exit?.signal ?? 0);
  if (!Number.isInteger(value) || value < 0 || value > 255) {
    throw new SpawnError('INTERNAL', { why: `outcome ${outcome.kind} of ${value} does not fit one byte` });
  }
  return numberOf(outcome, exit) * 256 + value;
}

export function decodeOutcome(encoded: number): Outcome {
  const number = encoded >> 8;
  const value = encoded & 255;
  if (number === UNSTARTED) return { kind: 'exited', code: value, isUnstarted: true };
  const both = WITH_PROCESS[number - OUTCOME_KINDS.length];
  if (both !== undefined) return { kind: both[0], exit: processEnd(both[1], value) };
  const kind = OUTCOME_KINDS[number];
  if (kind === undefined) throw new SpawnError('INTERNAL', { why: `outcome ${encoded} is of an unknown kind` });
  return kind === 'exited' || kind === 'signalled' ? processEnd(kind, value) : { kind };
}

function processEnd(kind: ProcessEnd['kind'], value: number): ProcessEnd {
  return kind === 'exited' ? { kind, code: value } : { kind, signal: value };
}

/** The same without what the process made of it: what retries, filters and counts tell apart. */
export function withoutProcess(encoded: number): number {
  if (encoded >> 8 === UNSTARTED) return encoded & 255;
  const both = WITH_PROCESS[(encoded >> 8) - OUTCOME_KINDS.length];
  return both === undefined ? encoded : OUTCOME_KINDS.indexOf(both[0]) * 256;
}

export function isOk(outcome: Outcome): boolean {
  return outcome.kind === 'exited' && outcome.code === 0;
}

/** For people: `exit 3`, `SIGKILL (9)`, `time limit`. */
export function outcomeText(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'exited':
      return `exit ${outcome.code}`;
    case 'signalled': {
      const name = SIGNALS[outcome.signal - 1];
      return name === undefined ? `signal ${outcome.signal}` : `SIG${name} (${outcome.signal})`;
    }
    case 'timedOut':
      return 'time limit';
    case 'outOfMemory':
      return 'out of memory';
    case 'cancelled':
      return 'cancelled';
    case 'preempted':
      return 'preempted';
    case 'lost':
      return 'worker lost';
  }
}

/** What a command that waited for the task exits with: its own code, 128+n for a signal, 124 for the time limit, else 1. */
export function exitCodeOf(outcome: Outcome): number {
  switch (outcome.kind) {
    case 'exited':
      return outcome.code;
    case 'signalled':
      return 128 + outcome.signal;
    case 'timedOut':
      return 124;
    case 'outOfMemory':
    case 'cancelled':
    case 'preempted':
    case 'lost':
      return 1;
  }
}
