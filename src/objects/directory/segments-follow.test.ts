import { appendFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
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
import { LogStream } from '../../core/log-record.ts';
import type { LogReader } from '../log-reader.ts';
import { openSegments } from './segments.ts';

const { STDOUT } = LogStream;

let logs: string;
let reader: LogReader;

beforeEach(() => {
  ({ logs, reader } = openLogs());
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
          const bytes = logRecord(1, STDOUT, data);
          const path = segmentFile(logs, at);
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
        const found = await collectRecords(reader.follow(logRange(1), 'both', ended, endless));
        expect(found.map(({ data }) => [...data])).toEqual(all.map(({ data }) => [...data]));
        for (const name of readdirSync(join(logs, '12'))) rmSync(join(logs, '12', name));
      }),
      { numRuns: 25 },
    );
  });

  test('an attempt that was lost: what there is, and that its end is not known', async () => {
    writeFileSync(segmentFile(logs, 0), logRecord(1, STDOUT, 'before'));
    const ended = () => {
      appendFileSync(segmentFile(logs, 0), logRecord(1, STDOUT, 'late'));
      return 'lost' as const;
    };
    expect(showRecords(await collectRecords(reader.follow(logRange(1), 'both', ended, endless)))).toEqual([
      'o:before',
      'o:late',
      'n:log incomplete: the end of this attempt was not reported',
    ]);
  });

  test('stops when it is told to, in the middle of waiting', async () => {
    const abort = new AbortController();
    const slow = openSegments(logs, { pollMs: { first: 3_600_000, most: 3_600_000 } });
    const iterator = slow.follow(logRange(1), 'both', () => undefined, abort.signal)[Symbol.asyncIterator]();
    const next = iterator.next();
    abort.abort();
    expect(await next).toEqual({ done: true, value: undefined });
  });

  test('an end that is shorter than what was written by others', async () => {
    const own = logRecord(1, STDOUT, 'own');
    writeFileSync(segmentFile(logs, 0), Buffer.concat([own, logRecord(2, STDOUT, 'other')]));
    const ended = () => ({ toSegment: SEGMENT, toOffset: own.length });
    expect(showRecords(await collectRecords(reader.follow(logRange(1), 'both', ended, endless)))).toEqual(['o:own']);
  });

  test('a segment cut short after it was read', async () => {
    const own = logRecord(1, STDOUT, 'own');
    writeFileSync(segmentFile(logs, 0), own);
    const ended = () => {
      truncateSync(segmentFile(logs, 0), 3);
      return { toSegment: SEGMENT, toOffset: own.length * 2 };
    };
    expect(showRecords(await collectRecords(reader.follow(logRange(1), 'both', ended, endless)))).toEqual([
      'o:own',
      'n:log incomplete: 7-3-1.seg, byte 35: the file ends, 35 bytes early',
    ]);
  });
});
