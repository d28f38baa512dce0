import type { ResultsQuery } from '../../api/results.ts';
import { unpackEnds } from '../../core/end-chunk.ts';
import type { IndexSet } from '../../core/index-set.ts';
import { decodeOutcome, outcomeText } from '../../core/outcome.ts';
import { TASK_STATES, TaskState } from '../../core/task-state.ts';
import type { ResultRange, Results } from '../../objects/log-reader.ts';
import type { Store } from '../../store/store.ts';
import type { Ledger } from '../ledger.ts';
import { lookAt } from '../reading.ts';
import { resolveRef } from '../refs.ts';

/** Tasks whose ends are in memory at once, in some 7 MB: a chunk that reaches over many of these is unpacked as often. */
const WINDOW = 131_072;
/** Chunks of ends that are read at a time. */
const CHUNKS = 200;
/** Bytes of one piece of the answer. */
const PIECE_BYTES = 64 * 1024;

interface Seen {
  readonly jobId: number;
  readonly indices: IndexSet;
  readonly state: Uint8Array;
  readonly attempts: Uint16Array;
}

/**
 * What every task gave, in the order of the array: one TaskResult a line, in JSON. Of tasks that did not complete, or whose result cannot be
 * read, it is told why. What is told is of one moment, however long it takes to read it.
 */
export async function readResults(
  ledger: Ledger,
  ref: string,
  { from, limit }: ResultsQuery,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const { store, results } = ledger.ports;
  const { id } = await resolveRef(ledger.memory, store, ref, 'look');
  const seen = await lookAt(ledger, id, ({ job }): Seen => {
    const to = limit === undefined ? job.size : Math.min(job.size, from + limit);
    const { table, facts } = job;
    return {
      jobId: id,
      indices: facts.indices,
      state: table.state.slice(0, to),
      attempts: table.attempts.slice(0, to),
    };
  });
  return tellAll(store, results, seen, from, signal);
}

async function* tellAll(
  store: Store,
  results: Results | undefined,
  seen: Seen,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const pieces = new Pieces();
  for (let start = from; start < seen.state.length; start += WINDOW) {
    const window = new Window(start, Math.min(WINDOW, seen.state.length - start));
    await window.fill(store, seen.jobId);
    for (let at = 0; at < window.count; at++) {
      const position = start + at;
      const state = seen.state[position]!;
      const head = `{"index":${seen.indices.at(position)},"state":"${TASK_STATES[state]}","attempt":${seen.attempts[position]}`;
      const range = window.rangeOf(at, seen.jobId);
      const found = range === undefined ? undefined : await results?.read(range);
      const missing = missingText(state, window.outcomes[at]!, range !== undefined && !isObject(found));
      pieces.put(missing === undefined ? head : `${head},"missing":${JSON.stringify(missing)}`);
      if (isObject(found) && found.byteLength > 2) {
        pieces.put(',');
        pieces.put(found.subarray(1));
        pieces.put('\n');
      } else {
        pieces.put('}\n');
      }
      if (signal.aborted) return;
      if (pieces.full.length > 0) yield* pieces.full.splice(0);
    }
  }
  yield* pieces.end();
}

function isObject(bytes: Uint8Array | undefined): bytes is Uint8Array {
  return bytes !== undefined && bytes[0] === 0x7b && bytes.at(-1) === 0x7d;
}

/** Undefined: nothing is. */
function missingText(state: number, outcome: number, isUnreadable: boolean): string | undefined {
  if (state === TaskState.completed) return isUnreadable ? 'its result is not here, or not yet' : undefined;
  if (state === TaskState.failed) return outcomeText(decodeOutcome(outcome));
  return state > TaskState.completed ? TASK_STATES[state]! : 'not ended';
}

/** The last ends of some consecutive tasks. */
class Window {
  readonly start: number;
  readonly count: number;
  readonly outcomes: Uint16Array;
  readonly #fences: Float64Array;
  readonly #sessions: Float64Array;
  readonly #segments: Float64Array;
  readonly #offsets: Float64Array;
  readonly #bytes: Float64Array;

  constructor(start: number, count: number) {
    this.start = start;
    this.count = count;
    this.outcomes = new Uint16Array(count);
    this.#fences = new Float64Array(count);
    this.#sessions = new Float64Array(count);
    this.#segments = new Float64Array(count);
    this.#offsets = new Float64Array(count);
    this.#bytes = new Float64Array(count);
  }

  async fill(store: Store, jobId: number): Promise<void> {
    const { start, count } = this;
    const toPosition = start + count - 1;
    const isHere = (position: number) => position >= start && position <= toPosition;
    for (let after = 0; ; ) {
      const chunks = await store.findEnds({ jobId, fromPosition: start, toPosition, after, limit: CHUNKS });
      for (const { data } of chunks) {
        for (const end of unpackEnds(data, isHere)) {
          const at = end.position - start;
          if (end.fence < this.#fences[at]!) continue;
          this.#fences[at] = end.fence;
          this.outcomes[at] = end.outcome;
          this.#sessions[at] = end.sessionId;
          this.#segments[at] = end.resultSegment;
          this.#offsets[at] = end.resultOffset;
          this.#bytes[at] = end.resultBytes;
        }
      }
      if (chunks.length < CHUNKS) return;
      after = chunks.at(-1)!.id;
    }
  }

  /** Undefined where the last attempt gave nothing. */
  rangeOf(at: number, jobId: number): ResultRange | undefined {
    if (this.#bytes[at] === 0) return undefined;
    return {
      jobId,
      sessionId: this.#sessions[at]!,
      fence: this.#fences[at]!,
      resultSegment: this.#segments[at]!,
      resultOffset: this.#offsets[at]!,
      resultBytes: this.#bytes[at]!,
    };
  }
}

/** Many short ones together. */
class Pieces {
  /** To be taken. */
  readonly full: Uint8Array[] = [];
  #piece = Buffer.allocUnsafe(PIECE_BYTES);
  #length = 0;

  put(part: Uint8Array | string): void {
    const bytes = typeof part === 'string' ? Buffer.byteLength(part) : part.byteLength;
    if (this.#length + bytes > this.#piece.byteLength) {
      this.full.push(this.#piece.subarray(0, this.#length));
      this.#piece = Buffer.allocUnsafe(Math.max(PIECE_BYTES, bytes));
      this.#length = 0;
    }
    if (typeof part === 'string') this.#piece.write(part, this.#length);
    else this.#piece.set(part, this.#length);
    this.#length += bytes;
  }

  end(): Uint8Array[] {
    return [...this.full, ...(this.#length === 0 ? [] : [this.#piece.subarray(0, this.#length)])];
  }
}
