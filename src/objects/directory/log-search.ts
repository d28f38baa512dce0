import type { LogDiffQuery, LogDiffReply } from '../../api/insight.ts';
import type { LogSearch, SearchedLogs } from '../log-reader.ts';
import type { Fragment, LooseEnds } from './search-calls.ts';
import type { Found, SearchPool } from './search-pool.ts';
import { Stitch } from './stitch.ts';

/**
 * Found lines as NDJSON, in the order of the segments, until `limit` of them are told. A line that reaches over the end of a segment
 * comes behind the others of the second one.
 */
export async function* searchLogs(
  pool: SearchPool,
  folder: string,
  logs: SearchedLogs,
  search: LogSearch,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const left = new AbortController();
  const over = AbortSignal.any([signal, left.signal]);
  const begun: Promise<unknown>[] = [];
  const start: typeof pool.run = (kind, call, cancel, found) => {
    const run = pool.run(kind, call, cancel, found);
    // Whoever waits for it is told; if nobody does any more, nobody needs to know.
    begun.push(run.catch(() => {}));
    return run;
  };
  let missing = search.limit;
  try {
    const pieces = await start('plan', { which: { ...logs, folder } }, over);
    const stitch = new Stitch();
    const ahead: Taking<LooseEnds>[] = [];
    const lines = async function* <T>(taking: Taking<T>): AsyncGenerator<Uint8Array, T> {
      for (;;) {
        const found = await taking.next();
        if (found === undefined) return await taking.done;
        found.taken();
        if (missing <= 0 || signal.aborted) continue;
        yield found.lines <= missing ? found.bytes : firstLines(found.bytes, missing);
        missing -= found.lines;
        if (missing <= 0) left.abort();
      }
    };
    const joined = async function* (whole: readonly Fragment[]): AsyncGenerator<Uint8Array> {
      if (whole.length === 0 || missing <= 0) return;
      yield* lines(new Taking((take) => start('grepLines', { ...search, lines: whole }, over, take)));
    };
    for (let at = 0; at < pieces.length; at++) {
      while (ahead.length < pool.size && at + ahead.length < pieces.length) {
        const piece = pieces[at + ahead.length]!;
        ahead.push(new Taking((take) => start('grep', { ...search, piece }, over, take)));
      }
      const loose = yield* lines(ahead.shift()!);
      if (missing <= 0 || signal.aborted) return;
      const before = pieces[at]!.follows ? [] : stitch.finish();
      yield* joined([...before, ...stitch.add(loose)]);
    }
    yield* joined(stitch.finish());
  } catch (error) {
    if (missing > 0 && !signal.aborted) throw error;
  } finally {
    left.abort();
    await Promise.all(begun);
  }
}

/** What one thread finds, to be taken one after another. */
class Taking<T> {
  readonly done: Promise<T>;
  readonly #arrived: Found[] = [];
  #isOver = false;
  #wake: () => void = () => {};

  constructor(start: (take: (found: Found) => void) => Promise<T>) {
    this.done = start((found) => {
      this.#arrived.push(found);
      this.#wake();
    });
    const over = () => {
      this.#isOver = true;
      this.#wake();
    };
    this.done.then(over, over);
  }

  /** Undefined when nothing more comes. */
  async next(): Promise<Found | undefined> {
    while (this.#arrived.length === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#arrived.shift();
  }
}

function firstLines(bytes: Uint8Array, count: number): Uint8Array {
  let end = 0;
  for (let line = 0; line < count; line++) end = bytes.indexOf(10, end) + 1;
  return bytes.subarray(0, end);
}

/** Lines of failed tasks (group 1) that are in no completed one (group 2). */
export function diffLogs(
  pool: SearchPool,
  folder: string,
  jobId: number,
  logs: SearchedLogs,
  query: LogDiffQuery,
  signal: AbortSignal,
): Promise<LogDiffReply> {
  return pool.run('diff', { which: { ...logs, folder }, query, jobId }, signal);
}
