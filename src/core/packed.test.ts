import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PackedReader, PackedWriter } from './packed.ts';

const value = fc.oneof(
  fc.nat(300),
  fc.maxSafeNat(),
  fc.constantFrom(127, 128, 16_383, 16_384, Number.MAX_SAFE_INTEGER),
);

describe('packed numbers', () => {
  it('are read back in order, however many and however large', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 400 }), (values) => {
        const writer = new PackedWriter();
        for (const each of values) writer.number(each);
        const bytes = writer.bytes();
        expect(writer.length).toBe(bytes.length);
        const reader = new PackedReader(bytes);
        expect(values.map(() => reader.number())).toEqual(values);
        expect(reader.done).toBe(true);
      }),
    );
  });

  it('take 7 bits a byte', () => {
    const lengths = [0, 127, 128, 16_383, 16_384, 2 ** 35, Number.MAX_SAFE_INTEGER].map((each) => {
      const writer = new PackedWriter();
      writer.number(each);
      return writer.length;
    });
    expect(lengths).toEqual([1, 1, 2, 2, 3, 6, 8]);
  });

  it('end in an error when the bytes end in the middle of one', () => {
    const writer = new PackedWriter();
    writer.number(300);
    const reader = new PackedReader(writer.bytes().slice(0, 1));
    expect(() => reader.number()).toThrow('packed bytes end in the middle of a number');
    expect(() => new PackedReader(new Uint8Array()).number()).toThrow(RangeError);
  });
});

describe('packed runs', () => {
  it('fill the same stretch of a column, and nothing beside it', () => {
    const column = fc.array(fc.oneof(fc.constantFrom(0, 1), fc.nat(60_000)), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(column, fc.nat(), fc.nat(), (values, a, b) => {
        const from = a % values.length;
        const count = b % (values.length - from + 1);
        const writer = new PackedWriter();
        writer.runs(values, from, count);
        const reader = new PackedReader(writer.bytes());
        const target = new Uint16Array(values.length).fill(65_535);
        reader.runs(target, from, count);
        expect(reader.done).toBe(true);
        const expected = values.map((each, at) => (at >= from && at < from + count ? each : 65_535));
        expect([...target]).toEqual(expected);
      }),
    );
  });

  it('cost the same for one entry as for a million', () => {
    const writer = new PackedWriter();
    writer.runs(new Uint8Array(1_000_000), 0, 1_000_000);
    expect(writer.length).toBe(4);
  });

  it.each([
    ['longer than its column', [7, 5]],
    ['of no entries', [7, 0]],
  ])('refuse a run %s', (_, numbers) => {
    const writer = new PackedWriter();
    for (const each of numbers) writer.number(each);
    const reader = new PackedReader(writer.bytes());
    expect(() => reader.runs(new Uint8Array(8), 0, 4)).toThrow('packed run leaves its column');
  });
});
