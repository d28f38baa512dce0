import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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
import { encodeLogNote, LOG_HEADER_BYTES, LogFlag, LogStream } from '../../core/log-record.ts';
import type { LogReader } from '../log-reader.ts';

const { STDOUT, STDERR, NOTE } = LogStream;

let logs: string;
let reader: LogReader;

beforeEach(() => {
  ({ logs, reader } = openLogs());
});

describe('reading', () => {
  test('gives the records of one attempt among those of others, in order', async () => {
    const others = logRecord(2, STDOUT, 'other');
    const parts = [
      logRecord(1, STDOUT, 'a'),
      others,
      logRecord(1, STDERR, 'b'),
      logRecord(1, STDOUT, ''),
      others,
      logRecord(1, STDOUT, 'c'),
    ];
    writeFileSync(segmentFile(logs, 0), Buffer.concat(parts));
    expect(showRecords(await collectRecords(reader.read(logRange(1), 'both')))).toEqual(['o:a', 'e:b', 'o:', 'o:c']);
    expect(showRecords(await collectRecords(reader.read(logRange(1), 'out')))).toEqual(['o:a', 'o:', 'o:c']);
    expect(showRecords(await collectRecords(reader.read(logRange(1), 'err')))).toEqual(['e:b']);
    expect(showRecords(await collectRecords(reader.read(logRange(2), 'both')))).toEqual(['o:other', 'o:other']);
    expect(await collectRecords(reader.read(logRange(3), 'both'))).toEqual([]);
  });

  test('begins and ends where the range says', async () => {
    const [first, second, third] = [
      logRecord(1, STDOUT, 'one'),
      logRecord(1, STDOUT, 'two'),
      logRecord(1, STDOUT, 'three'),
    ];
    writeFileSync(segmentFile(logs, 0), Buffer.concat([first, second]));
    writeFileSync(segmentFile(logs, 1), Buffer.concat([third, first]));
    const from = { fromOffset: first.length };
    const to = { toSegment: SEGMENT + 1, toOffset: third.length };
    expect(showRecords(await collectRecords(reader.read(logRange(1, { ...from, ...to }), 'both')))).toEqual([
      'o:two',
      'o:three',
    ]);
    expect(
      showRecords(
        await collectRecords(reader.read(logRange(1, { toSegment: SEGMENT, toOffset: first.length }), 'both')),
      ),
    ).toEqual(['o:one']);
    expect(await collectRecords(reader.read(logRange(1, { toSegment: SEGMENT, toOffset: 0 }), 'both'))).toEqual([]);
  });

  test('an attempt without a log has nothing to read', async () => {
    const none = { fromSegment: SEGMENT - 1, toSegment: SEGMENT - 1, toOffset: 0 };
    expect(await collectRecords(reader.read(logRange(1, none), 'both'))).toEqual([]);
    expect(await collectRecords(reader.read(logRange(1, { fromSegment: 0 }), 'both'))).toEqual([]);
  });

  test('a stream gets the notes that are about it', async () => {
    const note = (stdoutBytes: number, stderrBytes: number, text: string) =>
      logRecord(1, NOTE, encodeLogNote({ stdoutBytes, stderrBytes, text }));
    writeFileSync(
      segmentFile(logs, 0),
      Buffer.concat([note(9, 0, 'out cut'), note(0, 9, 'err cut'), note(1, 1, 'both'), note(0, 0, 'x')]),
    );
    expect(showRecords(await collectRecords(reader.read(logRange(1), 'out')))).toEqual(['n:out cut', 'n:both', 'n:x']);
    expect(showRecords(await collectRecords(reader.read(logRange(1), 'err')))).toEqual(['n:err cut', 'n:both', 'n:x']);
    expect(await collectRecords(reader.read(logRange(1), 'both'))).toHaveLength(4);
  });

  test('logs larger than what is read at a time, in records of the largest size', async () => {
    const big = Buffer.alloc(64 * 1024, 'x');
    const records = Array.from({ length: 40 }, (_, at) => logRecord(at % 3 === 0 ? 1 : 2, STDOUT, big));
    writeFileSync(segmentFile(logs, 0), Buffer.concat(records.slice(0, 25)));
    writeFileSync(segmentFile(logs, 1), Buffer.concat(records.slice(25)));
    const found = await collectRecords(reader.read(logRange(1), 'out'));
    expect(found.map(({ data }) => data.length)).toEqual(Array(14).fill(big.length));
    expect(found.every(({ data }) => big.equals(data))).toBe(true);
  });

  test('an attempt that ended in a record which was torn when another was read beside it', async () => {
    const [first, second] = [logRecord(1, STDOUT, 'first'), logRecord(2, STDOUT, 'second')];
    const ended = (fence: number, fromOffset: number, toOffset: number) =>
      reader.read(logRange(fence, { fromOffset, toSegment: SEGMENT, toOffset }), 'both');
    writeFileSync(segmentFile(logs, 0), Buffer.concat([first, second.subarray(0, 34)]));
    expect(showRecords(await collectRecords(ended(1, 0, first.length)))).toEqual(['o:first']);
    // The forker cuts off what it could not write as a whole, and writes anew at that place.
    const again = logRecord(2, STDOUT, 'written anew');
    writeFileSync(segmentFile(logs, 0), Buffer.concat([first, again]));
    const end = first.length + again.length;
    expect(showRecords(await collectRecords(ended(2, first.length, end)))).toEqual(['o:written anew']);
    expect(showRecords(await collectRecords(ended(1, 0, end)))).toEqual(['o:first']);
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
          segments.at(-1)!.push(logRecord(fence, stream, data));
        }
        for (const [at, parts] of segments.entries()) writeFileSync(segmentFile(logs, at), Buffer.concat(parts));
        const toSegment = SEGMENT + segments.length - 1;
        const toOffset = Buffer.concat(segments.at(-1)!).length;
        for (const fence of [1, 2, 3]) {
          for (const end of [{}, { toSegment, toOffset }]) {
            const found = await collectRecords(reader.read(logRange(fence, end), 'both'));
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
  const whole = logRecord(1, STDOUT, 'whole');
  const torn = logRecord(1, STDOUT, 'torn apart').subarray(0, 35);

  test('a record without its end is nothing yet while the attempt runs, a gap of known size when it has ended', async () => {
    writeFileSync(segmentFile(logs, 0), Buffer.concat([whole, torn]));
    expect(showRecords(await collectRecords(reader.read(logRange(1), 'both')))).toEqual(['o:whole']);
    const toOffset = whole.length + LOG_HEADER_BYTES + 10;
    const found = await collectRecords(reader.read(logRange(1, { toSegment: SEGMENT, toOffset }), 'out'));
    expect(showRecords(found)).toEqual([
      'o:whole',
      `n:log incomplete: 7-3-1.seg, byte ${whole.length}: the last whole record ends, 42 bytes early`,
    ]);
    expect(found[1]).toMatchObject({ flags: LogFlag.LOST, fence: 1, position: 1, attempt: 2 });
  });

  test('a segment cut at the end of a record', async () => {
    writeFileSync(segmentFile(logs, 0), whole);
    const found = await collectRecords(
      reader.read(logRange(1, { toSegment: SEGMENT, toOffset: whole.length + 100 }), 'both'),
    );
    expect(showRecords(found)).toEqual([
      'o:whole',
      'n:log incomplete: 7-3-1.seg, byte 37: the file ends, 100 bytes early',
    ]);
  });

  test('bytes that are no record: the attempt goes on in the next segment, if there is one', async () => {
    writeFileSync(segmentFile(logs, 0), Buffer.concat([whole, Buffer.alloc(100)]));
    expect(showRecords(await collectRecords(reader.read(logRange(1), 'both')))).toEqual(['o:whole']);
    const ended = logRange(1, { toSegment: SEGMENT, toOffset: whole.length + 100 });
    expect(showRecords(await collectRecords(reader.read(ended, 'both')))).toEqual([
      'o:whole',
      'n:log incomplete: 7-3-1.seg, byte 37: no log record',
    ]);
    writeFileSync(segmentFile(logs, 1), logRecord(1, STDOUT, 'next'));
    expect(showRecords(await collectRecords(reader.read(logRange(1), 'both')))).toEqual([
      'o:whole',
      'n:log incomplete: 7-3-1.seg, byte 37: no log record',
      'o:next',
    ]);
  });

  test('a torn record at the end of a segment that is followed by another', async () => {
    writeFileSync(segmentFile(logs, 0), Buffer.concat([whole, torn]));
    writeFileSync(segmentFile(logs, 1), logRecord(1, STDOUT, 'next'));
    expect(showRecords(await collectRecords(reader.read(logRange(1), 'both')))).toEqual([
      'o:whole',
      'n:log incomplete: 7-3-1.seg, byte 37: the last whole record ends',
      'o:next',
    ]);
  });

  test('segments that are gone: all, or one in the middle', async () => {
    const ended = logRange(1, { toSegment: SEGMENT + 2, toOffset: whole.length });
    expect(showRecords(await collectRecords(reader.read(ended, 'both')))).toEqual([
      'n:log incomplete: 7-3-1.seg: the file is missing',
    ]);
    writeFileSync(segmentFile(logs, 0), whole);
    writeFileSync(segmentFile(logs, 2), whole);
    expect(showRecords(await collectRecords(reader.read(ended, 'both')))).toEqual([
      'o:whole',
      'n:log incomplete: 7-3-1.seg, byte 37: the file ends',
    ]);
    writeFileSync(segmentFile(logs, 1), '');
    expect(showRecords(await collectRecords(reader.read(ended, 'both')))).toEqual(['o:whole', 'o:whole']);
    rmSync(segmentFile(logs, 0));
    expect(showRecords(await collectRecords(reader.read(ended, 'both')))).toEqual([
      'n:log incomplete: 7-3-1.seg: the file is missing',
      'o:whole',
    ]);
  });

  test('a link in place of a segment is not followed', async () => {
    writeFileSync(join(logs, 'secret'), whole);
    symlinkSync(join(logs, 'secret'), segmentFile(logs, 0));
    const ended = logRange(1, { toSegment: SEGMENT, toOffset: whole.length });
    expect(showRecords(await collectRecords(reader.read(ended, 'both')))).toEqual([
      'n:log incomplete: 7-3-1.seg: ELOOP',
    ]);
  });
});

test('removing a job removes its folder alone, and may be done twice', async () => {
  mkdirSync(join(logs, '13'));
  writeFileSync(segmentFile(logs, 0), 'x');
  await reader.remove(12);
  await reader.remove(12);
  await reader.remove(Number.NaN);
  await reader.remove(0);
  expect(readdirSync(logs)).toEqual(['13']);
});
