import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  encodeLogHeader,
  encodeLogNote,
  LOG_HEADER_BYTES,
  LogFlag,
  type LogRecord,
  LogStream,
  parseLogNote,
  parseLogRecords,
} from '../../core/log-record.ts';
import type { LogRange, LogReader } from '../log-reader.ts';
import { openSegments } from './segments.ts';

const LIFE = 3;
const SEGMENT = LIFE * 65_536 + 1;
const { STDOUT, STDERR, NOTE } = LogStream;

let logs: string;
let reader: LogReader;

beforeEach(() => {
  logs = mkdtempSync(join(tmpdir(), 'spawn-logs-'));
  mkdirSync(join(logs, '12'));
  reader = openSegments(logs, { pollMs: { first: 1, most: 4 } });
});
afterEach(() => rmSync(logs, { recursive: true }));

/** The file of segment `SEGMENT + at`. */
function file(at: number): string {
  return join(logs, '12', `7-${LIFE}-${at + 1}.seg`);
}

function record(fence: number, stream: LogStream, data: Uint8Array | string): Buffer {
  const bytes = Buffer.from(data as string);
  const header = new Uint8Array(LOG_HEADER_BYTES);
  encodeLogHeader({ stream, flags: 0, length: bytes.length, fence, position: fence, attempt: 2, timeMs: 5 }, header);
  return Buffer.concat([header, bytes]);
}

function range(fence: number, parts: Partial<LogRange> = {}): LogRange {
  return { jobId: 12, sessionId: 7, fence, fromSegment: SEGMENT, fromOffset: 0, ...parts };
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const chunk of chunks) {
    const parsed = parseLogRecords(chunk);
    expect(parsed.rest).toBe('none');
    expect(chunk.length).toBeGreaterThan(0);
    records.push(...parsed.records);
  }
  return records;
}

/** `o:` stdout, `e:` stderr, `n:` a note's text. */
function show(records: readonly LogRecord[]): string[] {
  return records.map(({ stream, data }) =>
    stream === NOTE ? `n:${parseLogNote(data)!.text}` : `${stream === STDOUT ? 'o' : 'e'}:${Buffer.from(data)}`,
  );
}

describe('reading', () => {
  test('gives the records of one attempt among those of others, in order', async () => {
    const others = record(2, STDOUT, 'other');
    const parts = [
      record(1, STDOUT, 'a'),
      others,
      record(1, STDERR, 'b'),
      record(1, STDOUT, ''),
      others,
      record(1, STDOUT, 'c'),
    ];
    writeFileSync(file(0), Buffer.concat(parts));
    expect(show(await collect(reader.read(range(1), 'both')))).toEqual(['o:a', 'e:b', 'o:', 'o:c']);
    expect(show(await collect(reader.read(range(1), 'out')))).toEqual(['o:a', 'o:', 'o:c']);
    expect(show(await collect(reader.read(range(1), 'err')))).toEqual(['e:b']);
    expect(show(await collect(reader.read(range(2), 'both')))).toEqual(['o:other', 'o:other']);
    expect(await collect(reader.read(range(3), 'both'))).toEqual([]);
  });

  test('begins and ends where the range says', async () => {
    const [first, second, third] = [record(1, STDOUT, 'one'), record(1, STDOUT, 'two'), record(1, STDOUT, 'three')];
    writeFileSync(file(0), Buffer.concat([first, second]));
    writeFileSync(file(1), Buffer.concat([third, first]));
    const from = { fromOffset: first.length };
    const to = { toSegment: SEGMENT + 1, toOffset: third.length };
    expect(show(await collect(reader.read(range(1, { ...from, ...to }), 'both')))).toEqual(['o:two', 'o:three']);
    expect(show(await collect(reader.read(range(1, { toSegment: SEGMENT, toOffset: first.length }), 'both')))).toEqual([
      'o:one',
    ]);
    expect(await collect(reader.read(range(1, { toSegment: SEGMENT, toOffset: 0 }), 'both'))).toEqual([]);
  });

  test('an attempt without a log has nothing to read', async () => {
    const none = { fromSegment: LIFE * 65_536, toSegment: LIFE * 65_536, toOffset: 0 };
    expect(await collect(reader.read(range(1, none), 'both'))).toEqual([]);
    expect(await collect(reader.read(range(1, { fromSegment: 0 }), 'both'))).toEqual([]);
  });

  test('a stream gets the notes that are about it', async () => {
    const note = (stdoutBytes: number, stderrBytes: number, text: string) =>
      record(1, NOTE, encodeLogNote({ stdoutBytes, stderrBytes, text }));
    writeFileSync(
      file(0),
      Buffer.concat([note(9, 0, 'out cut'), note(0, 9, 'err cut'), note(1, 1, 'both'), note(0, 0, 'x')]),
    );
    expect(show(await collect(reader.read(range(1), 'out')))).toEqual(['n:out cut', 'n:both', 'n:x']);
    expect(show(await collect(reader.read(range(1), 'err')))).toEqual(['n:err cut', 'n:both', 'n:x']);
    expect(await collect(reader.read(range(1), 'both'))).toHaveLength(4);
  });

  test('logs larger than what is read at a time, in records of the largest size', async () => {
    const big = Buffer.alloc(64 * 1024, 'x');
    const records = Array.from({ length: 40 }, (_, at) => record(at % 3 === 0 ? 1 : 2, STDOUT, big));
    writeFileSync(file(0), Buffer.concat(records.slice(0, 25)));
    writeFileSync(file(1), Buffer.concat(records.slice(25)));
    const found = await collect(reader.read(range(1), 'out'));
    expect(found.map(({ data }) => data.length)).toEqual(Array(14).fill(big.length));
    expect(found.every(({ data }) => big.equals(data))).toBe(true);
  });

  test('any mix of attempts over any segments is taken apart again', async () => {
    const anyRecord = fc.record({
      fence: fc.integer({ min: 1, max: 3 }),
      stream: fc.constantFrom(STDOUT, STDERR),
      data: fc.uint8Array({ maxLength: 300 }),
      rolls: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(anyRecord, { minLength: 1, maxLength: 40 }), async (all) => {
        const segments: Buffer[][] = [[]];
        for (const { fence, stream, data, rolls } of all) {
          if (rolls && segments.at(-1)!.length > 0) segments.push([]);
          segments.at(-1)!.push(record(fence, stream, data));
        }
        for (const [at, parts] of segments.entries()) writeFileSync(file(at), Buffer.concat(parts));
        const toSegment = SEGMENT + segments.length - 1;
        const toOffset = Buffer.concat(segments.at(-1)!).length;
        for (const fence of [1, 2, 3]) {
          for (const end of [{}, { toSegment, toOffset }]) {
            const found = await collect(reader.read(range(fence, end), 'both'));
            const wanted = all.filter((one) => one.fence === fence);
            expect(found.map(({ stream, data }) => [stream, [...data]])).toEqual(
              wanted.map(({ stream, data }) => [stream, [...data]]),
            );
          }
        }
        for (const name of readdirSync(join(logs, '12'))) rmSync(join(logs, '12', name));
      }),
      { numRuns: 40 },
    );
  });
});

describe('what is missing', () => {
  const whole = record(1, STDOUT, 'whole');
  const torn = record(1, STDOUT, 'torn apart').subarray(0, 35);

  test('a record without its end is nothing yet while the attempt runs, a gap of known size when it has ended', async () => {
    writeFileSync(file(0), Buffer.concat([whole, torn]));
    expect(show(await collect(reader.read(range(1), 'both')))).toEqual(['o:whole']);
    const toOffset = whole.length + LOG_HEADER_BYTES + 10;
    const found = await collect(reader.read(range(1, { toSegment: SEGMENT, toOffset }), 'out'));
    expect(show(found)).toEqual([
      'o:whole',
      `n:log incomplete: 7-3-1.seg, byte ${whole.length}: the last whole record ends, 42 bytes early`,
    ]);
    expect(found[1]).toMatchObject({ flags: LogFlag.LOST, fence: 1, position: 1, attempt: 2 });
  });

  test('a segment cut at the end of a record', async () => {
    writeFileSync(file(0), whole);
    const found = await collect(reader.read(range(1, { toSegment: SEGMENT, toOffset: whole.length + 100 }), 'both'));
    expect(show(found)).toEqual(['o:whole', 'n:log incomplete: 7-3-1.seg, byte 37: the file ends, 100 bytes early']);
  });

  test('bytes that are no record: the attempt goes on in the next segment, if there is one', async () => {
    writeFileSync(file(0), Buffer.concat([whole, Buffer.alloc(100)]));
    expect(show(await collect(reader.read(range(1), 'both')))).toEqual(['o:whole']);
    const ended = range(1, { toSegment: SEGMENT, toOffset: whole.length + 100 });
    expect(show(await collect(reader.read(ended, 'both')))).toEqual([
      'o:whole',
      'n:log incomplete: 7-3-1.seg, byte 37: no log record',
    ]);
    writeFileSync(file(1), record(1, STDOUT, 'next'));
    expect(show(await collect(reader.read(range(1), 'both')))).toEqual([
      'o:whole',
      'n:log incomplete: 7-3-1.seg, byte 37: no log record',
      'o:next',
    ]);
  });

  test('a torn record at the end of a segment that is followed by another', async () => {
    writeFileSync(file(0), Buffer.concat([whole, torn]));
    writeFileSync(file(1), record(1, STDOUT, 'next'));
    expect(show(await collect(reader.read(range(1), 'both')))).toEqual([
      'o:whole',
      'n:log incomplete: 7-3-1.seg, byte 37: the last whole record ends',
      'o:next',
    ]);
  });

  test('segments that are gone: all, or one in the middle', async () => {
    const ended = range(1, { toSegment: SEGMENT + 2, toOffset: whole.length });
    expect(show(await collect(reader.read(ended, 'both')))).toEqual([
      'n:log incomplete: 7-3-1.seg: the file is missing',
    ]);
    writeFileSync(file(0), whole);
    writeFileSync(file(2), whole);
    expect(show(await collect(reader.read(ended, 'both')))).toEqual([
      'o:whole',
      'n:log incomplete: 7-3-1.seg, byte 37: the file ends',
    ]);
    writeFileSync(file(1), '');
    expect(show(await collect(reader.read(ended, 'both')))).toEqual(['o:whole', 'o:whole']);
    rmSync(file(0));
    expect(show(await collect(reader.read(ended, 'both')))).toEqual([
      'n:log incomplete: 7-3-1.seg: the file is missing',
      'o:whole',
    ]);
  });

  test('a link in place of a segment is not followed', async () => {
    writeFileSync(join(logs, 'secret'), whole);
    symlinkSync(join(logs, 'secret'), file(0));
    const ended = range(1, { toSegment: SEGMENT, toOffset: whole.length });
    expect(show(await collect(reader.read(ended, 'both')))).toEqual(['n:log incomplete: 7-3-1.seg: ELOOP']);
  });
});

describe('following', () => {
  const endless = new AbortController().signal;

  test('any log, written in any pieces, comes out as it was written', async () => {
    const pieces = fc.array(
      fc.record({ data: fc.uint8Array({ maxLength: 80 }), rolls: fc.boolean(), cut: fc.nat(100) }),
      {
        minLength: 1,
        maxLength: 12,
      },
    );
    await fc.assert(
      fc.asyncProperty(pieces, async (all) => {
        // Each time the reader finds nothing new, the next half of a record is written.
        const writes: (() => void)[] = [];
        let at = 0;
        let size = 0;
        for (const { data, rolls, cut } of all) {
          if (rolls && size > 0) {
            at += 1;
            size = 0;
          }
          const bytes = record(1, STDOUT, data);
          const path = file(at);
          const half = Math.min(cut, bytes.length);
          writes.push(
            () => appendFileSync(path, bytes.subarray(0, half)),
            () => appendFileSync(path, bytes.subarray(half)),
          );
          size += bytes.length;
        }
        const end = { toSegment: SEGMENT + at, toOffset: size };
        const ended = () => {
          const next = writes.shift();
          next?.();
          return next === undefined ? end : undefined;
        };
        const found = await collect(reader.follow(range(1), 'both', ended, endless));
        expect(found.map(({ data }) => [...data])).toEqual(all.map(({ data }) => [...data]));
        for (const name of readdirSync(join(logs, '12'))) rmSync(join(logs, '12', name));
      }),
      { numRuns: 25 },
    );
  });

  test('an attempt that was lost: what there is, and that its end is not known', async () => {
    writeFileSync(file(0), record(1, STDOUT, 'before'));
    const ended = () => {
      appendFileSync(file(0), record(1, STDOUT, 'late'));
      return 'lost' as const;
    };
    expect(show(await collect(reader.follow(range(1), 'both', ended, endless)))).toEqual([
      'o:before',
      'o:late',
      'n:log incomplete: the end of this attempt was not reported',
    ]);
  });

  test('stops when it is told to, in the middle of waiting', async () => {
    const abort = new AbortController();
    const slow = openSegments(logs, { pollMs: { first: 3_600_000, most: 3_600_000 } });
    const iterator = slow.follow(range(1), 'both', () => undefined, abort.signal)[Symbol.asyncIterator]();
    const next = iterator.next();
    abort.abort();
    expect(await next).toEqual({ done: true, value: undefined });
  });

  test('an end that is shorter than what was written by others', async () => {
    const own = record(1, STDOUT, 'own');
    writeFileSync(file(0), Buffer.concat([own, record(2, STDOUT, 'other')]));
    const ended = () => ({ toSegment: SEGMENT, toOffset: own.length });
    expect(show(await collect(reader.follow(range(1), 'both', ended, endless)))).toEqual(['o:own']);
  });

  test('a segment cut short after it was read', async () => {
    const own = record(1, STDOUT, 'own');
    writeFileSync(file(0), own);
    const ended = () => {
      truncateSync(file(0), 3);
      return { toSegment: SEGMENT, toOffset: own.length * 2 };
    };
    expect(show(await collect(reader.follow(range(1), 'both', ended, endless)))).toEqual([
      'o:own',
      'n:log incomplete: 7-3-1.seg, byte 35: the file ends, 35 bytes early',
    ]);
  });
});

test('removing a job removes its folder alone, and may be done twice', async () => {
  mkdirSync(join(logs, '13'));
  writeFileSync(file(0), 'x');
  await reader.remove(12);
  await reader.remove(12);
  await reader.remove(Number.NaN);
  await reader.remove(0);
  expect(readdirSync(logs)).toEqual(['13']);
});
