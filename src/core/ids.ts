import { SpawnError } from './errors.ts';
import { MAX_INDEX } from './index-runs.ts';
import { type IndexSet, setOfScanned } from './index-set.ts';
import { scanIndexSet } from './index-set-text.ts';
import { TextScanner } from './text-scanner.ts';

declare const jobIdBrand: unique symbol;
/** The number of a job in its store: 1, 2, 3, … */
export type JobId = number & { readonly [jobIdBrand]: true };

/** What a person may write to name jobs or tasks. */
export type JobRef =
  /** Also the raw number of a task: from FIRST_RAW_ID on no job has one. */
  | { readonly kind: 'job'; readonly id: JobId }
  | { readonly kind: 'tasks'; readonly id: JobId; readonly indices: IndexSet }
  /** A name or an array id. */
  | { readonly kind: 'name'; readonly name: string };

/** Where the counter of the raw numbers of array tasks starts. */
export const FIRST_RAW_ID = 1_000_000_000;

const UNDERSCORE = 95;
const OPEN = 91;
const STAR = 42;
const A_JOB = 'a job as 12, 12_7, 12_[1,3-5], or a name';

const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,62}$/;
const ARRAY_ID = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,62}-\d{8}-[0-9a-f]{6}$/;
/** `12`, `12_`, `12_7`, `12_1-3`, `1-3`. */
const LIKE_AN_ID = /^\d+(_[\d-]*|-\d+)?$/;

/** @throws RangeError when it is no job number: a bug, input is checked before. */
export function asJobId(n: number): JobId {
  if (!(Number.isSafeInteger(n) && n > 0)) throw new RangeError(`job number ${n}`);
  return n as JobId;
}

/** The job number at the scanner's place. */
export function scanJobId(scan: TextScanner, expected: string): JobId {
  const from = scan.at;
  const id = scan.number(expected, Number.MAX_SAFE_INTEGER);
  if (id === 0) scan.bad(expected, from);
  return id as JobId;
}

/** After a job number: `_7`, `_[1,3-5]`; null when there is nothing or `_*`, which are all tasks. */
export function scanTasksOf(scan: TextScanner): IndexSet | null {
  if (!scan.take(UNDERSCORE) || scan.take(STAR)) return null;
  if (!scan.sees(OPEN)) {
    const index = scan.number('an index, "[" or "*"', MAX_INDEX);
    return setOfScanned([{ start: index, step: 1, count: 1 }], 1, 1);
  }
  const close = scan.text.indexOf(']', scan.at);
  const inner = new TextScanner(scan.text, scan.code, scan.at, close < 0 ? scan.end : close + 1);
  const { runs, step } = scanIndexSet(inner, 'wire');
  scan.at = inner.at;
  return setOfScanned(runs, step, MAX_INDEX);
}

/** A name or an array id, and never read as a number, a task or a range. */
export function isJobName(text: string): boolean {
  return ARRAY_ID.test(text) || (NAME.test(text) && !LIKE_AN_ID.test(text));
}

/**
 * Reads `12`, `12_7`, `12_[1,3-5]`, `12_*` (the whole job), a name or an array id.
 * @throws BAD_JOB_REF with the column
 */
export function parseJobRef(text: string): JobRef {
  if (isJobName(text)) return { kind: 'name', name: text };
  const scan = new TextScanner(text, 'BAD_JOB_REF');
  const id = scanJobId(scan, A_JOB);
  const indices = scanTasksOf(scan);
  if (scan.at < scan.end)
    scan.bad(indices === null ? '"_" or the end' : 'the end; several indices go in brackets, as 12_[1-3]');
  return indices === null ? { kind: 'job', id } : { kind: 'tasks', id, indices };
}

/** What of a job its tasks' raw numbers follow from. */
export interface RawIds {
  readonly id: number;
  /** Of the task at position 0. */
  readonly rawIdBase: number;
  readonly isArray: boolean;
}

/**
 * The one number of a task (SLURM_JOB_ID, `%j`). Of a job that is no array it is the job's own, as in Slurm: scripts and workflow programs compare it
 * with what sbatch printed.
 */
export function rawIdOf({ id, rawIdBase, isArray }: RawIds, position: number): number {
  return isArray ? rawIdBase + position : id;
}

/** A name for a job made of any text: what fits of it, `job` when nothing that tells something is left. */
export function nameLike(text: string): string {
  const fit = text
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[-._]+/, '')
    .slice(0, 63);
  return /[A-Za-z]/.test(fit) && !ARRAY_ID.test(fit) ? fit : 'job';
}

export function formatTaskId(job: JobId, index: number): string {
  return `${job}_${index}`;
}

/** A calendar day in UTC; `m` is 1 to 12. */
export interface Day {
  readonly y: number;
  readonly m: number;
  readonly d: number;
}

/** `{name}-{yyyymmdd}-{6 hex}`. A time in epoch ms counts as its day in UTC. */
export function makeArrayId(name: string, date: Day | number, random6hex: string): string {
  if (!/^[0-9a-f]{6}$/.test(random6hex)) throw new RangeError(`not 6 hex digits: ${random6hex}`);
  const day =
    typeof date === 'number'
      ? new Date(date).toISOString().slice(0, 10).replaceAll('-', '')
      : `${String(date.y).padStart(4, '0')}${String(date.m).padStart(2, '0')}${String(date.d).padStart(2, '0')}`;
  return `${name}-${day}-${random6hex}`;
}

/**
 * Gives the name back when it can be one of a job: safe as a file name, and never read as an id or a range.
 * @throws BAD_NAME
 */
export function checkName(name: string): string {
  const bad = (expected: string): never => {
    throw new SpawnError('BAD_NAME', { name, expected });
  };
  if (name.length < 1 || name.length > 63) return bad(`1 to 63 characters, found ${name.length}`);
  if (!/^[A-Za-z0-9._-]+$/.test(name)) return bad('only letters, digits, ".", "_" and "-"');
  if (!NAME.test(name)) return bad('a letter, a digit or "_" first');
  if (LIKE_AN_ID.test(name)) return bad('no number, task id or range: it would be read as one; put a letter first');
  if (ARRAY_ID.test(name)) return bad('no array id (name-yyyymmdd-6 hex digits): it would be read as one');
  return name;
}
