import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeLogHeader,
  encodeLogHeader,
  encodeLogNote,
  LOG_HEADER_BYTES,
  type LogHeader,
  LogStream,
  MAX_LOG_DATA_BYTES,
  parseLogNote,
  parseLogRecords,
  segmentFileName,
} from './log-record.ts';

const headers: fc.Arbitrary<LogHeader> = fc.record({
  stream: fc.constantFrom(...Object.values(LogStream)),
  flags: fc.integer({ min: 0, max: 255 }),
  length: fc.integer({ min: 0, max: 50 }),
  fence: fc.maxSafeNat(),
  position: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  attempt: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  timeMs: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
});

const record = (header: LogHeader, fill = header.length): Uint8Array => {
  const bytes = new Uint8Array(LOG_HEADER_BYTES + header.length).fill(fill);
  encodeLogHeader(header, bytes);
  return bytes;
};
const join = (parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));
const EXAMPLE: LogHeader = {
  stream: LogStream.STDERR,
  flags: 0,
  length: 3,
  fence: 7,
  position: 1,
  attempt: 2,
  timeMs: 4,
};

describe('header', () => {
  test('comes back as it was written, at any place', () => {
    fc.assert(
      fc.property(headers, fc.integer({ min: 0, max: 9 }), (header, offset) => {
        const bytes = new Uint8Array(offset + LOG_HEADER_BYTES);
        encodeLogHeader(header, bytes, offset);
        expect(decodeLogHeader(bytes, offset)).toEqual(header);
      }),
    );
  });

  test('has this layout', () => {
    const header: LogHeader = { ...EXAMPLE, length: 0x1234, fence: 2 ** 40 + 5, timeMs: 2 ** 32 + 6 };
    const bytes = new Uint8Array(LOG_HEADER_BYTES);
    encodeLogHeader(header, bytes);
    const view = new DataView(bytes.buffer);
    expect([...bytes.subarray(0, 4)]).toEqual([0x53, 0x50, 2, 0]);
    expect(view.getUint32(4, true)).toBe(0x1234);
    expect([view.getUint32(8, true), view.getUint32(12, true)]).toEqual([5, 256]);
    expect([view.getUint32(16, true), view.getUint32(20, true)]).toEqual([1, 2]);
    expect([view.getUint32(24, true), view.getUint16(28, true)]).toEqual([6, 1]);
  });

  test('is not seen in other bytes', () => {
    const bytes = record(EXAMPLE);
    expect(decodeLogHeader(bytes.subarray(0, LOG_HEADER_BYTES - 1))).toBeNull();
    expect(decodeLogHeader(new Uint8Array(LOG_HEADER_BYTES))).toBeNull();
    for (let at = 0; at < LOG_HEADER_BYTES; at++) {
      const damaged = Uint8Array.from(bytes);
      damaged[at]! ^= 1;
      expect(decodeLogHeader(damaged), `byte ${at}`).toBeNull();
    }
  });

  test('with a length or a stream that no forker writes is refused', () => {
    for (const wrong of [{ length: MAX_LOG_DATA_BYTES + 1 }, { stream: 0 }, { stream: 5 }]) {
      const bytes = new Uint8Array(LOG_HEADER_BYTES);
      encodeLogHeader({ ...EXAMPLE, ...wrong } as LogHeader, bytes);
      expect(decodeLogHeader(bytes)).toBeNull();
    }
  });
});

describe('records', () => {
  test('are all found, however many', () => {
    fc.assert(
      fc.property(fc.array(headers, { maxLength: 20 }), (list) => {
        const bytes = join(list.map((header) => record(header)));
        const parsed = parseLogRecords(bytes);
        const logs = list.filter(({ stream }) => stream !== LogStream.RESULT);
        expect(parsed.records.map(({ data, offset, ...header }) => header)).toEqual(logs);
        for (const { data, length } of parsed.records) expect([...data]).toEqual(Array(length).fill(length));
        expect(parsed).toMatchObject({ consumed: bytes.length, rest: 'none' });
      }),
    );
  });

  test('of one attempt only', () => {
    const bytes = join([1, 2, 1].map((fence) => record({ ...EXAMPLE, fence })));
    const parsed = parseLogRecords(bytes, 1);
    expect(parsed.records.map(({ fence, offset }) => [fence, offset])).toEqual([
      [1, 0],
      [1, 70],
    ]);
    expect(parsed.consumed).toBe(bytes.length);
  });

  test('cut anywhere, whole ones are given and the rest waits', () => {
    const bytes = join([record(EXAMPLE), record(EXAMPLE)]);
    for (let end = 0; end <= bytes.length; end++) {
      const whole = Math.floor(end / 35);
      const parsed = parseLogRecords(bytes.subarray(0, end));
      expect(parsed.records).toHaveLength(whole);
      expect(parsed.consumed).toBe(whole * 35);
      expect(parsed.rest).toBe(end % 35 === 0 ? 'none' : 'partial');
    }
  });

  test('end where something else begins', () => {
    const bytes = join([record(EXAMPLE), new Uint8Array(40)]);
    expect(parseLogRecords(bytes)).toMatchObject({ consumed: 35, rest: 'corrupt', records: [{ fence: 7 }] });
  });
});

test('a note comes back as it was written', () => {
  const note = { stdoutBytes: 2 ** 40, stderrBytes: 3, text: '… 5 bytes cut here …\n' };
  expect(parseLogNote(encodeLogNote(note))).toEqual(note);
  expect(parseLogNote(new Uint8Array(15))).toBeNull();
});

test('the name of a segment', () => {
  expect(segmentFileName('12-0', 3)).toBe('12-0-3.seg');
});
