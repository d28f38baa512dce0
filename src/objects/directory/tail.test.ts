import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  collectRecords,
  logRange,
  logRecord,
  openLogs,
  SEGMENT,
  segmentFile,
  showRecords,
} from '../../../test/support/segment-files.ts';
import { encodeLogNote, type LogRecord, LogStream, parseLogNote } from '../../core/log-record.ts';
import type { LogReader } from '../log-reader.ts';
import { openSegments } from './segments.ts';

const { STDOUT, STDERR, NOTE } = LogStream;

let logs: string;
let reader: LogReader;

beforeEach(() => {
  ({ logs, reader } = openLogs());
});

const textOf = (records: readonly LogRecord[], stream: LogStream) =>
  Buffer.concat(records.filter((one) => one.stream === stream).map(({ data }) => data)).toString();

test('of any log in any segments gives the last lines, by where their last byte stands', async () => {
  const anyRecord = fc.record({
    fence: fc.constantFrom(1, 1, 1, 2),
    stream: fc.constantFrom(STDOUT, STDERR),
    data: fc.array(fc.constantFrom('a', 'b', 'é', '\n', '\n'), { maxLength: 9 }).map((parts) => parts.join('')),
    rolls: fc.integer({ min: 0, max: 3 }).map((value) => value === 0),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyRecord, { maxLength: 30 }),
      fc.integer({ min: 0, max: 12 }),
      fc.constantFrom('out', 'err', 'both'),
      fc.boolean(),
      async (all, most, stream, isRunning) => {
        rmSync(join(logs, '12'), { recursive: true });
        mkdirSync(join(logs, '12'));
        const segments: Buffer[][] = [[]];
        for (const one of all) {
          if (one.rolls && segments.at(-1)!.length > 0) segments.push([]);
          segments.at(-1)!.push(logRecord(one.fence, one.stream, one.data));
        }
        for (const [at, parts] of segments.entries()) writeFileSync(segmentFile(logs, at), Buffer.concat(parts));
        const to = { toSegment: SEGMENT + segments.length - 1, toOffset: Buffer.concat(segments.at(-1)!).length };

        const lines: { stream: LogStream; text: string; order: number }[] = [];
        const open = new Map<LogStream, { text: string; order: number }>();
        for (const [order, one] of all.entries()) {
          if (one.fence !== 1 || (stream !== 'both' && (one.stream === STDOUT) !== (stream === 'out'))) continue;
          if (one.data === '') continue;
          const parts = `${open.get(one.stream)?.text ?? ''}${one.data}`.split('\n');
          open.delete(one.stream);
          const rest = parts.pop()!;
          if (rest !== '') open.set(one.stream, { text: rest, order });
          lines.push(...parts.map((text) => ({ stream: one.stream, text: `${text}\n`, order })));
        }
        lines.push(...[...open].map(([of, line]) => ({ stream: of, ...line })));
        lines.sort((a, b) => a.order - b.order);
        const wanted = lines.slice(Math.max(0, lines.length - most));

        const range = logRange(1, isRunning ? {} : to);
        // Not the reader of the run before, which knows that what it has read never changes.
        const found = await collectRecords(openSegments(logs).read(range, stream, most));
        for (const of of [STDOUT, STDERR]) {
          const text = wanted.filter((line) => line.stream === of).map((line) => line.text);
          expect(textOf(found, of)).toBe(text.join(''));
        }
      },
    ),
    { numRuns: 300 },
  );
});

describe('the tail', () => {
  test('keeps the note of a gap that it reaches over, and leaves out one before it', async () => {
    const gap = logRecord(1, NOTE, encodeLogNote({ stdoutBytes: 9, stderrBytes: 0, text: 'cut' }));
    writeFileSync(
      segmentFile(logs, 0),
      Buffer.concat([logRecord(1, STDOUT, 'a\nb\n'), gap, logRecord(1, STDOUT, 'c\nd\n')]),
    );
    const tail = async (most: number) => showRecords(await collectRecords(reader.read(logRange(1), 'out', most)));
    expect(await tail(2)).toEqual(['o:c\nd\n']);
    expect(await tail(3)).toEqual(['o:b\n', 'n:cut', 'o:c\nd\n']);
    expect(await tail(99)).toEqual(['o:a\nb\n', 'n:cut', 'o:c\nd\n']);
  });

  test('of a log of 16 MiB is all that is given, a line longer than a record too', async () => {
    const part = logRecord(1, STDOUT, Buffer.from(`${'x'.repeat(99)}\n`.repeat(600)));
    for (let at = 0; at < 280; at++) appendFileSync(segmentFile(logs, 0), part);
    appendFileSync(segmentFile(logs, 0), logRecord(1, STDOUT, 'y'.repeat(65_536)));
    appendFileSync(segmentFile(logs, 0), logRecord(1, STDOUT, 'z\n'));
    const found = await collectRecords(reader.read(logRange(1), 'both', 2));
    expect(textOf(found, STDOUT)).toBe(`${'x'.repeat(99)}\n${'y'.repeat(65_536)}z\n`);
  });

  test('of a log that is followed comes first, then all that is added', async () => {
    writeFileSync(segmentFile(logs, 0), logRecord(1, STDOUT, 'a\nb\n'));
    writeFileSync(segmentFile(logs, 1), logRecord(1, STDOUT, 'c\nd\nhal'));
    const added = logRecord(1, STDOUT, 'f\ne\n');
    const size = logRecord(1, STDOUT, 'c\nd\nhal').length;
    let asked = 0;
    const ended = () => {
      if (asked++ > 0) return { toSegment: SEGMENT + 1, toOffset: size + added.length };
      appendFileSync(segmentFile(logs, 1), added);
      return undefined;
    };
    const never = new AbortController().signal;
    const found = await collectRecords(reader.follow(logRange(1), 'out', ended, never, 2));
    expect(showRecords(found)).toEqual(['o:d\n', 'o:hal', 'o:f\ne\n']);
  });
});

describe('a log of which less is there than was kept', () => {
  const out = logRecord(1, STDOUT, 'first');
  const err = logRecord(1, STDERR, 'second');
  const kept = { outBytes: 5, errBytes: 6 };
  const notesOf = async (toOffset: number, stream: 'out' | 'err' | 'both') => {
    const found = await collectRecords(reader.read(logRange(1, { toSegment: SEGMENT, toOffset, ...kept }), stream));
    return found.filter((one) => one.stream === NOTE).map(({ data }) => parseLogNote(data));
  };

  test('says how many bytes are missing, of the streams that are read', async () => {
    writeFileSync(segmentFile(logs, 0), out);
    const toOffset = out.length + err.length;
    const text = 'log incomplete: 6 bytes are missing; 7-3-1.seg, byte 37: the file ends, 38 bytes early';
    expect(await notesOf(toOffset, 'both')).toEqual([{ stdoutBytes: 0, stderrBytes: 6, text }]);
    expect(await notesOf(toOffset, 'err')).toEqual([{ stdoutBytes: 0, stderrBytes: 6, text }]);
    // Whoever reads the other stream is told that the file ends, though all of that stream may be there.
    expect(await notesOf(toOffset, 'out')).toMatchObject([{ stdoutBytes: 0, stderrBytes: 0 }]);
    appendFileSync(segmentFile(logs, 0), err);
    expect(await notesOf(toOffset, 'both')).toEqual([]);
  });

  test('says so when it is all missing, and when its end is there without its records', async () => {
    expect(await notesOf(75, 'both')).toMatchObject([
      { stdoutBytes: 5, stderrBytes: 6, text: expect.stringContaining('11 bytes are missing; 7-3-1.seg: the file') },
    ]);
    writeFileSync(segmentFile(logs, 0), logRecord(2, STDOUT, 'of another'));
    const text = 'log incomplete: 11 bytes are missing';
    expect(await notesOf(logRecord(2, STDOUT, 'of another').length, 'both')).toMatchObject([{ text }]);
  });

  test('that is followed says so at its end', async () => {
    writeFileSync(segmentFile(logs, 0), out);
    const end = { toSegment: SEGMENT, toOffset: out.length + err.length, ...kept };
    const never = new AbortController().signal;
    expect(showRecords(await collectRecords(reader.follow(logRange(1), 'both', () => end, never)))).toEqual([
      'o:first',
      'n:log incomplete: 6 bytes are missing; 7-3-1.seg, byte 37: the file ends, 38 bytes early',
    ]);
  });
});
