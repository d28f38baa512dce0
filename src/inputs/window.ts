import { SpawnError } from '../core/errors.ts';
import type { Charset } from './encoding.ts';
import type { OpenSource } from './source.ts';

/** Bytes that one record may have: it is held in memory as a whole. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024;

/** Units behind the last one that a scan may write to, so that its loops need not look for the end. */
const SPARE_UNITS = 8;

const FIRST_BYTES = 1024 * 1024 + 64 * 1024;

export type Units = Uint8Array | Uint16Array;

/**
 * A stretch of a source that moves from its beginning to its end, and holds at least the record at `start` as a whole. Units of
 * utf-16be are swapped, so that every scan reads numbers in the order of this machine.
 */
export class Window {
  /** The bytes of `units`. */
  bytes: Buffer<ArrayBuffer>;
  units: Units;
  /** The first unit that is not used up. */
  start = 0;
  /** Units that are there. */
  length = 0;
  /** Nothing comes after them. */
  last = false;
  /** Place in the source of the first byte of `units`. */
  base: number;
  readonly charset: Charset;
  readonly source: OpenSource;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #next: Promise<IteratorResult<Uint8Array>>;
  /** Bytes in the memory, whole units. */
  #bytes = 0;
  /** The first byte of a unit of which the second is in the next chunk: scans write behind the last unit. */
  #half: Uint8Array = new Uint8Array(0);

  constructor(source: OpenSource, from: number, to: number, charset: Charset, signal: AbortSignal) {
    this.source = source;
    this.charset = charset;
    this.base = from;
    const memory = new ArrayBuffer(Math.min(FIRST_BYTES, aligned(to - from)) + SPARE_UNITS * 2);
    this.bytes = Buffer.from(memory);
    this.units = unitsOver(memory, charset);
    this.#chunks = (to > from ? source.read(from, to, signal) : nothing())[Symbol.asyncIterator]();
    this.#next = this.#ask();
  }

  /** Place in the source of a unit. */
  placeOf(at: number): number {
    return this.base + at * this.charset.unit;
  }

  /**
   * Brings more behind what is not used up; false when there is none. A window of which nothing could be used doubles, so that
   * a long record is not looked at again for every chunk.
   */
  async fill(): Promise<boolean> {
    if (this.last) return false;
    const left = this.length - this.start;
    const wanted = this.start === 0 ? left * 2 : left + 1;
    this.#drop();
    while (this.length < wanted || this.length === left) {
      const { done, value } = await this.#next;
      if (done === true) {
        this.last = true;
        break;
      }
      // Asked for before the last one is worked on, so that the disk and the scan do not wait for each other.
      this.#next = this.#ask();
      this.#append(value);
    }
    return this.length > left || this.last;
  }

  /** Ends reading early. */
  async close(): Promise<void> {
    await this.#next.catch(() => undefined);
    await this.#chunks.return?.();
  }

  #ask(): Promise<IteratorResult<Uint8Array>> {
    const next = this.#chunks.next();
    // Whoever waits for it gets the error; one that nobody waits for any more must not end the process.
    next.catch(() => undefined);
    return next;
  }

  #drop(): void {
    if (this.start === 0) return;
    const { unit } = this.charset;
    this.bytes.copyWithin(0, this.start * unit, this.#bytes);
    this.base += this.start * unit;
    this.#bytes -= this.start * unit;
    this.length -= this.start;
    this.start = 0;
  }

  #append(chunk: Uint8Array): void {
    const { unit, encoding } = this.charset;
    const there = this.#half.length + chunk.length;
    const whole = there - (there % unit);
    const needed = this.#bytes + whole;
    if (needed + SPARE_UNITS * 2 > this.bytes.length) this.#grow(needed);
    if (whole === 0) this.#half = chunk;
    else {
      this.bytes.set(this.#half, this.#bytes);
      this.bytes.set(chunk.subarray(0, whole - this.#half.length), this.#bytes + this.#half.length);
      this.#half = chunk.subarray(chunk.length - (there % unit));
    }
    const before = this.#bytes;
    this.#bytes = needed;
    this.length = needed / unit;
    if (encoding === 'utf-16be') this.bytes.subarray(before, needed).swap16();
  }

  #grow(needed: number): void {
    if (this.#bytes > MAX_RECORD_BYTES) {
      const where = `${this.source.source.uri}: byte ${this.base}`;
      const expected = `a record of at most ${MAX_RECORD_BYTES} bytes`;
      throw new SpawnError('BAD_INPUT', { where, expected, found: 'a longer one' });
    }
    const memory = new ArrayBuffer(aligned(Math.max(needed, this.bytes.length * 2)) + SPARE_UNITS * 2);
    const larger = Buffer.from(memory);
    larger.set(this.bytes.subarray(0, this.#bytes));
    this.bytes = larger;
    this.units = unitsOver(memory, this.charset);
  }
}

function aligned(bytes: number): number {
  return Math.ceil((bytes + 1) / 8) * 8;
}

function unitsOver(memory: ArrayBuffer, { unit }: Charset): Units {
  return unit === 1 ? new Uint8Array(memory) : new Uint16Array(memory);
}

async function* nothing(): AsyncIterable<Uint8Array> {}
