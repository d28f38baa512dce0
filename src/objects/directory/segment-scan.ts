import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { LOG_HEADER_BYTES, LogStream, parseLogNote, readLogHeader } from '../../core/log-record.ts';
import { type Fragment, type LooseEnds, MAX_LINE_BYTES, type Piece, type Streams } from './search-calls.ts';

const READ_BYTES = 4 * 1024 * 1024;
const NEWLINE = 10;
const EMPTY = Buffer.alloc(0);

/** Whole lines of one stream of an attempt, each with its newline. The bytes are overwritten after the call. */
export type TakeLines = (row: number, stream: number, bytes: Buffer) => void;

interface Open {
  readonly row: number;
  readonly stream: number;
  readonly parts: Buffer[];
  length: number;
  /** Its beginning may be in the segment before. */
  readonly isHead: boolean;
}

const block = { bytes: EMPTY };

/**
 * Reads a segment once and takes it apart into lines of the attempts of a piece. Synchronous: for a thread of its own.
 *
 * @param pause called after each block that was read; true gives up
 */
export function scanSegment(piece: Piece, streams: Streams, take: TakeLines, pause: () => boolean): LooseEnds {
  const lines = new LineSplitter(piece, streams, take);
  const file = openSegment(piece.path);
  if (file === undefined) return lines.finish();
  try {
    if (block.bytes.length === 0) block.bytes = Buffer.allocUnsafeSlow(READ_BYTES);
    let at = piece.from;
    for (;;) {
      const wanted = Math.min(READ_BYTES, piece.to - at);
      const read = wanted <= 0 ? 0 : readSync(file, block.bytes, 0, wanted, at);
      // A torn record at the end is one that is being written.
      const used = lines.add(block.bytes.subarray(0, read), at);
      at += used;
      if (used === 0 || pause()) return lines.finish();
    }
  } finally {
    closeSync(file);
  }
}

/** Undefined when it is not there: removed, or not shipped yet. */
function openSegment(path: string): number | undefined {
  let file: number;
  try {
    // Tasks run as the same user and may put anything there: no links, and no waiting for the other end of a pipe.
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ELOOP') return undefined;
    throw error;
  }
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  return undefined;
}

class LineSplitter {
  readonly #piece: Piece;
  readonly #take: TakeLines;
  readonly #wants: readonly [boolean, boolean];
  /** By `row * 2 + stream`: lines without their end. */
  readonly #open = new Map<number, Open>();
  /** 1: bytes of this row and stream have come. */
  readonly #seen: Uint8Array;
  readonly #heads: Fragment[] = [];
  #row = 0;

  constructor(piece: Piece, streams: Streams, take: TakeLines) {
    this.#piece = piece;
    this.#take = take;
    this.#wants = [streams !== 'err', streams !== 'out'];
    this.#seen = new Uint8Array(piece.fence.length * 2);
  }

  /** Gives how many bytes were whole records; none when what follows is no record. */
  add(bytes: Buffer, place: number): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    for (;;) {
      const header = readLogHeader(view, at);
      if (header === null) break;
      const from = at + LOG_HEADER_BYTES;
      const to = from + header.length;
      if (to > bytes.byteLength) break;
      at = to;
      const row = this.#rowOf(header.fence);
      if (row < 0 || header.stream === LogStream.RESULT) continue;
      if (header.stream === LogStream.NOTE) this.#cut(row, bytes.subarray(from, to));
      else if (header.length > 0 && this.#wants[header.stream - 1]!)
        this.#data(row, header.stream - 1, bytes.subarray(from, to));
    }
    if (this.#open.size > 0) this.#closeEnded(place + at);
    return at;
  }

  finish(): LooseEnds {
    const { end } = this.#piece;
    const tails: Fragment[] = [];
    for (const open of this.#open.values()) {
      if (end[open.row] !== Number.POSITIVE_INFINITY) this.#close(open, 'gap');
      else (open.isHead ? this.#heads : tails).push(this.#fragment(open, undefined));
    }
    this.#open.clear();
    return { heads: this.#heads, tails };
  }

  /** Records of an attempt often follow each other, and attempts come in the order of their fences. */
  #rowOf(fence: number): number {
    const { fence: fences } = this.#piece;
    if (fences[this.#row] === fence) return this.#row;
    let low = 0;
    let high = fences.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = fences[middle]!;
      if (found === fence) {
        this.#row = middle;
        return middle;
      }
      if (found < fence) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  #data(row: number, stream: number, data: Buffer): void {
    const key = row * 2 + stream;
    let rest = data;
    const open = this.#opened(key, row, stream);
    if (open !== undefined) {
      const newline = data.indexOf(NEWLINE);
      extend(open, newline < 0 ? data : data.subarray(0, newline));
      if (newline < 0) return;
      this.#open.delete(key);
      this.#close(open, 'newline');
      rest = data.subarray(newline + 1);
    }
    const last = rest.lastIndexOf(NEWLINE);
    if (last >= 0) this.#take(row, stream, rest.subarray(0, last + 1));
    if (last + 1 === rest.length) return;
    const next: Open = { row, stream, parts: [], length: 0, isHead: false };
    extend(next, rest.subarray(last + 1));
    this.#open.set(key, next);
  }

  /** The line that is open there; the first bytes of an attempt that began in another segment may belong to one. */
  #opened(key: number, row: number, stream: number): Open | undefined {
    if (this.#seen[key] === 1) return this.#open.get(key);
    this.#seen[key] = 1;
    if (this.#piece.begins[row] === 1) return undefined;
    const head: Open = { row, stream, parts: [], length: 0, isHead: true };
    this.#open.set(key, head);
    return head;
  }

  /** Bytes are missing there: what comes before and after them is not one line. */
  #cut(row: number, data: Uint8Array): void {
    const note = parseLogNote(data);
    const missing = note === null ? [0, 0] : [note.stdoutBytes, note.stderrBytes];
    const isAll = missing[0] === 0 && missing[1] === 0;
    for (let stream = 0; stream < 2; stream++) {
      if (!this.#wants[stream] || (!isAll && missing[stream] === 0)) continue;
      const open = this.#opened(row * 2 + stream, row, stream);
      if (open === undefined) continue;
      this.#open.delete(row * 2 + stream);
      this.#close(open, 'gap');
    }
  }

  #closeEnded(place: number): void {
    const { end } = this.#piece;
    for (const [key, open] of this.#open) {
      if (end[open.row]! > place) continue;
      this.#open.delete(key);
      this.#close(open, 'gap');
    }
  }

  #close(open: Open, ends: Fragment['ends']): void {
    if (open.isHead) this.#heads.push(this.#fragment(open, ends));
    else this.#take(open.row, open.stream, Buffer.concat([...open.parts, Buffer.of(NEWLINE)]));
  }

  #fragment({ row, stream, parts }: Open, ends: Fragment['ends']): Fragment {
    const { fence, index, attempt, group } = this.#piece;
    const bytes = new Uint8Array(Buffer.concat(parts));
    const of = { fence: fence[row]!, index: index[row]!, attempt: attempt[row]!, group: group[row]! };
    return { ...of, stream, bytes, ends };
  }
}

function extend(open: Open, bytes: Buffer): void {
  const room = MAX_LINE_BYTES - open.length;
  if (room <= 0 || bytes.length === 0) return;
  // Copied: what was read is overwritten by what comes next.
  const part = Buffer.from(bytes.subarray(0, room));
  open.parts.push(part);
  open.length += part.length;
}
