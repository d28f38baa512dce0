import { type LogRecord, LogStream, parseLogNote, parseLogRecords } from '../../core/log-record.ts';
import { oneLine } from './format.ts';

/** Turns chunks of any size into whole records. */
export class LogRecords {
  private rest = new Uint8Array(0);

  /** The records that end in this chunk. The data of a record is a view that holds until the next call. */
  add(chunk: Uint8Array): readonly LogRecord[] {
    const bytes = this.rest.length === 0 ? chunk : joined([this.rest, chunk]);
    const { records, consumed, rest } = parseLogRecords(bytes);
    if (rest === 'corrupt') throw new Error('the log that came holds bytes that are no record');
    this.rest = bytes.slice(consumed);
    return records;
  }
}

const NEWLINE = 10;
/** A line longer than this is shown in pieces: whoever writes a line of 100 MB must not cost 100 MB here. */
const LONGEST_LINE = 64 * 1024;
/** Lines begun and not ended, of all tasks together; beyond it the longest waiting ones are shown as they are. */
const MOST_OPEN = 10_000;

/** What waits for its newline, of one stream of one attempt. */
interface OpenLine {
  readonly mark: string;
  pieces: Uint8Array[];
  length: number;
}

/**
 * Merges the output of many tasks: whole lines, each with `[index] ` before it, in the order in which they end. Lines of
 * different streams are never mixed within a line.
 */
export class LogMerger {
  private readonly open = new Map<string, OpenLine>();
  private readonly indexOf: (position: number) => number;

  /** @param indexOf array index of a position */
  constructor(indexOf: (position: number) => number) {
    this.indexOf = indexOf;
  }

  /** What is to be shown now. */
  add(record: LogRecord): Uint8Array {
    const mark = `[${this.indexOf(record.position)}] `;
    if (record.stream === LogStream.NOTE) return encode(`${mark}${noteText(record)}\n`);
    const key = `${record.fence}/${record.stream}`;
    const out: Uint8Array[] = [];
    let line = this.open.get(key);
    let from = 0;
    while (from < record.data.length) {
      const newline = record.data.indexOf(NEWLINE, from);
      const to = newline < 0 ? record.data.length : newline + 1;
      line ??= { mark, pieces: [], length: 0 };
      // A copy: the record's data is a view into a buffer that is used again.
      line.pieces.push(newline < 0 ? record.data.slice(from, to) : record.data.subarray(from, to));
      line.length += to - from;
      if (newline >= 0 || line.length >= LONGEST_LINE) {
        out.push(shown(line));
        line = undefined;
      }
      from = to;
    }
    this.open.delete(key);
    if (line !== undefined) this.open.set(key, line);
    if (this.open.size > MOST_OPEN) out.push(this.closeOldest());
    return joined(out);
  }

  /** The lines that never got their newline. */
  end(): Uint8Array {
    const out = [...this.open.values()].map(shown);
    this.open.clear();
    return joined(out);
  }

  private closeOldest(): Uint8Array {
    const [key, line] = this.open.entries().next().value!;
    this.open.delete(key);
    return shown(line);
  }
}

function shown(line: OpenLine): Uint8Array {
  const last = line.pieces.at(-1)?.at(-1);
  return joined([encode(line.mark), ...line.pieces, ...(last === NEWLINE ? [] : [encode('\n')])]);
}

/** What a note says, for people, on one line: how many bytes are not there, and why. */
export function noteText(record: LogRecord): string {
  const text = parseLogNote(record.data)?.text.replace(/^[\s.]+|[\s.]+$/g, '') ?? '';
  return text === '' ? '(output is missing here)' : `(${oneLine(text)})`;
}

const encoder = new TextEncoder();
function encode(text: string): Uint8Array {
  return encoder.encode(text);
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
