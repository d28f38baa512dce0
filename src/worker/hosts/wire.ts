import type { InputSpec, OutputSpec } from '../../api/data.ts';

/**
 * What a host and its worker say to each other over a Unix socket, both ways in frames: u32 length of the payload, u8 type, payload; numbers are
 * little endian. Tasks are counted in the order in which a host gets them: that number, the ordinal, is their name on this wire.
 *
 * The voice of a host (a thread that runs nothing of the user) sends the frames of `FromHost`. Those of type RECORDS hold pieces of the stream
 * that the thread of the handler writes: records of u8 type, u24 length of the data, data; an END says that the running task is over, so nothing of it follows.
 */
export const FRAME_HEADER_BYTES = 5;
/** One frame holds no more than this. */
const MOST_FRAME_BYTES = 80 * 1024 * 1024;
export const RECORD_HEADER_BYTES = 4;
/** Data of one record. */
export const MOST_RECORD_BYTES = 64 * 1024;

export const ToHost = {
  /** JSON HostJob; the first frame. */
  JOB: 1,
  /** Entries of RUN_BYTES: u32 ordinal, u32 position, u32 count, u32 attempt, f64 fence. */
  RUNS: 2,
  /** u32 number of the question: nothing more is started; answered by WITHDRAWN. Then RUNS may follow again. */
  WITHDRAW: 3,
  /** u32 ordinal, u8 StopCause: the signal of the running task is aborted, if it still runs. */
  ABORT: 4,
  /** u32 number of the call, u8 CallAnswer, data. */
  ANSWER: 5,
  /** It ends when nothing runs. */
  QUIT: 6,
  /** u32 ordinal of the first, then JSON: an array with the parameters of each task; before the RUNS with these tasks. */
  PARAMS: 7,
} as const;

export const RUN_BYTES = 24;

export const FromHost = {
  /** u32 id of the host, its secret as text; the first frame. */
  HELLO: 1,
  RECORDS: 2,
  /** u32 number of the question, u32 ordinal: from this one on nothing was started, and nothing will be. */
  WITHDRAWN: 3,
  /** u32 ordinal of the running task, f64 for how long it runs, ms, f64 resident memory, bytes. Sent once for a task that is not short. */
  RUNNING: 4,
  /** f64 resident memory, bytes; from time to time. */
  MEMORY: 5,
} as const;

export const RecordType = {
  /** u16 outcome (encodeOutcome), u8 EndFlag bits, u8 0, u32 wall µs (or ms, with LONG), u32 CPU µs (or ms), u32 bytes that were cut out of its log. */
  END: 1,
  /** u8 LogStream, u8 0, u16 0, u32 ms since its start, bytes. */
  LOG: 2,
  /** The next piece of the JSON of its result. */
  RESULT: 3,
  /** u8 CallKind, u8 0, u16 0, u32 number of the call, data. */
  CALL: 4,
  /** The function is loaded: f64 limit of the heap, bytes. */
  READY: 5,
  /** It cannot be: UTF-8 text for the log of the tasks. */
  UNUSABLE: 6,
  /** This host must be replaced before another task runs. */
  SPENT: 7,
  /** The handler ends the process: u8 exit code. */
  EXIT: 8,
} as const;

export const END_BYTES = 16;
export const EndFlag = { LONG: 1, HAS_RESULT: 2 } as const;

/** Why a running task is to stop. */
export const STOP_CAUSES = ['cancel', 'timeLimit', 'stalled', 'shutdown'] as const;
export type StopCause = (typeof STOP_CAUSES)[number];

export const CallKind = {
  /** JSON [fraction, message?]; not answered. */
  PROGRESS: 1,
  GET_CHECKPOINT: 2,
  PUT_CHECKPOINT: 3,
  /** JSON [name, file?], a NUL byte, then the data where no file is named. */
  EMIT: 4,
  /** JSON Planned without its fence. */
  PLANNED: 5,
  /** The bytes of a piece of a plan; answered by its hash. */
  PUT_PIECE: 6,
  /** The hash of one; answered by its bytes. */
  GET_PIECE: 7,
} as const;
export type CallKind = (typeof CallKind)[keyof typeof CallKind];

/** More pieces of this call follow, flag of its kind. */
export const CALL_GOES_ON = 0x80;

export const CallAnswer = { DONE: 0, REFUSED: 1, NOTHING: 2 } as const;

/** What a host is told of its job. */
export interface HostJob {
  readonly id: number;
  readonly name: string;
  readonly module: string;
  readonly export: string;
  readonly cwd: string;
  /** Canonical index set. */
  readonly indices: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly logCapBytes: number;
  readonly input?: InputSpec | undefined;
  /** Hash of the manifest of its plan. */
  readonly plan?: string | undefined;
  readonly output?: OutputSpec | undefined;
  readonly role?: { readonly kind: 'plan' | 'collect'; readonly of: number } | undefined;
}

/** Cuts a stream of bytes into frames. */
export class FrameReader {
  readonly #take: (type: number, payload: Buffer) => void;
  #waiting: Buffer[] = [];
  #bytes = 0;
  #wanted = FRAME_HEADER_BYTES;

  constructor(take: (type: number, payload: Buffer) => void) {
    this.#take = take;
  }

  /** @throws RangeError for a frame that is too long: the other side is not what it says */
  push(chunk: Buffer): void {
    this.#waiting.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < this.#wanted) return;
    const all = this.#waiting.length === 1 ? chunk : Buffer.concat(this.#waiting);
    let at = 0;
    this.#wanted = FRAME_HEADER_BYTES;
    while (all.length - at >= FRAME_HEADER_BYTES) {
      const length = all.readUInt32LE(at);
      if (length > MOST_FRAME_BYTES) throw new RangeError(`a frame of ${length} bytes`);
      const end = at + FRAME_HEADER_BYTES + length;
      if (end > all.length) {
        this.#wanted = FRAME_HEADER_BYTES + length;
        break;
      }
      this.#take(all[at + 4]!, all.subarray(at + FRAME_HEADER_BYTES, end));
      at = end;
    }
    this.#waiting = at === all.length ? [] : [all.subarray(at)];
    this.#bytes = all.length - at;
  }
}

/** A frame, ready to be sent. */
export function frame(type: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.byteLength);
  bytes.writeUInt32LE(payload.byteLength, 0);
  bytes[4] = type;
  bytes.set(payload, FRAME_HEADER_BYTES);
  return bytes;
}
