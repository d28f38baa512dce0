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
  /** It said nothing of its progress for too long. */
  | { readonly kind: 'stalled'; readonly exit?: ProcessEnd }
  | { readonly kind: 'outOfMemory' }
  | { readonly kind: 'cancelled'; readonly exit?: ProcessEnd }
  | { readonly kind: 'preempted' }
  | { readonly kind: 'lost' };

/** The number of each in stores and messages: never changed, and no number is given twice. */
const NUMBERS = {
  exited: 0,
  signalled: 1,
  timedOut: 2,
  outOfMemory: 3,
  cancelled: 4,
  preempted: 5,
  lost: 6,
  stalled: 12,
} as const satisfies Record<Outcome['kind'], number>;

export const OUTCOME_KINDS = Object.keys(NUMBERS) as readonly Outcome['kind'][];

/** Those of which it is known what the main process made of them, with numbers of their own. */
const WITH_PROCESS = [
  [7, 'timedOut', 'exited'],
  [8, 'timedOut', 'signalled'],
  [9, 'cancelled', 'exited'],
  [10, 'cancelled', 'signalled'],
  [13, 'stalled', 'exited'],
  [14, 'stalled', 'signalled'],
] as const satisfies readonly (readonly [number, Outcome['kind'], ProcessEnd['kind']])[];

const UNSTARTED = 11;

/** One more than the largest value of `encodeOutcome`. */
export const OUTCOME_VALUES = 15 * 256;

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
    case 'stalled':
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
  const both = WITH_PROCESS.find(([, cause, end]) => cause === kind && end === exit?.kind);
  return both?.[0] ?? NUMBERS[kind];
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
  const both = WITH_PROCESS.find(([of]) => of === number);
  if (both !== undefined) return { kind: both[1], exit: processEnd(both[2], value) };
  const kind = OUTCOME_KINDS.find((each) => NUMBERS[each] === number);
  if (kind === undefined) throw new SpawnError('INTERNAL', { why: `outcome ${encoded} is of an unknown kind` });
  return kind === 'exited' || kind === 'signalled' ? processEnd(kind, value) : { kind };
}

function processEnd(kind: ProcessEnd['kind'], value: number): ProcessEnd {
  return kind === 'exited' ? { kind, code: value } : { kind, signal: value };
}

/** The same without what the process made of it: what retries, filters and counts tell apart. */
export function withoutProcess(encoded: number): number {
  if (encoded >> 8 === UNSTARTED) return encoded & 255;
  const both = WITH_PROCESS.find(([of]) => of === encoded >> 8);
  return both === undefined ? encoded : NUMBERS[both[1]] * 256;
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
    case 'stalled':
      return 'no progress';
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

/** What a command that waited for the task exits with: its own code, 128+n for a signal, 124 for the time limit or no progress, else 1. */
export function exitCodeOf(outcome: Outcome): number {
  switch (outcome.kind) {
    case 'exited':
      return outcome.code;
    case 'signalled':
      return 128 + outcome.signal;
    case 'timedOut':
    case 'stalled':
      return 124;
    case 'outOfMemory':
    case 'cancelled':
    case 'preempted':
    case 'lost':
      return 1;
  }
}
