import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EndChunk } from '../../src/core/end-chunk.ts';
import { encodeLogHeader, LOG_HEADER_BYTES, type LogStream } from '../../src/core/log-record.ts';
import type { SearchedLogs } from '../../src/objects/log-reader.ts';

/** Of session 7, whose segments these are. */
export const LIFE = 2;

export interface WrittenOutput {
  /** Also its position; the fence is 100 more, the index 10 more. */
  readonly task: number;
  readonly stream: LogStream;
  readonly data: Uint8Array | string;
  /** The next record is in another segment. */
  readonly rolls?: boolean;
}

/** Writes records as one forker does, and tells where each attempt lies: from its first record to behind its last. */
export function writeSearched(
  folder: string,
  records: readonly WrittenOutput[],
  tasks: number,
  open: ReadonlySet<number> = new Set(),
): SearchedLogs {
  const files: Buffer[][] = [[]];
  const size = () => files.at(-1)!.reduce((sum, part) => sum + part.length, 0);
  const place = () => ({ segment: LIFE * 65_536 + files.length, offset: size() });
  const from = new Map<number, { segment: number; offset: number }>();
  const to = new Map<number, { segment: number; offset: number }>();
  for (const { task, stream, data, rolls } of records) {
    const bytes = Buffer.from(data as string);
    const header = new Uint8Array(LOG_HEADER_BYTES);
    const whose = { fence: 100 + task, position: task, attempt: 1, timeMs: 1 };
    encodeLogHeader({ stream, flags: 0, length: bytes.length, ...whose }, header);
    if (!from.has(task)) from.set(task, place());
    files.at(-1)!.push(Buffer.concat([header, bytes]));
    to.set(task, place());
    if (rolls === true) files.push([]);
  }
  for (const [at, parts] of files.entries()) {
    if (parts.length > 0) writeFileSync(join(folder, `7-${LIFE}-${at + 1}.seg`), Buffer.concat(parts));
  }
  const chunk = new EndChunk(1);
  const running: SearchedLogs['running'][number][] = [];
  for (let task = 0; task < tasks; task++) {
    const [start, end] = [from.get(task) ?? place(), to.get(task) ?? place()];
    const of = { position: task, attempt: 1, sessionId: 7, fence: 100 + task };
    if (open.has(task)) running.push({ ...of, fromSegment: start.segment, fromOffset: start.offset });
    else {
      const used = { wallUs: 1, cpuUs: 1, maxRssKb: 1, outBytes: 1, errBytes: 0, cutBytes: 0, missingBytes: 0 };
      const lies = { logSegment: start.segment, logOffset: start.offset };
      const ends = { logEndSegment: end.segment, logEndOffset: end.offset };
      chunk.add({ ...of, outcome: 0, ...used, ...lies, ...ends });
    }
  }
  const data = chunk.count === 0 ? new Uint8Array(0) : chunk.pack();
  return {
    indices: `10-${9 + tasks}`,
    wanted: new Uint8Array(tasks).fill(1),
    ends: chunk.count === 0 ? [] : [{ data, lengths: [data.length] }],
    running,
  };
}
