import { encodeOutcome, OUTCOME_VALUES, type Outcome, signalNamed } from './outcome.ts';
import { TextScanner } from './text-scanner.ts';

/** A set of ends of attempts: `1,100-110,SIGKILL,oom`. */
export interface FailureFilter {
  /** 1 at each encoded outcome that is in it. */
  readonly ends: Uint8Array;
}

/** Every kind of outcome has 256 values. */
const VALUES = 256;
const MAX_CODE = 255;
const EQUALS = 61;
const BANG = 33;
const DASH = 45;
const COMMA = 44;

const EXITED = encodeOutcome({ kind: 'exited', code: 0 });
const SIGNALLED = encodeOutcome({ kind: 'signalled', signal: 0 });

type PlainKind = Exclude<Outcome['kind'], 'exited' | 'signalled'>;
/** Ends that have no number; each word also stands alone. */
const PLAIN: ReadonlyMap<string, PlainKind> = new Map([
  ['oom', 'outOfMemory'],
  ['out-of-memory', 'outOfMemory'],
  ['time-limit', 'timedOut'],
  ['stalled', 'stalled'],
  ['lost', 'lost'],
  ['preempted', 'preempted'],
  ['cancelled', 'cancelled'],
]);
/** Those of them that count as failures of the task, so that a retry policy has a say. */
const FAILURES: ReadonlySet<PlainKind> = new Set(['outOfMemory', 'timedOut', 'stalled']);

const CAUSES = 'exit, signal, oom, time-limit, stalled, lost, preempted or cancelled';
const RETRIED_CAUSES = 'exit, signal, oom, time-limit or stalled (lost, preempted and cancelled are no failures)';
const SIGNAL = 'a signal as KILL, SIGKILL or 9 (1 to 64)';

/** Which ends a filter may name. */
interface Scope {
  /** The smallest exit code. */
  readonly least: number;
  readonly code: string;
  readonly causes: string;
  readonly plain: (kind: PlainKind) => boolean;
}
const ANY_END: Scope = { least: 0, code: 'an exit code (0 to 255)', causes: CAUSES, plain: () => true };
const FAILURE: Scope = {
  least: 1,
  code: 'an exit code (1 to 255)',
  causes: RETRIED_CAUSES,
  plain: (kind) => FAILURES.has(kind),
};

/**
 * Reads ends of attempts, separated by commas, for `--where`: exit codes as `1`, `100-110`, `exit=137`, `exit!=3`, or `exit` for any but
 * 0; signals as `SIGKILL`, `signal=KILL`, `signal=9`, or `signal` for any; `oom`, `time-limit`, `stalled`, `lost`, `preempted`, `cancelled`; and
 * `cause=` with any of these words. Upper and lower case are the same. A shell that exits 137 is `exit=137` and not `signal=KILL`.
 *
 * @throws SpawnError BAD_FILTER
 */
export function parseFailureFilter(text: string): FailureFilter {
  return parse(text, ANY_END);
}

/**
 * As `parseFailureFilter`, for a retry policy: only what counts as a failure may be named, so not 0, lost, preempted or cancelled.
 *
 * @throws SpawnError BAD_FILTER
 */
export function parseRetryFilter(text: string): FailureFilter {
  return parse(text, FAILURE);
}

/** @param end as `encodeOutcome` gives it; of a task without any ended attempt it is 0 too, which is for the caller to tell apart */
export function matchesFailure(filter: FailureFilter, end: number): boolean {
  return filter.ends[end] === 1;
}

function parse(text: string, scope: Scope): FailureFilter {
  const scan = new TextScanner(text, 'BAD_FILTER');
  const ends = new Uint8Array(OUTCOME_VALUES);
  do {
    scan.spaces();
    scanItem(scan, scope, ends);
    scan.spaces();
  } while (scan.take(COMMA));
  if (scan.at < scan.end) scan.bad('"," or the end');
  return { ends };
}

function scanItem(scan: TextScanner, scope: Scope, ends: Uint8Array): void {
  if (scan.seesDigit()) {
    addCodes(scan, scope, ends, false);
    return;
  }
  const from = scan.at;
  const word = scan.word().toLowerCase();
  if (word === 'exit' && (scan.sees(BANG) || scan.sees(EQUALS))) {
    const other = scan.take(BANG);
    if (!scan.take(EQUALS)) scan.bad('"="');
    addCodes(scan, scope, ends, other);
  } else if (word === 'signal' && scan.take(EQUALS)) {
    const at = scan.at;
    if (!addSignal(scan.word(), ends)) scan.bad(SIGNAL, at);
  } else if (word === 'cause') {
    if (!scan.take(EQUALS)) scan.bad('"="');
    const at = scan.at;
    if (!addCause(scan.word().toLowerCase(), scope, ends)) scan.bad(scope.causes, at);
  } else if (!(addCause(word, scope, ends) || (/^sig/.test(word) && addSignal(word, ends)))) {
    scan.bad(`${scope.code}, a signal as SIGKILL, exit=, signal=, cause=, or one of ${scope.causes}`, from);
  }
}

/** `3`, `1-5`; with `other` all but these, 0 among them only where it can be named. */
function addCodes(scan: TextScanner, { least, code }: Scope, ends: Uint8Array, other: boolean): void {
  const first = other ? scanCode(scan, 0, ANY_END.code) : scanCode(scan, least, code);
  const last = scan.take(DASH) ? scanCode(scan, first, `an exit code (${first} to ${MAX_CODE})`) : first;
  if (other) {
    ends.fill(1, EXITED + least, EXITED + first);
    ends.fill(1, EXITED + last + 1, EXITED + MAX_CODE + 1);
  } else {
    ends.fill(1, EXITED + first, EXITED + last + 1);
  }
}

function scanCode(scan: TextScanner, least: number, expected: string): number {
  const from = scan.at;
  const code = scan.number(expected, MAX_CODE);
  if (code < least) scan.bad(expected, from);
  return code;
}

function addSignal(text: string, ends: Uint8Array): boolean {
  const signal = signalNamed(text);
  if (signal === undefined) return false;
  ends[SIGNALLED + signal] = 1;
  return true;
}

function addCause(word: string, scope: Scope, ends: Uint8Array): boolean {
  if (word === 'exit') {
    ends.fill(1, EXITED + 1, EXITED + VALUES);
    return true;
  }
  if (word === 'signal') {
    ends.fill(1, SIGNALLED, SIGNALLED + VALUES);
    return true;
  }
  const kind = PLAIN.get(word);
  if (kind === undefined || !scope.plain(kind)) return false;
  ends[encodeOutcome({ kind })] = 1;
  return true;
}
