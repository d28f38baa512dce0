import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSegmentCopies } from './segment-copies.ts';

const ID = { jobId: 12, sessionId: 7, segment: 65_536 * 2 + 3 };
let logs: string;

beforeEach(() => {
  logs = mkdtempSync(join(tmpdir(), 'spawn-copies-'));
});
afterEach(() => rmSync(logs, { recursive: true, force: true }));

const file = () => join(logs, '12', '7-2-3.seg');
const bytes = (text: string) => new TextEncoder().encode(text);

test('lies where the reader looks for it, for its user alone', async () => {
  expect(await openSegmentCopies(logs).append(ID, 0, bytes('abc'))).toBe(3);
  expect(readFileSync(file(), 'utf8')).toBe('abc');
  expect((await stat(file())).mode & 0o777).toBe(0o600);
});

test('is the segment, in whatever order, however often and however overlapping the pieces come', async () => {
  const pieces = fc.array(fc.tuple(fc.nat(40), fc.nat(20)), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 50 }), pieces, async (whole, some) => {
      rmSync(join(logs, '12'), { recursive: true, force: true });
      const copies = openSegmentCopies(logs);
      const sizes = await Promise.all(
        some.map(([from, count]) => copies.append(ID, from, whole.subarray(from, from + count))),
      );
      let size = await copies.append(ID, 0, new Uint8Array());
      expect(Math.max(0, ...sizes)).toBe(size);
      expect(readFileSync(file())).toEqual(Buffer.from(whole.subarray(0, size)));
      // As a shipper does: from where the copy ends.
      while (size < whole.length) size = await copies.append(ID, size, whole.subarray(size, size + 7));
      expect(readFileSync(file())).toEqual(Buffer.from(whole));
    }),
    { numRuns: 60 },
  );
});

test('leaves no gap', async () => {
  const copies = openSegmentCopies(logs);
  await copies.append(ID, 0, bytes('abc'));
  expect(await copies.append(ID, 4, bytes('e'))).toBe(3);
  expect(readFileSync(file(), 'utf8')).toBe('abc');
});

test('does not follow a link that a task has put there', async () => {
  const victim = join(logs, 'victim');
  writeFileSync(victim, 'mine');
  await mkdir(join(logs, '12'));
  symlinkSync(victim, file());
  await expect(openSegmentCopies(logs).append(ID, 0, bytes('theirs'))).rejects.toMatchObject({ code: 'STORE_FAILED' });
  expect(readFileSync(victim, 'utf8')).toBe('mine');
});

test('is not made longer than any segment is', () => {
  expect(() => openSegmentCopies(logs).append(ID, 2 ** 30, bytes('a'))).toThrow('query.offset: expected an end within');
});

test('tells who waits when it is long enough, and lets go who does not wait any more', async () => {
  const copies = openSegmentCopies(logs);
  const never = new AbortController().signal;
  const seen: string[] = [];
  const short = copies.reach(ID, 3, never).then(() => seen.push('3'));
  const long = copies.reach(ID, 5, never).then(() => seen.push('5'));
  const patience = new AbortController();
  const given = copies.reach(ID, 99, patience.signal).then(() => seen.push('99'));
  await copies.append(ID, 0, bytes('abc'));
  await short;
  expect(seen).toEqual(['3']);
  await copies.append(ID, 3, bytes('de'));
  await long;
  await copies.reach(ID, 5, never);
  expect(seen).toEqual(['3', '5']);
  patience.abort();
  await given;
  expect(seen).toEqual(['3', '5', '99']);
});
