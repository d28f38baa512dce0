import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logBytes, noteData, type WrittenRecord } from '../../../test/support/log-bytes.ts';
import { LogStream } from '../../core/log-record.ts';
import { LogMerger, LogRecords } from './merge-logs.ts';

function merged(records: readonly WrittenRecord[], indexOf = (position: number) => position): string {
  const reader = new LogRecords();
  const merger = new LogMerger(indexOf);
  const pieces = reader.add(logBytes(...records)).map((record) => merger.add(record).slice());
  return Buffer.concat([...pieces, merger.end()]).toString();
}

describe('LogRecords', () => {
  test('gives the same records however the bytes were cut', () => {
    const bytes = logBytes({ data: 'one\n' }, { position: 3, data: '' }, { position: 1, data: 'two and a half' });
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: bytes.length })), (places) => {
        const cuts = [0, ...places.toSorted((a, b) => a - b), bytes.length];
        const reader = new LogRecords();
        const texts = cuts
          .slice(1)
          .flatMap((end, i) =>
            reader.add(bytes.slice(cuts[i]!, end)).map(({ position, data }) => `${position}:${Buffer.from(data)}`),
          );
        expect(texts).toEqual(['0:one\n', '3:', '1:two and a half']);
      }),
    );
  });

  test('refuses what is no log', () => {
    expect(() => new LogRecords().add(new Uint8Array(64).fill(7))).toThrow('bytes that are no record');
  });
});

describe('LogMerger', () => {
  test('marks whole lines with their index and never mixes lines', () => {
    const text = merged(
      [
        { position: 0, data: 'a1 ' },
        { position: 1, data: 'b1\nb2 ' },
        { position: 0, data: 'end\na2' },
        { position: 0, stream: LogStream.STDERR, data: 'oh\n' },
        { position: 1, data: 'end\n' },
      ],
      (position) => position * 10,
    );
    expect(text).toBe('[10] b1\n[0] a1 end\n[0] oh\n[10] b2 end\n[0] a2\n');
  });

  test('keeps empty lines and bytes that are no text', () => {
    expect(merged([{ data: '\n\nx\n' }])).toBe('[0] \n[0] \n[0] x\n');
    const reader = new LogRecords();
    const [record] = reader.add(logBytes({ data: Uint8Array.of(0xff, 0, 10) }));
    expect([...new LogMerger(() => 0).add(record!)]).toEqual([...Buffer.from('[0] '), 0xff, 0, 10]);
  });

  test('says at its place what is missing', () => {
    const note = { stream: LogStream.NOTE, data: noteData('\n... 10 bytes cut here: the log is limited ...\n') };
    expect(merged([{ data: 'before\n' }, note, { data: 'after\n' }])).toBe(
      '[0] before\n[0] (10 bytes cut here: the log is limited)\n[0] after\n',
    );
  });

  test('shows a line without end in pieces, so that it is never all in memory', () => {
    const piece = 'x'.repeat(60_000);
    const text = merged([{ data: piece }, { data: piece }, { data: piece }]);
    const lines = text.trimEnd().split('\n');
    expect(lines.map((line) => line.length)).toEqual([120_004, 60_004]);
    expect(lines.every((line) => line.startsWith('[0] x'))).toBe(true);
  });

  test('holds back a bounded number of begun lines', () => {
    const text = merged(Array.from({ length: 10_005 }, (_, position) => ({ position, data: 'begun' })));
    const lines = text.trimEnd().split('\n');
    expect(lines).toHaveLength(10_005);
    expect(lines.slice(0, 2)).toEqual(['[0] begun', '[1] begun']);
  });

  test('loses and adds nothing: each stream of each task comes out as it went in', () => {
    const record = fc.record({
      position: fc.integer({ min: 0, max: 3 }),
      stream: fc.constantFrom(LogStream.STDOUT, LogStream.STDERR),
      data: fc.array(fc.constantFrom('a', 'b', '\n', ' '), { maxLength: 8 }).map((parts) => parts.join('')),
    });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 30 }), (records) => {
        const lines = merged(records).split('\n').slice(0, -1);
        for (const position of [0, 1, 2, 3]) {
          const went = [LogStream.STDOUT, LogStream.STDERR].flatMap((stream) => {
            const text = records
              .filter((r) => r.position === position && r.stream === stream)
              .map((r) => r.data)
              .join('');
            return text === '' ? [] : text.replace(/\n$/, '').split('\n');
          });
          const came = lines.filter((line) => line.startsWith(`[${position}] `)).map((line) => line.slice(4));
          expect(came.toSorted()).toEqual(went.toSorted());
        }
      }),
    );
  });
});
