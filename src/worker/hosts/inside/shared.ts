import { RECORD_HEADER_BYTES } from '../wire.ts';

const RING_BYTES = 1024 * 1024;
const RING_MASK = RING_BYTES - 1;

/** Words of the memory that both threads see. */
const Word = {
  /** Bytes ever written into the ring, modulo 2^32; by the thread of the handler. */
  WRITTEN: 0,
  /** Bytes ever taken out of it; by the voice. */
  TAKEN: 1,
  /** Of those, what the kernel has. */
  SENT: 2,
  /** Ordinal of the next task to be started, or of none when CLOSED is set. */
  NEXT: 3,
  /** Tasks that are over. */
  ENDED: 4,
  /** The voice was rung and has not looked yet. */
  RUNG: 5,
} as const;
const WORDS = 8;
const CLOSED = 1 << 31;
/** In the second half of the head: when the running task started, ms on the clock of `process.hrtime`. */
const STARTED_AT = 4;
const HEAD_BYTES = 64;

/** When a full ring is looked at again, in case nobody says that there is room. */
const LOOK_MS = 1_000;

/**
 * What the two threads of a host share: a ring of bytes from the handler's thread to the voice, and how far it is with its tasks. The voice can read it
 * whatever the other thread does.
 */
export class Shared {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #times: Float64Array;
  readonly #ring: Uint8Array;

  constructor(memory = new SharedArrayBuffer(HEAD_BYTES + RING_BYTES)) {
    this.memory = memory;
    this.#words = new Int32Array(memory, 0, WORDS);
    this.#times = new Float64Array(memory, 0, WORDS);
    this.#ring = new Uint8Array(memory, HEAD_BYTES, RING_BYTES);
  }

  /** Ordinal of the task that may be started now; undefined when no more may be. @param ordinal the one that would be next */
  claim(ordinal: number): boolean {
    return Atomics.compareExchange(this.#words, Word.NEXT, ordinal, ordinal + 1) === ordinal;
  }

  /** Nothing more is started until `open`; gives the ordinal from which on nothing was. */
  close(): number {
    return Atomics.or(this.#words, Word.NEXT, CLOSED) & ~CLOSED;
  }

  open(): void {
    Atomics.and(this.#words, Word.NEXT, ~CLOSED);
  }

  /** Ordinals below have been started. */
  get next(): number {
    return Atomics.load(this.#words, Word.NEXT) & ~CLOSED;
  }

  get ended(): number {
    return Atomics.load(this.#words, Word.ENDED);
  }

  /** Everything of the running task is in the ring. */
  end(): void {
    Atomics.add(this.#words, Word.ENDED, 1);
  }

  get startedAt(): number {
    return this.#times[STARTED_AT]!;
  }

  set startedAt(ms: number) {
    this.#times[STARTED_AT] = ms;
  }

  /** True when the voice must be told, since nobody has. */
  ring(): boolean {
    return Atomics.exchange(this.#words, Word.RUNG, 1) === 0;
  }

  heard(): void {
    Atomics.store(this.#words, Word.RUNG, 0);
  }

  get waitingBytes(): number {
    return (Atomics.load(this.#words, Word.WRITTEN) - Atomics.load(this.#words, Word.TAKEN)) >>> 0;
  }

  /**
   * Writes a record, waiting while there is no room: whoever writes faster than it can be kept stands still.
   * @param onFull called before each wait
   */
  write(type: number, head: Uint8Array, data: Uint8Array, onFull: () => void): void {
    const bytes = RECORD_HEADER_BYTES + head.byteLength + data.byteLength;
    this.#wait(() => RING_BYTES - this.waitingBytes >= bytes, Word.TAKEN, onFull);
    const length = head.byteLength + data.byteLength;
    let at = Atomics.load(this.#words, Word.WRITTEN);
    this.#ring[at & RING_MASK] = type;
    this.#ring[(at + 1) & RING_MASK] = length & 255;
    this.#ring[(at + 2) & RING_MASK] = (length >> 8) & 255;
    this.#ring[(at + 3) & RING_MASK] = length >> 16;
    at = this.#put(at + RECORD_HEADER_BYTES, head);
    at = this.#put(at, data);
    Atomics.store(this.#words, Word.WRITTEN, at | 0);
  }

  /** Waits until the kernel has all that was written, or for so long. */
  settle(withinMs: number, onFull: () => void): void {
    const until = performance.now() + withinMs;
    const written = Atomics.load(this.#words, Word.WRITTEN);
    const isSent = () => Atomics.load(this.#words, Word.SENT) === written || performance.now() > until;
    this.#wait(isSent, Word.SENT, onFull);
  }

  /** A copy of what waits, after room for `before` bytes, at most `most` bytes of it; the ring is free of it. */
  take(before: number, most: number): Buffer {
    const bytes = Math.min(this.waitingBytes, most);
    const copy = Buffer.allocUnsafe(before + bytes);
    const taken = Atomics.load(this.#words, Word.TAKEN);
    const from = taken & RING_MASK;
    const first = Math.min(bytes, RING_BYTES - from);
    copy.set(this.#ring.subarray(from, from + first), before);
    copy.set(this.#ring.subarray(0, bytes - first), before + first);
    Atomics.store(this.#words, Word.TAKEN, (taken + bytes) | 0);
    Atomics.notify(this.#words, Word.TAKEN);
    return copy;
  }

  /** The kernel has what was taken. */
  sent(bytes: number): void {
    Atomics.add(this.#words, Word.SENT, bytes);
    Atomics.notify(this.#words, Word.SENT);
  }

  #put(at: number, bytes: Uint8Array): number {
    const from = at & RING_MASK;
    if (from + bytes.byteLength <= RING_BYTES) {
      this.#ring.set(bytes, from);
    } else {
      const first = RING_BYTES - from;
      this.#ring.set(bytes.subarray(0, first), from);
      this.#ring.set(bytes.subarray(first), 0);
    }
    return at + bytes.byteLength;
  }

  #wait(isDone: () => boolean, word: number, onFull: () => void): void {
    while (!isDone()) {
      onFull();
      const before = Atomics.load(this.#words, word);
      if (isDone()) return;
      Atomics.wait(this.#words, word, before, LOOK_MS);
    }
  }
}
