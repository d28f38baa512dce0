import { IndexSet } from '../core/index-set.ts';
import { type LogRecord, LogStream, parseLogNote, parseLogRecords } from '../core/log-record.ts';

/** Some output of one attempt of one task. */
export interface LogPiece {
  /** Array index of the task. */
  readonly index: number;
  /** Number of the attempt, from 1. */
  readonly attempt: number;
  /** `note`: nothing that the task wrote, but what the worker says of output that is missing here. */
  readonly stream: 'out' | 'err' | 'note';
  /** When it came, ms since the attempt started. */
  readonly timeMs: number;
  /** The task's own bytes; of a note its text in UTF-8. */
  readonly data: Uint8Array;
}

const STREAMS = { [LogStream.STDOUT]: 'out', [LogStream.STDERR]: 'err', [LogStream.NOTE]: 'note' } as const;

/** The records of a log, however it is cut into chunks. The data of one is its own, not a view. Throws Error for other bytes. */
export async function* readLogPieces(
  chunks: AsyncIterable<Uint8Array>,
  array: string | undefined,
): AsyncGenerator<LogPiece, void, undefined> {
  const indices = array === undefined ? IndexSet.ofSize(1) : IndexSet.fromString(array);
  let rest: Uint8Array = new Uint8Array(0);
  for await (const chunk of chunks) {
    const bytes = joined(rest, chunk);
    const parsed = parseLogRecords(bytes);
    if (parsed.rest === 'corrupt') throw new Error('the log that came holds bytes that are no record');
    for (const record of parsed.records) yield toPiece(record, indices);
    rest = bytes.subarray(parsed.consumed);
  }
}

function toPiece({ position, attempt, stream, timeMs, data }: LogRecord, indices: IndexSet): LogPiece {
  const bytes = stream === LogStream.NOTE ? new TextEncoder().encode(parseLogNote(data)?.text ?? '') : data.slice();
  return { index: indices.at(position), attempt, stream: STREAMS[stream], timeMs, data: bytes };
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
