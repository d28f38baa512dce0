import type { LogDiffQuery, LogDiffReply } from '../../api/insight.ts';
import { asJobId, formatTaskId } from '../../core/ids.ts';
import { normaliseLine } from '../../core/normalise-line.ts';
import { endLine, LineBlocks } from './line-blocks.ts';
import { hashText, NumberSet } from './number-set.ts';
import type { Piece, WhichLogs } from './search-calls.ts';
import { type Attempt, lastAttempts, planPieces } from './search-plan.ts';
import { scanSegment } from './segment-scan.ts';
import { Stitch } from './stitch.ts';

/** What is read of failed and of completed tasks, each. */
const MAX_TASKS = 2_000;
const MAX_BYTES = 128 * 1024 * 1024;
/** Different lines of completed tasks, and lines of failed tasks times the tasks they are in. */
const MAX_HASHES = 4_000_000;
/** Different lines of failed tasks that are kept as text. */
const MAX_LINES = 200_000;
/** Characters of a line that are compared. */
const MAX_COMPARED = 1_000;

const FAILED = 1;
const COMPLETED = 2;

interface Only {
  readonly text: string;
  readonly index: number;
  tasks: number;
}

/** Lines that are in failed tasks and in no completed one, as far as they are read. */
export function diffLines(
  which: WhichLogs,
  { stream, limit }: LogDiffQuery,
  jobId: number,
  isCancelled: () => boolean,
): LogDiffReply {
  const attempts = lastAttempts(which);
  const sides = [FAILED, COMPLETED].map((group) => sample(attempts.filter((attempt) => attempt.group === group)));
  const [failed, completed] = sides as [Side, Side];
  let sampled = failed.isPart || completed.isPart;
  const read = (side: Side, take: (line: string, index: number) => boolean): void => {
    const pieces = planPieces(which.folder, which.indices, side.attempts);
    const isWhole = readLines(pieces, stream, isCancelled, take);
    sampled ||= !isWhole;
  };

  const usual = new NumberSet();
  read(completed, (line) => {
    usual.add(hashText(line));
    return usual.size < MAX_HASHES;
  });

  const only = new Map<number, Only>();
  const counted = new NumberSet();
  read(failed, (line, index) => {
    const hash = hashText(line);
    if (usual.has(hash) || !counted.add(hashText(line, index + 1))) return true;
    const known = only.get(hash);
    if (known !== undefined) known.tasks++;
    else if (only.size < MAX_LINES) only.set(hash, { text: line, index, tasks: 1 });
    else sampled = true;
    return counted.size < MAX_HASHES;
  });

  const lines = [...only.values()].sort((a, b) => b.tasks - a.tasks).slice(0, limit);
  return {
    lines: lines.map(({ text, tasks, index }) => ({ text, tasks, example: formatTaskId(asJobId(jobId), index) })),
    failedRead: failed.attempts.length,
    completedRead: completed.attempts.length,
    sampled,
  };
}

interface Side {
  readonly attempts: readonly Attempt[];
  readonly isPart: boolean;
}

/** Evenly over all of them, as many as may be read. */
function sample(all: readonly Attempt[]): Side {
  const bytes = all.reduce((sum, attempt) => sum + attempt.bytes, 0);
  const share = Math.min(1, MAX_TASKS / all.length, MAX_BYTES / bytes);
  if (!(share < 1)) return { attempts: all, isPart: false };
  const count = Math.max(1, Math.floor(all.length * share));
  const ordered = [...all].sort((a, b) => a.position - b.position);
  return {
    attempts: Array.from({ length: count }, (_, at) => ordered[Math.floor((at * all.length) / count)]!),
    isPart: true,
  };
}

/** False when `take` had enough, or when there was more than may be read. */
function readLines(
  pieces: readonly Piece[],
  streams: LogDiffQuery['stream'],
  isCancelled: () => boolean,
  take: (line: string, index: number) => boolean,
): boolean {
  let bytesLeft = MAX_BYTES;
  let isWhole = true;
  const stitch = new Stitch();
  for (const piece of pieces) {
    /** Rows of the piece, and behind them what has been put together. */
    const index = [...piece.index];
    const blocks = new LineBlocks((...both) => {
      for (const { text, starts, sources } of both) {
        for (let span = 0; span < starts.length && isWhole; span++) {
          const lines = text.slice(starts[span], starts[span + 1] ?? text.length).split('\n');
          for (const line of lines) {
            if (line === '') continue;
            const plain = normaliseLine(line.slice(0, MAX_COMPARED));
            isWhole &&= take(plain, index[sources[span]!]!);
          }
        }
      }
    });
    const add = (row: number, bytes: Buffer): void => {
      bytesLeft -= bytes.length;
      isWhole &&= bytesLeft >= 0;
      if (isWhole) blocks.add(row, bytes);
    };
    const ends = scanSegment(
      piece,
      streams,
      (row, _, bytes) => add(row, bytes),
      () => !isWhole || isCancelled(),
    );
    const before = piece.follows ? [] : stitch.finish();
    for (const line of [...before, ...stitch.add(ends), ...(piece === pieces.at(-1) ? stitch.finish() : [])]) {
      add(index.push(line.index) - 1, endLine(line.bytes));
    }
    blocks.flush();
    if (!isWhole || isCancelled()) return false;
  }
  return isWhole;
}
