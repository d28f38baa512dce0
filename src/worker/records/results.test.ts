import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { canMountSmallDisk, mountSmallDisk } from '../../../test/support/small-disk.ts';
import { until } from '../../../test/support/until.ts';
import { openResults } from '../../objects/directory/results.ts';
import { type ResultPlace, ResultWriter, resultJson } from './results.ts';
import { RESULT_LIFE } from './segment-writer.ts';

const FILE = { name: 'a/b.txt', size: 3, sha256: 'ab'.repeat(32) };
const text = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : Buffer.from(bytes).toString());
const row = (fence: number, json: string) => ({ fence, position: fence, attempt: 1, json: Buffer.from(json) });

function setUp() {
  const logDir = mkdtempSync(join(tmpdir(), 'results-'));
  onTestFinished(() => rmSync(logDir, { recursive: true, force: true }));
  const failures: unknown[] = [];
  const writer = new ResultWriter({ logDir, sessionId: 7, onFailed: (error) => failures.push(error) });
  onTestFinished(() => writer.close());
  const results = openResults(logDir);
  const read = async (fence: number, place: ResultPlace) =>
    text(await results.read({ jobId: 12, sessionId: 7, fence, ...place }));
  return { logDir, writer, failures, read };
}

test('the JSON of what an attempt leaves', () => {
  expect(resultJson({})).toBeUndefined();
  expect(text(resultJson({ value: Buffer.from('[1]') }))).toBe('{"value":[1]}');
  expect(JSON.parse(text(resultJson({ value: Buffer.from('null'), files: [FILE] }))!)).toEqual({
    value: null,
    files: [FILE],
  });
  expect(text(resultJson({ message: 'no "luck"' }))).toBe('{"message":"no \\"luck\\""}');
});

test('results come back, short ones and long ones', async () => {
  const { writer, read } = setUp();
  const long = JSON.stringify({ value: 'x'.repeat(1_048_576) });
  const places = await writer.write(12, [row(1, '{"value":1}'), row(2, long), row(3, '{"value":3}')]);
  expect(await Promise.all(places.map((place, at) => read(at + 1, place)))).toEqual([
    '{"value":1}',
    long,
    '{"value":3}',
  ]);
  const [more] = await writer.write(12, [row(4, '{"value":4}')]);
  expect(await read(4, more!)).toBe('{"value":4}');
});

test('what is not there or not whole is none', async () => {
  const { logDir, writer, read } = setUp();
  const [first, second] = await writer.write(12, [row(1, '{"value":1}'), row(2, '{"value":22}')]);
  expect(await read(9, first!)).toBeUndefined();
  expect(await read(1, { resultSegment: 0, resultOffset: 0, resultBytes: 0 })).toBeUndefined();
  expect(await read(1, { ...first!, resultBytes: 2 ** 30 })).toBeUndefined();
  expect(await read(1, { ...first!, resultSegment: first!.resultSegment + 1 })).toBeUndefined();
  expect(await read(1, { ...first!, resultBytes: first!.resultBytes - 1 })).toBeUndefined();
  expect(await read(1, { ...first!, resultOffset: 1 })).toBeUndefined();
  const path = join(logDir, '12', `7-${RESULT_LIFE}-1.seg`);
  truncateSync(path, second!.resultOffset + 5);
  const other = setUp();
  symlinkSync(join(logDir, '12'), join(other.logDir, '12'));
  expect(await other.read(2, second!)).toBeUndefined();
  rmSync(path);
  symlinkSync('/dev/zero', path);
  const last = setUp();
  symlinkSync(join(logDir, '12'), join(last.logDir, '12'));
  expect(await last.read(1, first!)).toBeUndefined();
});

test('a folder in the way is waited for; what never comes is given up with the session', async () => {
  const { logDir, writer, failures, read } = setUp();
  writeFileSync(join(logDir, '12'), 'in the way');
  const written = writer.write(12, [row(1, '{"value":1}')]);
  await until('it has failed', async () => failures.length > 1);
  rmSync(join(logDir, '12'));
  expect(await read(1, (await written)[0]!)).toBe('{"value":1}');
  writeFileSync(join(logDir, '13'), 'in the way');
  const never = writer.write(13, [row(1, '{"value":1}')]);
  never.catch(() => undefined);
  await until('it has failed again', async () => failures.length > 3);
  await writer.close();
  await expect(never).rejects.toThrow('over');
});

test.skipIf(!canMountSmallDisk())('on a full disk results wait, and are all there when it has room again', async () => {
  const disk = mountSmallDisk(512 * 1024);
  onTestFinished(() => disk.unmount());
  const failures: unknown[] = [];
  const writer = new ResultWriter({ logDir: disk.path, sessionId: 7, onFailed: (error) => failures.push(error) });
  writeFileSync(join(disk.path, 'ballast'), Buffer.alloc(400_000));
  const rows = Array.from({ length: 200 }, (_, at) => row(at + 1, `{"value":"${'x'.repeat(1_000)}"}`));
  const written = writer.write(12, rows);
  await until('it has failed', async () => failures.length > 1);
  rmSync(join(disk.path, 'ballast'));
  const places = await written;
  const results = openResults(disk.path);
  for (const [at, place] of places.entries()) {
    const found = await results.read({ jobId: 12, sessionId: 7, fence: at + 1, ...place });
    expect(text(found)).toBe(`{"value":"${'x'.repeat(1_000)}"}`);
  }
  await writer.close();
});
