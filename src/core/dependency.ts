import { type JobId, scanJobId, scanTasksOf } from './ids.ts';
import type { IndexSet } from './index-set.ts';
import { TaskState } from './task-state.ts';
import { TextScanner } from './text-scanner.ts';

/** What the named tasks must have done. Source of the meanings: sbatch(1), `--dependency`. */
export type DependencyType = 'after' | 'afterany' | 'afterok' | 'afternotok' | 'aftercorr';

export type Term =
  | {
      readonly type: DependencyType;
      readonly jobId: JobId;
      /** null: the whole array. */
      readonly indices: IndexSet | null;
      /** Only of `after`: from the start of the last of them until it is satisfied. 0 for none. */
      readonly delayMs: number;
    }
  /** No other job of this owner and name may be running or before it in the queue. */
  | { readonly type: 'singleton' };

export interface Dependency {
  /** all: `,` between the terms. any: `?`. One term alone is `all`. */
  readonly mode: 'all' | 'any';
  readonly terms: readonly Term[];
}

const TYPES = ['after', 'afterany', 'afterok', 'afternotok', 'aftercorr'] as const satisfies readonly DependencyType[];
const A_TYPE = 'after, afterany, afterok, afternotok, aftercorr, singleton or a job number';
const MINUTE_MS = 60_000;
/** A delay of ten years is a mistake; this also keeps every time a safe integer. */
const MAX_DELAY_MINUTES = 5_256_000;
const COLON = 58;
const PLUS = 43;
const COMMA = 44;
const QUESTION = 63;
const AT = 64;
/** What a key of a job in a workflow is made of. */
const KEY = /[A-Za-z0-9._-]*/y;

/**
 * Reads `type:id[:id…]` joined all by `,` (every one must hold) or all by `?` (one is enough). Ids are `12`, `12_7`,
 * `12_[1,3-5]`, `12_*`; without a type they mean afterany; `after:12+5` is five minutes after the start.
 * @param keys numbers of jobs that may be named by a key instead: `@prepare`, `@prepare_7`, `@prepare_[1,3-5]`. A key that ends like a task
 * goes before a task of another one.
 * @throws BAD_DEPENDENCY with the column
 */
export function parseDependency(text: string, keys?: ReadonlyMap<string, JobId>): Dependency {
  const scan = new TextScanner(text, 'BAD_DEPENDENCY');
  const terms: Term[] = [];
  let separator = 0;
  for (;;) {
    scanTerms(scan, terms, keys);
    if (scan.at === scan.end) break;
    const found = scan.text.charCodeAt(scan.at);
    if (found !== COMMA && found !== QUESTION) scan.bad('":", ",", "?" or the end');
    if (separator !== 0 && found !== separator) {
      scan.bad(`"${String.fromCharCode(separator)}" as before: a list is all "," (and) or all "?" (or)`);
    }
    separator = found;
    scan.at += 1;
  }
  return { mode: separator === QUESTION ? 'any' : 'all', terms };
}

function scanTerms(scan: TextScanner, terms: Term[], keys: ReadonlyMap<string, JobId> | undefined): void {
  const type = scan.seesDigit() || (keys !== undefined && scan.sees(AT)) ? 'afterany' : scanType(scan);
  if (type === 'singleton') {
    terms.push({ type });
    return;
  }
  do {
    const jobId = keys !== undefined && scan.take(AT) ? scanKey(scan, keys) : scanJobId(scan, 'a job number');
    const indices = scanTasksOf(scan);
    terms.push({ type, jobId, indices, delayMs: scanDelay(scan, type) });
  } while (scan.take(COLON));
}

function scanKey(scan: TextScanner, keys: ReadonlyMap<string, JobId>): JobId {
  KEY.lastIndex = scan.at;
  const [word] = KEY.exec(scan.text)!;
  for (const name of [word, word.replace(/_\d*$/, '')]) {
    const jobId = keys.get(name);
    if (jobId === undefined) continue;
    scan.at += name.length;
    return jobId;
  }
  return scan.bad('the key of a job that is submitted with it');
}

/** The type and the colon after it. */
function scanType(scan: TextScanner): DependencyType | 'singleton' {
  const from = scan.at;
  const word = /^[a-z]*/i.exec(scan.text.slice(from))![0];
  const name = word.toLowerCase();
  scan.at += word.length;
  if (name === 'singleton') return name;
  const type = TYPES.find((known) => known === name);
  if (type === undefined) scan.bad(A_TYPE, from);
  if (!scan.take(COLON)) scan.bad('":" and a job number');
  return type;
}

function scanDelay(scan: TextScanner, type: DependencyType): number {
  if (!scan.sees(PLUS)) return 0;
  if (type !== 'after') scan.bad(`no delay with ${type}: only after takes one`);
  scan.at += 1;
  const from = scan.at;
  const minutes = scan.number('a delay in whole minutes', MAX_DELAY_MINUTES);
  if (minutes === 0) scan.bad('a delay of at least 1 minute', from);
  return minutes * MINUTE_MS;
}

/** The text that `parseDependency` reads back to the same. */
export function formatDependency(dependency: Dependency): string {
  return dependency.terms.map(formatTerm).join(dependency.mode === 'all' ? ',' : '?');
}

function formatTerm(term: Term): string {
  if (term.type === 'singleton') return term.type;
  const { type, jobId, indices, delayMs } = term;
  const one = indices !== null && indices.size === 1;
  const tasks = indices === null ? '' : one ? `_${indices.min}` : `_[${indices}]`;
  return `${type}:${jobId}${tasks}${delayMs === 0 ? '' : `+${delayMs / MINUTE_MS}`}`;
}

/** A satisfied dependency stays satisfied; a failed one can never be satisfied as things are. */
export const TERM_STATES = ['pending', 'satisfied', 'failed'] as const;
export type TermState = (typeof TERM_STATES)[number];

export function combine(mode: Dependency['mode'], states: readonly TermState[]): TermState {
  const [decides, otherwise] = mode === 'all' ? (['failed', 'satisfied'] as const) : (['satisfied', 'failed'] as const);
  if (states.includes(decides)) return decides;
  return states.includes('pending') ? 'pending' : otherwise;
}

/** Counts over the tasks that a term names: a whole array, or some of its indices. */
export interface TermSummary {
  readonly total: number;
  /** Completed, failed, cancelled or skipped. */
  readonly ended: number;
  readonly completed: number;
  /** So many of them must complete to have succeeded together. */
  readonly needed: number;
  /** Started at least once, or ended without a start. */
  readonly startedOrEnded: number;
}

/** Nothing but `after` is decided before the last task has ended: a failing task alone neither fails nor satisfies. */
export function decideWhole(type: DependencyType, summary: TermSummary): TermState {
  const { total, ended, completed, needed, startedOrEnded } = summary;
  if (type === 'after') return startedOrEnded === total ? 'satisfied' : 'pending';
  if (ended < total) return 'pending';
  switch (type) {
    case 'afterany':
      return 'satisfied';
    case 'afterok':
    case 'aftercorr':
      return completed >= needed ? 'satisfied' : 'failed';
    case 'afternotok':
      return completed < needed ? 'satisfied' : 'failed';
  }
}

const NOT_STARTED: TermSummary = { total: 1, ended: 0, completed: 0, needed: 1, startedOrEnded: 0 };
const STARTED: TermSummary = { total: 1, ended: 0, completed: 0, needed: 1, startedOrEnded: 1 };
const COMPLETED: TermSummary = { total: 1, ended: 1, completed: 1, needed: 1, startedOrEnded: 1 };
const ENDED: TermSummary = { total: 1, ended: 1, completed: 0, needed: 1, startedOrEnded: 1 };

const SUMMARY_OF: Readonly<Record<TaskState, TermSummary>> = {
  [TaskState.blocked]: NOT_STARTED,
  [TaskState.ready]: NOT_STARTED,
  [TaskState.leased]: NOT_STARTED,
  [TaskState.running]: STARTED,
  [TaskState.completed]: COMPLETED,
  [TaskState.failed]: ENDED,
  [TaskState.cancelled]: ENDED,
  [TaskState.skipped]: ENDED,
};

/** As `decideWhole`, of the one task that `12_7` names or that aftercorr pairs. */
export function decideTask(type: DependencyType, state: TaskState): TermState {
  return decideWhole(type, SUMMARY_OF[state]);
}
