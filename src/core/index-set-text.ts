import { MAX_INDEX, type Run } from './index-runs.ts';
import type { TextScanner } from './text-scanner.ts';

/** Which grammar an index expression follows; see `parseIndexSet`. */
export type IndexDialect = 'native' | 'slurm' | 'wire';

export interface ScannedIndexSet {
  readonly runs: Run[];
  /** As written: S of one single `a-b:S`, else 1. */
  readonly step: number;
  /** 0 when none. */
  readonly throttle: number;
}

const AN_INDEX = `an index (0 to ${MAX_INDEX})`;
const COMMA = 44;
const DASH = 45;
const COLON = 58;
const OPEN = 91;
const CLOSE = 93;
const PERCENT = 37;

/** Reads one index expression that fills the scanner's range. Pure syntax: nothing is merged or counted yet. */
export function scanIndexSet(scan: TextScanner, dialect: IndexDialect): ScannedIndexSet {
  if (dialect === 'native') {
    const size = scanSize(scan);
    if (size !== undefined) return size;
  }
  const bracket = scan.take(OPEN);
  const { runs, step } = scanList(scan);
  let throttle = scanThrottle(scan, dialect);
  if (bracket) {
    if (!scan.take(CLOSE)) scan.bad(throttle === undefined ? '"," or "]"' : '"]"');
    throttle ??= scanThrottle(scan, dialect);
  }
  if (scan.at < scan.end) {
    const more = dialect === 'wire' ? '"," or ' : '",", "%" or ';
    scan.bad(`${bracket || throttle !== undefined ? '' : more}the end`);
  }
  return { runs, step, throttle: throttle ?? 0 };
}

/** `N` or `N%K` alone: a size, so the indices 0 to N-1. */
function scanSize(scan: TextScanner): ScannedIndexSet | undefined {
  const from = scan.at;
  if (!scan.seesDigit()) return undefined;
  const size = scan.number(`a size (1 to ${MAX_INDEX})`, MAX_INDEX);
  if (scan.at < scan.end && !scan.sees(PERCENT)) {
    scan.at = from;
    return undefined;
  }
  if (size === 0) scan.bad('a size of at least 1: an array needs at least one index', from);
  const throttle = scanThrottle(scan, 'native') ?? 0;
  if (scan.at < scan.end) scan.bad('the end');
  return { runs: [{ start: 0, step: 1, count: size }], step: 1, throttle };
}

function scanList(scan: TextScanner): { runs: Run[]; step: number } {
  const runs: Run[] = [];
  let step = 1;
  do {
    const start = scan.number(AN_INDEX, MAX_INDEX);
    step = 1;
    let last = start;
    if (scan.take(DASH)) {
      const from = scan.at;
      last = scan.number(AN_INDEX, MAX_INDEX);
      if (last < start) scan.bad(`an end of at least ${start}`, from);
      if (scan.take(COLON)) {
        const stepAt = scan.at;
        step = scan.number('a step of at least 1', MAX_INDEX);
        if (step === 0) scan.bad('a step of at least 1', stepAt);
      }
    }
    const count = Math.floor((last - start) / step) + 1;
    runs.push({ start, step: count === 1 ? 1 : step, count });
  } while (scan.take(COMMA) && !endsList(scan));
  return { runs, step: runs.length === 1 ? step : 1 };
}

/** After a comma: it was a trailing one. */
function endsList(scan: TextScanner): boolean {
  return scan.at === scan.end || scan.sees(PERCENT) || scan.sees(CLOSE);
}

/** `%K`; undefined when there is none. Slurm reads `%` alone as no throttle. */
function scanThrottle(scan: TextScanner, dialect: IndexDialect): number | undefined {
  if (dialect === 'wire' || !scan.take(PERCENT)) return undefined;
  if (dialect === 'slurm' && !scan.seesDigit()) return 0;
  return scan.number('how many tasks may run at once, as %50', MAX_INDEX);
}
