import { MAX_FRAME_BYTES } from './protocol.ts';

const FIRST_BYTES = 64 * 1024;
/** A buffer that one large frame has made larger than this is given back. */
const KEEP_BYTES = 1024 * 1024;
const U32 = 2 ** 32;

/** The peer sent what the protocol does not allow: a bug, not a wrong request. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/** Collects frames in one buffer that is used again after every `take`. */
export class FrameWriter {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;
  #frame = 0;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  begin(type: number): this {
    this.#frame = this.#length;
    this.#reserve(5);
    this.#length += 4;
    return this.u8(type);
  }

  /** False: the frame is too long to be sent and was taken back. */
  end(): boolean {
    const length = this.#length - this.#frame - 4;
    if (length > MAX_FRAME_BYTES) {
      this.#length = this.#frame;
      return false;
    }
    this.#bytes.writeUInt32LE(length, this.#frame);
    return true;
  }

  u8(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  u16(value: number): this {
    this.#reserve(2);
    this.#length = this.#bytes.writeUInt16LE(value, this.#length);
    return this;
  }

  u32(value: number): this {
    this.#reserve(4);
    this.#length = this.#bytes.writeUInt32LE(value, this.#length);
    return this;
  }

  u64(value: number): this {
    return this.u32(value % U32).u32(Math.floor(value / U32));
  }

  text(value: string): this {
    // UTF-8 needs at most three bytes for one UTF-16 unit.
    this.#reserve(4 + value.length * 3);
    const written = this.#bytes.write(value, this.#length + 4, 'utf8');
    this.#bytes.writeUInt32LE(written, this.#length);
    this.#length += 4 + written;
    return this;
  }

  list(values: readonly string[]): this {
    this.u32(values.length);
    for (const value of values) this.text(value);
    return this;
  }

  /** All frames so far, as a copy that stays valid. */
  take(): Buffer {
    const taken = Buffer.from(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    if (this.#bytes.length > KEEP_BYTES) this.#bytes = Buffer.allocUnsafe(FIRST_BYTES);
    return taken;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/** Reads one payload; reading past its end throws ProtocolError. */
export class FrameReader {
  readonly #bytes: Buffer;
  #at: number;
  readonly #end: number;

  constructor(bytes: Buffer, at = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  u8(): number {
    return this.#bytes[this.#skip(1)]!;
  }

  u16(): number {
    return this.#bytes.readUInt16LE(this.#skip(2));
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#skip(4));
  }

  u64(): number {
    const low = this.u32();
    const value = this.u32() * U32 + low;
    if (!Number.isSafeInteger(value)) throw new ProtocolError('a number above 2^53');
    return value;
  }

  text(): string {
    const length = this.u32();
    const at = this.#skip(length);
    return this.#bytes.toString('utf8', at, at + length);
  }

  list(): string[] {
    const count = this.u32();
    if (count > (this.#end - this.#at) / 4) throw new ProtocolError('a list longer than its frame');
    return Array.from({ length: count }, () => this.text());
  }

  done(): void {
    if (this.#at !== this.#end) throw new ProtocolError(`${this.#end - this.#at} bytes too many`);
  }

  #skip(bytes: number): number {
    const at = this.#at;
    if (at + bytes > this.#end) throw new ProtocolError('a frame that ends too early');
    this.#at += bytes;
    return at;
  }
}

/** Cuts a byte stream into frames, whatever the chunks. */
export class FrameSplitter {
  readonly #onFrame: (type: number, payload: FrameReader) => void;
  #parts: Buffer[] = [];
  #length = 0;
  #wanted = 4;

  constructor(onFrame: (type: number, payload: FrameReader) => void) {
    this.#onFrame = onFrame;
  }

  push(chunk: Buffer): void {
    this.#parts.push(chunk);
    this.#length += chunk.length;
    if (this.#length < this.#wanted) return;
    // Joined once a frame is whole, so that a long frame in small chunks is not copied again and again.
    const bytes = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts, this.#length);
    let at = 0;
    this.#wanted = 4;
    while (bytes.length - at >= 4) {
      const length = bytes.readUInt32LE(at);
      if (length === 0 || length > MAX_FRAME_BYTES) throw new ProtocolError(`a frame of ${length} bytes`);
      if (bytes.length - at - 4 < length) {
        this.#wanted = 4 + length;
        break;
      }
      const start = at + 4;
      at = start + length;
      this.#onFrame(bytes[start]!, new FrameReader(bytes, start + 1, at));
    }
    this.#parts = at === bytes.length ? [] : [bytes.subarray(at)];
    this.#length = bytes.length - at;
  }
}
