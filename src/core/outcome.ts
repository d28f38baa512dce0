import { SpawnError } from './errors.ts';

/** How one attempt ended. `signal` is the Linux number, `code` 0 to 255. */
export type Outcome =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signalled'; readonly signal: number }
  | { readonly kind: 'timedOut' }
  | { readonly kind: 'outOfMemory' }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'preempted' }
  | { readonly kind: 'lost' };

/** The position is the number in stores and messages: append only. */
const KINDS = [
  'exited',
  'signalled',
  'timedOut',
  'outOfMemory',
  'cancelled',
  'preempted',
  'lost',
] as const satisfies readonly Outcome['kind'][];

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

function detailOf(outcome: Outcome): number {
  switch (outcome.kind) {
    case 'exited':
      return outcome.code;
    case 'signalled':
      return outcome.signal;
    case 'timedOut':
    case 'outOfMemory':
    case 'cancelled':
    case 'preempted':
    case 'lost':
      return 0;
  }
}

/** An outcome in 16 bits: `kind * 256 + value`. A plain success is 0. */
export function encodeOutcome(outcome: Outcome): number {
  const value = detailOf(outcome);
  if (!Number.isInteger(value) || value < 0 || value > 255) {
    throw new SpawnError('INTERNAL', { why: `outcome ${outcome.kind} of ${value} does not fit one byte` });
  }
  return KINDS.indexOf(outcome.kind) * 256 + value;
}

export function decodeOutcome(encoded: number): Outcome {
  const kind = KINDS[encoded >> 8];
  if (kind === undefined) throw new SpawnError('INTERNAL', { why: `outcome ${encoded} is of an unknown kind` });
  const value = encoded & 255;
  switch (kind) {
    case 'exited':
      return { kind, code: value };
    case 'signalled':
      return { kind, signal: value };
    case 'timedOut':
    case 'outOfMemory':
    case 'cancelled':
    case 'preempted':
    case 'lost':
      return { kind };
  }
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
