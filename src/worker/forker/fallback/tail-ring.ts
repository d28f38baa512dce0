import { LogStream, MAX_LOG_DATA_BYTES } from '../../../core/log-record.ts';

export type OutputStream = typeof LogStream.STDOUT | typeof LogStream.STDERR;

export interface TailEntry {
  readonly stream: OutputStream;
  /** Arrival of its first byte, from the start of the attempt. */
  readonly timeMs: number;
  readonly data: Buffer;
}

/** Bytes of one stream that arrive within this time share an entry, so that many small writes cost little memory. */
const SAME_ENTRY_MS = 100;
const FIRST_ROOM_BYTES = 256;
/** Entries beyond one for so many bytes make the oldest go early. */
const BYTES_PER_ENTRY = 128;

class Entry {
  readonly stream: OutputStream;
  readonly timeMs: number;
  #bytes: Buffer;
  #start = 0;
  #end: number;

  constructor(stream: OutputStream, timeMs: number, bytes: Buffer) {
    this.stream = stream;
    this.timeMs = timeMs;
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(FIRST_ROOM_BYTES, bytes.length));
    this.#end = bytes.copy(this.#bytes);
  }

  get length(): number {
    return this.#end - this.#start;
  }

  get data(): Buffer {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  append(bytes: Buffer): void {
    const needed = this.#end + bytes.length;
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, this.#end);
      this.#bytes = larger;
    }
    this.#end += bytes.copy(this.#bytes, this.#end);
  }

  dropFirst(bytes: number): void {
    this.#start += bytes;
  }
}

/** The last bytes of an attempt, both streams together. */
export class TailRing {
  readonly #cap: number;
  readonly #most: number;
  #entries: Entry[] = [];
  #first = 0;
  #used = 0;
  readonly dropped = { [LogStream.STDOUT]: 0, [LogStream.STDERR]: 0 };

  constructor(cap: number) {
    this.#cap = cap;
    this.#most = Math.floor(cap / BYTES_PER_ENTRY) + 64;
  }

  put(stream: OutputStream, timeMs: number, bytes: Buffer): void {
    const tooOld = Math.max(0, bytes.length - this.#cap);
    this.dropped[stream] += tooOld;
    for (let at = tooOld; at < bytes.length; at += MAX_LOG_DATA_BYTES) {
      const part = bytes.subarray(at, at + MAX_LOG_DATA_BYTES);
      this.#dropOldest(this.#used + part.length - this.#cap);
      this.#add(stream, timeMs, part);
      this.#used += part.length;
    }
  }

  /** All entries, oldest first; the ring is empty afterwards. */
  take(): TailEntry[] {
    const taken = this.#entries.slice(this.#first);
    this.#entries = [];
    this.#first = 0;
    this.#used = 0;
    return taken;
  }

  #add(stream: OutputStream, timeMs: number, part: Buffer): void {
    const newest = this.#entries.length > this.#first ? this.#entries.at(-1) : undefined;
    if (
      newest?.stream === stream &&
      timeMs - newest.timeMs < SAME_ENTRY_MS &&
      newest.length + part.length <= MAX_LOG_DATA_BYTES
    ) {
      newest.append(part);
      return;
    }
    if (this.#entries.length - this.#first >= this.#most) this.#dropOldest(this.#entries[this.#first]!.length);
    this.#entries.push(new Entry(stream, timeMs, part));
  }

  #dropOldest(bytes: number): void {
    for (let left = bytes; left > 0; ) {
      const oldest = this.#entries[this.#first]!;
      const part = Math.min(left, oldest.length);
      this.dropped[oldest.stream] += part;
      oldest.dropFirst(part);
      this.#used -= part;
      left -= part;
      if (oldest.length === 0) this.#first += 1;
    }
    if (this.#first > 1024 && this.#first * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
  }
}
