/**
 * The records of a log segment file, as a forker writes them and everyone else reads them.
 *
 * A segment is a sequence of records of many attempts of one job. A record is a header of 32 bytes, little endian, and its
 * data:
 *
 *     0  u16 magic          0x5053
 *     2  u8  stream         LogStream
 *     3  u8  flags          LogFlag bits
 *     4  u32 length         bytes of data after the header, at most MAX_LOG_DATA_BYTES
 *     8  u64 fence          the attempt that wrote it
 *     16 u32 position       of the task in its array
 *     20 u32 attempt        number, from 1
 *     24 u48 timeMs         from the start of the attempt to the arrival of the first byte
 *     30 u16 check          ones' complement of the sum of the 15 u16 before it, so that zeros and torn tails are noticed
 *
 * The data of a note is u64 stdout bytes, u64 stderr bytes, then a line of UTF-8 text for people.
 */
export const LOG_HEADER_BYTES = 32;
export const MAX_LOG_DATA_BYTES = 64 * 1024;
const LOG_MAGIC = 0x5053;

export const LogStream = {
  STDOUT: 1,
  STDERR: 2,
  NOTE: 3,
  /** A piece of the result of the attempt (objects/directory/results.ts); no part of its log. */
  RESULT: 4,
} as const;
export type LogStream = (typeof LogStream)[keyof typeof LogStream];
/** Those that a log is made of. */
type OutputStream = Exclude<LogStream, typeof LogStream.RESULT>;

/** Flags of a note: why bytes are missing, here or in a copy of the output. */
export const LogFlag = {
  /** The log cap cut them. */
  CUT: 1,
  /** They could not be written (disk full, I/O error). */
  LOST: 2,
  /** From here on they are missing in the file that gets a copy, not in the log. */
  COPY: 4,
} as const;

export interface LogHeader {
  readonly stream: LogStream;
  readonly flags: number;
  /** Bytes of data. */
  readonly length: number;
  readonly fence: number;
  readonly position: number;
  readonly attempt: number;
  readonly timeMs: number;
}

export interface LogRecord extends LogHeader {
  readonly stream: OutputStream;
  /** A view into the bytes that were parsed, not a copy. */
  readonly data: Uint8Array;
  /** Where the record begins, in the bytes that were parsed. */
  readonly offset: number;
}

export interface ParsedLog {
  readonly records: readonly LogRecord[];
  /** Bytes used: where to go on when more of the segment is read. */
  readonly consumed: number;
  /** `partial`: ends inside a record; `corrupt`: what follows is not a record, so the segment ends here. */
  readonly rest: 'none' | 'partial' | 'corrupt';
}

export interface LogNote {
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
  readonly text: string;
}

const CHECKED_WORDS = 15;

function headerCheck(view: DataView, offset: number): number {
  let sum = 0;
  for (let word = 0; word < CHECKED_WORDS; word++) sum += view.getUint16(offset + word * 2, true);
  return ~sum & 0xffff;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function isStream(value: number): value is LogStream {
  return value >= LogStream.STDOUT && value <= LogStream.RESULT;
}

/** Writes a header into `target` at `offset`; there must be LOG_HEADER_BYTES of room. */
export function encodeLogHeader(header: LogHeader, target: Uint8Array, offset = 0): void {
  const view = viewOf(target);
  view.setUint16(offset, LOG_MAGIC, true);
  view.setUint8(offset + 2, header.stream);
  view.setUint8(offset + 3, header.flags);
  view.setUint32(offset + 4, header.length, true);
  view.setBigUint64(offset + 8, BigInt(header.fence), true);
  view.setUint32(offset + 16, header.position, true);
  view.setUint32(offset + 20, header.attempt, true);
  view.setUint32(offset + 24, header.timeMs % 2 ** 32, true);
  view.setUint16(offset + 28, Math.floor(header.timeMs / 2 ** 32), true);
  view.setUint16(offset + 30, headerCheck(view, offset), true);
}

/** The header at `offset`, or null when there is none: too few bytes, or bytes that no forker wrote. */
export function decodeLogHeader(bytes: Uint8Array, offset = 0): LogHeader | null {
  return readLogHeader(viewOf(bytes), offset);
}

/** As decodeLogHeader, for who reads many headers out of the same bytes. */
export function readLogHeader(view: DataView, offset: number): LogHeader | null {
  if (offset + LOG_HEADER_BYTES > view.byteLength) return null;
  const stream = view.getUint8(offset + 2);
  const length = view.getUint32(offset + 4, true);
  if (view.getUint16(offset, true) !== LOG_MAGIC || !isStream(stream) || length > MAX_LOG_DATA_BYTES) return null;
  if (view.getUint16(offset + 30, true) !== headerCheck(view, offset)) return null;
  return {
    stream,
    flags: view.getUint8(offset + 3),
    length,
    // Two halves: a BigInt for every record would cost more than all the rest of it.
    fence: view.getUint32(offset + 12, true) * 2 ** 32 + view.getUint32(offset + 8, true),
    position: view.getUint32(offset + 16, true),
    attempt: view.getUint32(offset + 20, true),
    timeMs: view.getUint16(offset + 28, true) * 2 ** 32 + view.getUint32(offset + 24, true),
  };
}

/**
 * All whole records of logs at the start of `bytes`; those of results are passed over.
 * @param fence keep only the records of this attempt; default all.
 */
export function parseLogRecords(bytes: Uint8Array, fence?: number): ParsedLog {
  const records: LogRecord[] = [];
  const view = viewOf(bytes);
  let offset = 0;
  while (offset < bytes.byteLength) {
    const header = readLogHeader(view, offset);
    if (header === null) {
      const rest = offset + LOG_HEADER_BYTES > bytes.byteLength ? 'partial' : 'corrupt';
      return { records, consumed: offset, rest };
    }
    const end = offset + LOG_HEADER_BYTES + header.length;
    if (end > bytes.byteLength) return { records, consumed: offset, rest: 'partial' };
    const { stream } = header;
    if (stream !== LogStream.RESULT && (fence === undefined || header.fence === fence)) {
      records.push({ ...header, stream, data: bytes.subarray(offset + LOG_HEADER_BYTES, end), offset });
    }
    offset = end;
  }
  return { records, consumed: offset, rest: 'none' };
}

/** The data of a NOTE record; null when it is too short to be one. */
export function parseLogNote(data: Uint8Array): LogNote | null {
  if (data.byteLength < 16) return null;
  const view = viewOf(data);
  return {
    stdoutBytes: Number(view.getBigUint64(0, true)),
    stderrBytes: Number(view.getBigUint64(8, true)),
    text: new TextDecoder().decode(data.subarray(16)),
  };
}

/** The data of a NOTE record. */
export function encodeLogNote(note: LogNote): Uint8Array {
  const text = new TextEncoder().encode(note.text);
  const data = new Uint8Array(16 + text.byteLength);
  const view = viewOf(data);
  view.setBigUint64(0, BigInt(note.stdoutBytes), true);
  view.setBigUint64(8, BigInt(note.stderrBytes), true);
  data.set(text, 16);
  return data;
}

/** The file name of a segment, under `<log directory>/<job number>/`. */
export function segmentFileName(sessionTag: string, segment: number): string {
  return `${sessionTag}-${segment}.seg`;
}
