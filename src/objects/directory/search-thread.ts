import { parentPort, workerData } from 'node:worker_threads';
import type { LogSearch } from '../log-reader.ts';
import { diffLines } from './diff-lines.ts';
import { GrepLines, type GrepOutput, type LineSources } from './grep-lines.ts';
import { endLine } from './line-blocks.ts';
import { compileLinePattern } from './line-pattern.ts';
import {
  Control,
  MOST_AHEAD,
  type SearchCalls,
  type SearchKind,
  type SearchMessage,
  type SearchRequest,
} from './search-calls.ts';
import { lastAttempts, planPieces } from './search-plan.ts';
import { scanSegment } from './segment-scan.ts';

// The thread that search-pool.ts starts: reads segments, so that the coordinator's own thread never does.
const port = parentPort!;
const control = new Int32Array(workerData as SharedArrayBuffer);
/** Looks again whether it is still wanted, should it not be woken. */
const LOOK_MS = 100;

let sent = 0;

const isCancelled = () => Atomics.load(control, Control.cancelled) === 1;

function tell(message: SearchMessage, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

function outputOf(limit: number): GrepOutput {
  return {
    limit,
    matching: (isBegun) => {
      const isMatching = Atomics.load(control, Control.block) % 2 === 1;
      if (isMatching !== isBegun) Atomics.add(control, Control.block, 1);
    },
    found: (json, lines) => {
      const bytes = new TextEncoder().encode(json);
      tell({ kind: 'found', bytes, lines }, [bytes.buffer]);
      sent++;
      for (;;) {
        const taken = Atomics.load(control, Control.taken);
        if (isCancelled()) return false;
        if (sent - taken < MOST_AHEAD) return true;
        Atomics.wait(control, Control.taken, taken, LOOK_MS);
      }
    },
  };
}

function grep(call: LogSearch, sources: LineSources): GrepLines {
  return new GrepLines(compileLinePattern(call.pattern, call.ignoreCase), sources, outputOf(call.limit));
}

const SEARCHES: { [K in SearchKind]: (call: SearchCalls[K]['call']) => SearchCalls[K]['reply'] } = {
  plan: ({ which }) => planPieces(which.folder, which.indices, lastAttempts(which)),
  grep: (call) => {
    const { piece, streams } = call;
    const lines = grep(call, piece);
    const pause = () => {
      // What was found comes at once, however little it is.
      lines.blocks.flush();
      return isCancelled() || lines.isFull;
    };
    const loose = scanSegment(piece, streams, (row, stream, bytes) => lines.blocks.add(row * 2 + stream, bytes), pause);
    lines.blocks.flush();
    return loose;
  },
  grepLines: (call) => {
    const index = call.lines.map((line) => line.index);
    const attempt = call.lines.map((line) => line.attempt);
    const lines = grep(call, { index, attempt });
    for (const [row, { stream, bytes }] of call.lines.entries()) lines.blocks.add(row * 2 + stream, endLine(bytes));
    lines.blocks.flush();
    return undefined;
  },
  diff: ({ which, query, jobId }) => diffLines(which, query, jobId, isCancelled),
};

port.on('message', ({ kind, call }: SearchRequest) => {
  sent = 0;
  try {
    const value = (SEARCHES[kind] as (call: unknown) => unknown)(call);
    tell({ kind: 'done', value });
  } catch (error) {
    const { message } = error as Error;
    // Too large for the compiler or for its stack, which is found when it is first used.
    const isBadPattern = 'pattern' in call && (error instanceof SyntaxError || error instanceof RangeError);
    tell({ kind: 'failed', why: message, isBadPattern });
  }
});
