import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import {
  encodeLogHeader,
  LOG_HEADER_BYTES,
  type LogRecord,
  LogStream,
  parseLogNote,
  parseLogRecords,
} from '../../src/core/log-record.ts';
import { openSegments } from '../../src/objects/directory/segments.ts';
import type { LogRange, LogReader } from '../../src/objects/log-reader.ts';

const LIFE = 3;

/** The first segment of session 7's third forker life; all of these belong to job 12. */
export const SEGMENT = LIFE * 65_536 + 1;

/** A folder for logs, with job 12 in it, until the test is over, and its reader, which looks often. */
export function openLogs(): { logs: string; reader: LogReader } {
  const logs = mkdtempSync(join(tmpdir(), 'spawn-logs-'));
  onTestFinished(() => rmSync(logs, { recursive: true }));
  mkdirSync(join(logs, '12'));
  return { logs, reader: openSegments(logs, { pollMs: { first: 1, most: 4 } }) };
}

/** The file of segment `SEGMENT + at`. */
export function segmentFile(logs: string, at: number): string {
  return join(logs, '12', `7-${LIFE}-${at + 1}.seg`);
}

/** Attempt 2 of the task at the position that equals the fence. */
export function logRecord(fence: number, stream: LogStream, data: Uint8Array | string): Buffer {
  const bytes = Buffer.from(data as string);
  const header = new Uint8Array(LOG_HEADER_BYTES);
  encodeLogHeader({ stream, flags: 0, length: bytes.length, fence, position: fence, attempt: 2, timeMs: 5 }, header);
  return Buffer.concat([header, bytes]);
}

export function logRange(fence: number, parts: Partial<LogRange> = {}): LogRange {
  return { jobId: 12, sessionId: 7, fence, fromSegment: SEGMENT, fromOffset: 0, ...parts };
}

/** All records of chunks that must each hold one or more whole ones. */
export async function collectRecords(chunks: AsyncIterable<Uint8Array>): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const chunk of chunks) {
    const parsed = parseLogRecords(chunk);
    if (parsed.rest !== 'none' || parsed.records.length === 0) throw new Error('a chunk of no whole records');
    records.push(...parsed.records);
  }
  return records;
}

/** `o:` stdout, `e:` stderr, `n:` a note's text. */
export function showRecords(records: readonly LogRecord[]): string[] {
  return records.map(({ stream, data }) =>
    stream === LogStream.NOTE
      ? `n:${parseLogNote(data)!.text}`
      : `${stream === LogStream.STDOUT ? 'o' : 'e'}:${Buffer.from(data)}`,
  );
}
