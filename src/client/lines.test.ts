import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readLines } from './lines.ts';
import { readNdjson } from './ndjson.ts';
import { readEvents } from './server-sent-events.ts';

/** The bytes of a text in chunks that end at the given places, also inside characters. */
async function* cut(text: string, places: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let from = 0;
  for (const place of places.map((at) => at % (bytes.length + 1)).toSorted((a, b) => a - b)) {
    yield bytes.subarray(from, place);
    from = place;
  }
  yield bytes.subarray(from);
}

const places = fc.array(fc.nat(), { maxLength: 8 });
const line = fc.string({ unit: 'binary' }).filter((text) => !/[\r\n]/.test(text));

test('lines are the same however the bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.constantFrom('\n', '\r\n'), places, async (lines, end, at) => {
      const text = lines.map((each) => each + end).join('');
      expect(await Array.fromAsync(readLines(cut(text, at)))).toEqual(lines);
    }),
  );
});

test('what the stream broke off is no line', async () => {
  expect(await Array.fromAsync(readLines(cut('one\ntw', [2])))).toEqual(['one']);
});

test.each([[[]], [[3, 6]], [[9]]])('a line longer than the bound is refused, cut at %j', async (at) => {
  expect(await Array.fromAsync(readLines(cut('12345678\n', at), 8))).toEqual(['12345678']);
  await expect(Array.fromAsync(readLines(cut('123456789\n', at), 8))).rejects.toThrow(RangeError);
  await expect(Array.fromAsync(readLines(cut('123456789', at), 8))).rejects.toThrow('more than 8 bytes');
});

test('a BOM inside a line is kept', async () => {
  expect(await Array.fromAsync(readLines(cut('a\ufeffb\n', [2])))).toEqual(['a\ufeffb']);
});

test('NDJSON values come one a line, in order', async () => {
  const values = fc.array(fc.jsonValue(), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(values, places, async (all, at) => {
      const text = all.map((value) => `${JSON.stringify(value)}\n\n`).join('');
      const read = await Array.fromAsync(readNdjson(cut(text, at)));
      expect(JSON.stringify(read)).toBe(JSON.stringify(all));
    }),
  );
  await expect(Array.fromAsync(readNdjson(cut('{"a":\n', [])))).rejects.toThrow(SyntaxError);
});

test('server-sent events are the same however the bytes are cut', async () => {
  const text = [': hello\n\n', 'event: job\ndata: {"é":1}\n\n', 'data:a\ndata: b\n\n', 'data\n\n', 'event: none\n\n'];
  const events = [
    { event: 'job', data: '{"é":1}' },
    { event: 'message', data: 'a\nb' },
    { event: 'message', data: '' },
  ];
  await fc.assert(
    fc.asyncProperty(places, async (at) => {
      expect(await Array.fromAsync(readEvents(cut(`${text.join('')}data: broken off\n`, at)))).toEqual(events);
    }),
  );
});

test('an event of many lines is bounded too', async () => {
  await expect(Array.fromAsync(readEvents(cut('data: 12\ndata: 34\n\n', []), 10))).rejects.toThrow(
    'more than 10 bytes',
  );
});
