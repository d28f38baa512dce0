import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LogStream } from '../../../core/log-record.ts';
import { type OutputStream, TailRing } from './tail-ring.ts';

interface Put {
  readonly stream: OutputStream;
  readonly timeMs: number;
  readonly bytes: Uint8Array;
}

const puts = fc.array(
  fc.record({
    stream: fc.constantFrom(LogStream.STDOUT, LogStream.STDERR),
    timeMs: fc.nat(1000),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }),
  }),
  { maxLength: 40 },
);

/** Every byte with its stream, oldest first. */
function marked(list: readonly { stream: OutputStream; bytes: Uint8Array }[]): string[] {
  return list.flatMap(({ stream, bytes }) => [...bytes].map((byte) => `${stream}:${byte}`));
}

test('it keeps exactly the last bytes, with their streams, and counts the others', () => {
  fc.assert(
    fc.property(puts, fc.nat(2000), (list: readonly Put[], cap) => {
      const ring = new TailRing(cap);
      for (const { stream, timeMs, bytes } of list) ring.put(stream, timeMs, Buffer.from(bytes));
      const all = marked(list);
      const cut = Math.max(0, all.length - cap);
      const countOf = (stream: OutputStream) =>
        all.slice(0, cut).filter((byte) => byte.startsWith(`${stream}:`)).length;
      expect(ring.dropped).toEqual({
        [LogStream.STDOUT]: countOf(LogStream.STDOUT),
        [LogStream.STDERR]: countOf(LogStream.STDERR),
      });
      const taken = ring.take().map(({ stream, data }) => ({ stream, bytes: data }));
      expect(marked(taken)).toEqual(all.slice(cut));
      expect(ring.take()).toEqual([]);
    }),
  );
});

test('alternating single bytes do not take more entries than the cap allows', () => {
  const ring = new TailRing(12_800);
  for (let i = 0; i < 20_000; i++) ring.put(i % 2 === 0 ? LogStream.STDOUT : LogStream.STDERR, i, Buffer.of(i));
  const taken = ring.take();
  expect(taken.length).toBe(164);
  expect(ring.dropped[LogStream.STDOUT] + ring.dropped[LogStream.STDERR] + taken.length).toBe(20_000);
  expect(taken.at(-1)!.data[0]).toBe(19_999 % 256);
});
