import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameCutter, FrameType, frame, jsonFrame, jsonOf, MOST_RUN_BYTES, outputFrames } from './step-wire.ts';

test('frames come out as they went in, however they are cut', () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 });
  fc.assert(
    fc.property(chunks, fc.integer({ min: 1, max: 40 }), (datas, size) => {
      const bytes = Buffer.concat(datas.map((data) => frame(FrameType.input, data)));
      const cutter = new FrameCutter();
      const out: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        for (const { data } of cutter.add(bytes.subarray(at, at + size))) out.push(Buffer.from(data));
      }
      expect(out).toEqual(datas.map((data) => Buffer.from(data)));
    }),
  );
});

test('long output is cut into frames that are allowed', () => {
  const cutter = new FrameCutter();
  const frames = cutter.add(outputFrames(7, 2, new Uint8Array(200_000)));
  expect(frames.map(({ type }) => type)).toEqual([FrameType.err, FrameType.err, FrameType.err, FrameType.err]);
  expect(frames.reduce((sum, { data }) => sum + data.length - 4, 0)).toBe(200_000);
});

test('JSON', () => {
  const [each] = new FrameCutter().add(jsonFrame(FrameType.end, { rank: 3, code: 0 }));
  expect(jsonOf(each!)).toEqual({ rank: 3, code: 0 });
});

test.each([
  ['an unknown type', Buffer.from([99, 0, 0, 0, 0]), /unknown type 99/],
  ['a huge frame', Buffer.from([FrameType.input, 0xff, 0xff, 0xff, 0xff]), /4294967295 bytes/],
  ['a huge step', frame(FrameType.run, new Uint8Array(MOST_RUN_BYTES + 1)).subarray(0, 5), /8388609 bytes/],
])('%s is refused before its data comes', (_, bytes, message) => {
  expect(() => new FrameCutter().add(bytes)).toThrow(message);
});
