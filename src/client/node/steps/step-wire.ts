/** What one process of a step is told, on top of what all have in common. */
export interface WireRank {
  readonly rank: number;
  readonly env: Readonly<Record<string, string>>;
}

/** Starts the ranks of a step on the node that it is sent to; the first frame of a connection, and one a connection. */
export interface RunFrame {
  readonly step: number;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly umask: number;
  readonly ranks: readonly WireRank[];
  /** Which of them read what is sent; the others read nothing. */
  readonly input: 'none' | 'all' | number;
}

/** What became of a rank; `failed`: its program could not be run. */
export type EndFrame = { readonly rank: number } & (
  | { readonly code: number }
  | { readonly signal: number }
  | { readonly failed: string; readonly errno: number }
);

/**
 * Frames between srun and the host of a node's steps: a byte of type, the length of the data (u32, big endian), the data. From srun: run, input, signal
 * (one byte). From the host: begun, took (input was taken: send the next), out and err (u32 rank, then bytes), end, notice (text for people).
 */
export const FrameType = {
  run: 1,
  input: 2,
  signal: 3,
  begun: 16,
  took: 17,
  out: 18,
  err: 19,
  end: 20,
  notice: 21,
} as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

export interface Frame {
  readonly type: number;
  readonly data: Uint8Array;
}

const HEADER_BYTES = 5;
export const MOST_CHUNK_BYTES = 64 * 1024;
/** Arguments and environment, which the kernel bounds too. */
export const MOST_RUN_BYTES = 8 * 1024 * 1024;
const MOST_OTHER_BYTES = MOST_CHUNK_BYTES + 4;

export function frame(type: FrameType, data: Uint8Array = new Uint8Array(0)): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt8(type, 0);
  head.writeUInt32BE(data.length, 1);
  return Buffer.concat([head, data]);
}

export function jsonFrame(type: FrameType, value: unknown): Buffer {
  return frame(type, Buffer.from(JSON.stringify(value)));
}

/** Output of a rank, in as many frames as it takes. */
export function outputFrames(rank: number, stream: 1 | 2, bytes: Uint8Array): Buffer {
  const type = stream === 1 ? FrameType.out : FrameType.err;
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += MOST_CHUNK_BYTES) {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(rank);
    pieces.push(frame(type, Buffer.concat([number, bytes.subarray(at, at + MOST_CHUNK_BYTES)])));
  }
  return Buffer.concat(pieces);
}

/** Cuts what comes into frames; what is too long for its type, or no type, is an error before its data is waited for. */
export class FrameCutter {
  #pieces: Uint8Array[] = [];
  #length = 0;

  /** @throws Error for what is no frame */
  add(bytes: Uint8Array): readonly Frame[] {
    this.#pieces.push(bytes);
    this.#length += bytes.length;
    const frames: Frame[] = [];
    for (let next = this.#take(); next !== undefined; next = this.#take()) frames.push(next);
    return frames;
  }

  #take(): Frame | undefined {
    if (this.#length < HEADER_BYTES) return undefined;
    if (this.#pieces[0]!.length < HEADER_BYTES) this.#join();
    const head = this.#pieces[0]!;
    const type = head[0]!;
    const length = new DataView(head.buffer, head.byteOffset).getUint32(1);
    if (!TYPES.has(type)) throw new Error(`a frame of the unknown type ${type}`);
    const most = type === FrameType.run ? MOST_RUN_BYTES : MOST_OTHER_BYTES;
    if (length > most) throw new Error(`a frame of ${length} bytes, of which ${most} are allowed`);
    if (this.#length < HEADER_BYTES + length) return undefined;
    this.#join();
    const whole = this.#pieces[0]!;
    this.#pieces = [whole.subarray(HEADER_BYTES + length)];
    this.#length -= HEADER_BYTES + length;
    return { type, data: whole.subarray(HEADER_BYTES, HEADER_BYTES + length) };
  }

  #join(): void {
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces)];
  }
}

const TYPES: ReadonlySet<number> = new Set(Object.values(FrameType));

/** @throws Error for what is no JSON */
export function jsonOf<T>({ data }: Frame): T {
  return JSON.parse(Buffer.from(data).toString('utf8')) as T;
}

/** Both sides know the secret of the attempt: whoever does not gets no further than the handshake. */
export const STEP_TLS = {
  ciphers: 'ECDHE-PSK-CHACHA20-POLY1305:ECDHE-PSK-AES256-CBC-SHA384',
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
} as const;

/** Names the attempt, so that a place of another one refuses. */
export function stepIdentity(fence: number): string {
  return `spawn-step-${fence}`;
}
