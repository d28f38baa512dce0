import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { canMountSmallDisk, mountSmallDisk } from '../../../test/support/small-disk.ts';
import { until } from '../../../test/support/until.ts';
import { decodeLogHeader, LOG_HEADER_BYTES, LogStream, MAX_LOG_DATA_BYTES } from '../../core/log-record.ts';
import { RESULT_LIFE, SegmentWriter } from './segment-writer.ts';

const FIRST = RESULT_LIFE * 65_536 + 1;
const header = (fence: number) => ({ stream: LogStream.RESULT, flags: 0, fence, position: 3, attempt: 1, timeMs: 0 });

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'segments-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function writerIn(logDir: string) {
  const failures: unknown[] = [];
  const writer = new SegmentWriter({
    logDir,
    sessionId: 7,
    life: RESULT_LIFE,
    onFailed: (error) => failures.push(error),
  });
  onTestFinished(() => writer.close());
  return { writer, failures };
}

/** Data of the records from a place on. */
function dataAt(path: string, offset: number, bytes: number): Buffer {
  const all = readFileSync(path).subarray(offset, offset + bytes);
  const pieces: Buffer[] = [];
  for (let at = 0; at < all.length; ) {
    const { length } = decodeLogHeader(all, at)!;
    pieces.push(all.subarray(at + LOG_HEADER_BYTES, at + LOG_HEADER_BYTES + length));
    at += LOG_HEADER_BYTES + length;
  }
  return Buffer.concat(pieces);
}

test('records lie where it was said, one behind the other, long ones in pieces', async () => {
  const logDir = folder();
  const { writer } = writerIn(logDir);
  const long = Buffer.alloc(MAX_LOG_DATA_BYTES * 2 + 5, 'x');
  const places = [
    writer.append(12, header(1), Buffer.from('one'))!,
    writer.append(12, header(2), long)!,
    writer.append(12, header(3), Buffer.alloc(0))!,
  ];
  expect(writer.endOf(12)).toEqual({ segment: FIRST, offset: 35 + long.length + 3 * 32 + 32 });
  expect(places.map(({ segment }) => segment)).toEqual([FIRST, FIRST, FIRST]);
  expect(places.map(({ offset }) => offset)).toEqual([0, 35, 35 + long.length + 96]);
  await Promise.all([writer.sync(12), writer.sync(12)]);
  const path = join(logDir, '12', `7-${RESULT_LIFE}-1.seg`);
  expect(dataAt(path, places[1]!.offset, places[1]!.bytes).equals(long)).toBe(true);
  expect(readFileSync(path).length).toBe(places[2]!.offset + places[2]!.bytes);
  writer.append(12, header(4), Buffer.from('four'));
  await writer.sync(12);
  expect(dataAt(path, writer.endOf(12).offset - 36, 36).toString()).toBe('four');
});

test('a file is followed by another when it is full; names that are taken are passed over', async () => {
  const logDir = folder();
  const { writer } = writerIn(logDir);
  const third = Buffer.alloc(22 * 1024 * 1024);
  writer.append(12, header(1), third);
  await writer.sync(12);
  writeFileSync(join(logDir, '12', `7-${RESULT_LIFE}-2.seg`), 'of an agent before');
  writer.append(12, header(1), third);
  expect(writer.append(12, header(2), third)).toMatchObject({ segment: FIRST + 2, offset: 0 });
  await writer.sync(12);
  expect(readdirSync(join(logDir, '12')).toSorted()).toEqual([1, 2, 3].map((n) => `7-${RESULT_LIFE}-${n}.seg`));
});

test('a job that comes back gets files of its own', async () => {
  const logDir = folder();
  const { writer } = writerIn(logDir);
  writer.append(12, header(1), Buffer.from('a'));
  await writer.forget(12);
  await writer.forget(12);
  expect(writer.endOf(12)).toEqual({ segment: 0, offset: 0 });
  expect(writer.append(12, header(2), Buffer.from('b'))).toMatchObject({ segment: FIRST + 1, offset: 0 });
  await writer.sync(12);
  await writer.sync(99);
});

test('few files stay open, and are opened again; what was shortened is not written into', async () => {
  const logDir = folder();
  const { writer } = writerIn(logDir);
  for (let job = 1; job <= 130; job++) {
    writer.append(job, header(job), Buffer.from('x'));
    await writer.sync(job);
  }
  const open = readdirSync('/proc/self/fd').length;
  expect(writer.append(1, header(1), Buffer.from('y'))).toMatchObject({ segment: FIRST, offset: 33 });
  truncateSync(join(logDir, '2', `7-${RESULT_LIFE}-1.seg`), 5);
  expect(writer.append(2, header(2), Buffer.from('y'))).toMatchObject({ segment: FIRST + 1, offset: 0 });
  await Promise.all([writer.sync(1), writer.sync(2)]);
  expect(open).toBeLessThan(110);
});

test('where no file can be made nothing is taken', async () => {
  const logDir = folder();
  writeFileSync(join(logDir, '12'), 'in the way');
  const { writer, failures } = writerIn(logDir);
  expect(writer.append(12, header(1), Buffer.from('a'))).toBeUndefined();
  expect(failures).toHaveLength(1);
  await writer.sync(12);
});

test.skipIf(!canMountSmallDisk())('a full disk is waited for, and what was said of places stays true', async () => {
  const disk = mountSmallDisk(1024 * 1024);
  onTestFinished(() => disk.unmount());
  const { writer, failures } = writerIn(disk.path);
  writeFileSync(join(disk.path, 'ballast'), Buffer.alloc(600_000));
  const first = writer.append(12, header(1), Buffer.alloc(500_000, 'a'))!;
  const second = writer.append(12, header(2), Buffer.from('b'))!;
  const synced = writer.sync(12);
  await until('it has failed', async () => failures.length > 1);
  expect(failures[0]).toMatchObject({ code: 'ENOSPC' });
  // Some wait, but not without end.
  expect(writer.append(12, header(3), Buffer.alloc(9_000_000))).toBeUndefined();
  rmSync(join(disk.path, 'ballast'));
  await synced;
  const path = join(disk.path, '12', `7-${RESULT_LIFE}-1.seg`);
  expect(dataAt(path, first.offset, first.bytes).equals(Buffer.alloc(500_000, 'a'))).toBe(true);
  expect(dataAt(path, second.offset, second.bytes).toString()).toBe('b');
  await writer.close();
});

test.skipIf(!canMountSmallDisk())('a disk that stays full is given up when the writer closes', async () => {
  const disk = mountSmallDisk(1024 * 1024);
  onTestFinished(() => disk.unmount());
  const { writer, failures } = writerIn(disk.path);
  writer.append(12, header(1), Buffer.alloc(2_000_000));
  const synced = writer.sync(12);
  synced.catch(() => undefined);
  await until('it has failed', async () => failures.length > 0);
  await writer.close();
  await expect(synced).rejects.toThrow('ENOSPC');
});
