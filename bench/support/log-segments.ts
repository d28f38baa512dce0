import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { EndChunk } from '../../src/core/end-chunk.ts';
import { encodeLogHeader, LOG_HEADER_BYTES, LogStream } from '../../src/core/log-record.ts';

const SEGMENT_BYTES = 64 * 1024 * 1024;
const LIFE = 1;
const SESSION = 1;
/** Ends in one chunk, as a commit of a busy coordinator has. */
const CHUNK_ENDS = 1_000;

export interface WrittenLogs {
  readonly files: readonly string[];
  /** Bytes of output, headers not counted. */
  readonly bytes: number;
  readonly lines: number;
  readonly ends: readonly Uint8Array[];
}

const WORDS =
  'epoch step loss accuracy gradient worker batch tensor checkpoint saved memory device shuffle augment'.split(' ');

/** A line of about a hundred characters, much like that of a training loop; always the same for a number. */
function line(task: number, at: number): string {
  let seed = (task * 7919 + at * 104729) >>> 0;
  const next = (below: number) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  if (at === 17 && task % 5_000 === 77) return `thread panicked: Segfault: device_lost ${next(100)} in task ${task}\n`;
  const values = Array.from({ length: 5 }, () => `${WORDS[next(WORDS.length)]}=${next(100_000)}`);
  const level = next(50) === 0 ? 'WARNING' : 'INFO';
  return `2026-11-21 12:${10 + next(50)}:${10 + next(50)} ${level} [worker ${next(64)}] ${values.join(' ')}\n`;
}

/**
 * Writes what `tasks` tasks of `linesEach` lines leave behind, in records of up to 4 KiB, `beside` of them running at a time.
 * @param folder of the job
 */
export function writeSegments(folder: string, tasks: number, linesEach: number, beside: number): WrittenLogs {
  mkdirSync(folder, { recursive: true });
  const files: string[] = [];
  const ends: Uint8Array[] = [];
  let chunk = new EndChunk(1);
  let [file, offset, bytes] = [-1, 0, 0];
  const roll = () => {
    if (file >= 0) closeSync(file);
    files.push(join(folder, `${SESSION}-${LIFE}-${files.length + 1}.seg`));
    file = openSync(files.at(-1)!, 'w');
    offset = 0;
  };
  roll();
  const place = () => ({ segment: LIFE * 65_536 + files.length, offset });
  for (let first = 0; first < tasks; first += beside) {
    const group = Array.from({ length: Math.min(beside, tasks - first) }, (_, at) => first + at);
    const starts = group.map(place);
    const outBytes = group.map(() => 0);
    for (let at = 0; at < linesEach; at += 40) {
      for (const [nth, task] of group.entries()) {
        if (offset >= SEGMENT_BYTES) roll();
        let text = '';
        for (let one = at; one < Math.min(at + 40, linesEach); one++) text += line(task, one);
        const data = Buffer.from(text, 'latin1');
        const record = Buffer.alloc(LOG_HEADER_BYTES + data.length);
        const of = { fence: 1 + task, position: task, attempt: 1, timeMs: at };
        encodeLogHeader({ stream: LogStream.STDOUT, flags: 0, length: data.length, ...of }, record);
        data.copy(record, LOG_HEADER_BYTES);
        writeSync(file, record);
        offset += record.length;
        bytes += data.length;
        outBytes[nth]! += data.length;
      }
    }
    const { segment: logEndSegment, offset: logEndOffset } = place();
    for (const [at, task] of group.entries()) {
      const { segment: logSegment, offset: logOffset } = starts[at]!;
      const used = {
        wallUs: 1_000,
        cpuUs: 900,
        maxRssKb: 4_000,
        outBytes: outBytes[at]!,
        errBytes: 0,
        cutBytes: 0,
        missingBytes: 0,
      };
      const of = { position: task, attempt: 1, outcome: 0, fence: 1 + task, sessionId: SESSION };
      chunk.add({ ...of, ...used, logSegment, logOffset, logEndSegment, logEndOffset });
      if (chunk.count < CHUNK_ENDS) continue;
      ends.push(chunk.pack());
      chunk = new EndChunk(1);
    }
  }
  if (chunk.count > 0) ends.push(chunk.pack());
  closeSync(file);
  return { files, bytes, lines: tasks * linesEach, ends };
}
