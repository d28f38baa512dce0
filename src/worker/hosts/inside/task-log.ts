import { encodeLogNote, LogStream } from '../../../core/log-record.ts';
import { MOST_RECORD_BYTES } from '../wire.ts';

/** Of the end of what is cut, in memory. */
const MOST_TAIL_BYTES = 1024 * 1024;
const PIECE_BYTES = MOST_RECORD_BYTES - 64;

interface Piece {
  readonly stream: LogStream;
  readonly data: Uint8Array;
}

/** The log of one task: its first and its last bytes where it writes more than may be kept. */
export class TaskLog {
  readonly #emit: (stream: LogStream, data: Uint8Array) => void;
  readonly #tailBytes: number;
  #headLeft: number;
  /** Those before `first` are dropped. */
  #tail: Piece[] = [];
  #first = 0;
  #inTail = 0;
  readonly #cut = { [LogStream.STDOUT]: 0, [LogStream.STDERR]: 0 };

  constructor(capBytes: number, emit: (stream: LogStream, data: Uint8Array) => void) {
    this.#emit = emit;
    this.#tailBytes = Math.min(Math.floor(capBytes / 2), MOST_TAIL_BYTES);
    this.#headLeft = capBytes - this.#tailBytes;
  }

  write(stream: typeof LogStream.STDOUT | typeof LogStream.STDERR, data: Uint8Array): void {
    const head = Math.min(this.#headLeft, data.byteLength);
    this.#headLeft -= head;
    this.#emitAll(stream, data.subarray(0, head));
    if (head === data.byteLength) return;
    const rest = data.subarray(Math.max(head, data.byteLength - this.#tailBytes));
    this.#cut[stream] += data.byteLength - head - rest.byteLength;
    // A copy: the bytes are the caller's.
    if (rest.byteLength > 0) this.#tail.push({ stream, data: rest.slice() });
    this.#inTail += rest.byteLength;
    this.#shorten();
  }

  /** Nothing more comes; gives how many bytes were cut out. */
  end(): number {
    const [stdoutBytes, stderrBytes] = [this.#cut[LogStream.STDOUT], this.#cut[LogStream.STDERR]];
    if (stdoutBytes + stderrBytes > 0) {
      const text = 'cut here: the log is limited';
      this.#emit(LogStream.NOTE, encodeLogNote({ stdoutBytes, stderrBytes, text }));
    }
    for (const { stream, data } of this.#tail.slice(this.#first)) this.#emitAll(stream, data);
    this.#tail = [];
    this.#first = 0;
    return stdoutBytes + stderrBytes;
  }

  #shorten(): void {
    while (this.#inTail > this.#tailBytes) {
      const { stream, data } = this.#tail[this.#first]!;
      const over = Math.min(this.#inTail - this.#tailBytes, data.byteLength);
      this.#cut[stream as typeof LogStream.STDOUT] += over;
      this.#inTail -= over;
      if (over === data.byteLength) this.#first += 1;
      else this.#tail[this.#first] = { stream, data: data.subarray(over) };
    }
    if (this.#first * 2 < this.#tail.length || this.#first < 1_000) return;
    this.#tail = this.#tail.slice(this.#first);
    this.#first = 0;
  }

  #emitAll(stream: LogStream, data: Uint8Array): void {
    for (let at = 0; at < data.byteLength; at += PIECE_BYTES) this.#emit(stream, data.subarray(at, at + PIECE_BYTES));
  }
}
