import { encodeLogHeader, encodeLogNote, LOG_HEADER_BYTES, LogStream } from '../../src/core/log-record.ts';

export interface WrittenRecord {
  readonly position?: number;
  readonly stream?: LogStream;
  readonly data: string | Uint8Array;
  /** Default: one for each position. */
  readonly fence?: number;
}

/** Bytes of log records as a forker writes them. */
export function logBytes(...records: readonly WrittenRecord[]): Uint8Array {
  const pieces = records.map(({ position = 0, stream = LogStream.STDOUT, data, fence = 100 + position }) => {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    const record = new Uint8Array(LOG_HEADER_BYTES + bytes.length);
    encodeLogHeader({ stream, flags: 0, length: bytes.length, fence, position, attempt: 1, timeMs: 5 }, record);
    record.set(bytes, LOG_HEADER_BYTES);
    return record;
  });
  return new Uint8Array(Buffer.concat(pieces));
}

/** The data of a note. */
export function noteData(text: string): Uint8Array {
  return encodeLogNote({ stdoutBytes: 10, stderrBytes: 0, text });
}
