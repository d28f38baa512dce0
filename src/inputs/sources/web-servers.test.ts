import { createHash, randomBytes } from 'node:crypto';
import { afterEach, expect } from 'vitest';
import { hasProgram, requireOr } from '../../../test/support/require.ts';
import { testWithNginx, WebServer } from '../../../test/support/web-servers.ts';
import type { OpenSource, Source } from '../source.ts';
import { openSources } from './open.ts';
import { resolveSources } from './resolve.ts';
import { openWhole } from './whole-document.ts';

/** More than what lies in the buffers between two processes. */
const BYTES = randomBytes(30_000_000);

let server: WebServer;
afterEach(() => server?.stop());

async function resolved(name: string): Promise<Source> {
  for await (const source of resolveSources([`${server.endpoint}/${name}`], [], { cwd: '/' })) return source;
  throw new Error('nothing was found');
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function hashOf(file: OpenSource, from: number, to: number, afterFirst?: () => Promise<void>): Promise<string> {
  const hash = createHash('sha256');
  let isFirst = true;
  for await (const piece of file.read(from, to)) {
    hash.update(piece);
    if (isFirst) await afterFirst?.();
    isFirst = false;
  }
  return hash.digest('hex');
}

testWithNginx('nginx that is killed in the middle of a read and brought back: the read ends well', async () => {
  server = await WebServer.nginx();
  server.write('large', BYTES);
  const source = await resolved('large');
  expect(source).toMatchObject({ size: BYTES.length, etag: expect.stringMatching(/^"/), mtimeMs: expect.any(Number) });
  const file = await openSources().open(source);
  let back: Promise<void> | undefined;
  const read = hashOf(file, 10, BYTES.length, async () => {
    await server.kill();
    back = server.start();
  });
  expect(await read).toBe(sha256(BYTES.subarray(10)));
  await back;
  await file.check();
});

testWithNginx('nginx that is away for long: the read fails clearly', async () => {
  server = await WebServer.nginx();
  server.write('large', BYTES);
  const file = await openSources({ patienceMs: 300 }).open(await resolved('large'));
  await expect(hashOf(file, 0, BYTES.length, () => server.kill())).rejects.toMatchObject({
    code: 'STORAGE_UNREACHABLE',
    message: expect.stringMatching(/\/large": cannot read after \d+ tries: /),
  });
});

testWithNginx('a file of nginx that is replaced in the middle of a read is not read on', async () => {
  server = await WebServer.nginx();
  server.write('large', BYTES);
  const file = await openSources().open(await resolved('large'));
  const read = hashOf(file, 0, BYTES.length, async () => {
    await server.kill();
    server.write('large', BYTES.subarray(1));
    await server.start();
  });
  await expect(read).rejects.toMatchObject({ code: 'INPUT_CHANGED' });
  await expect(file.check()).rejects.toMatchObject({ code: 'INPUT_CHANGED' });
});

const withPython = requireOr('python3', hasProgram('python3'));

withPython('a server without ranges is read from a file that was fetched once', async () => {
  server = await WebServer.python();
  server.write('large', BYTES);
  const source = await resolved('large');
  expect(source).toEqual({ uri: `${server.endpoint}/large`, size: BYTES.length, mtimeMs: expect.any(Number) });
  const file = await openSources().open(source);
  await server.kill();
  expect(await hashOf(file, 5, 20_000_000)).toBe(sha256(BYTES.subarray(5, 20_000_000)));
  expect(await hashOf(file, 0, BYTES.length)).toBe(sha256(BYTES));
  await server.start();
  await file.check();
  await file.close();
});

withPython('more than a GiB is not fetched at once', async () => {
  server = await WebServer.python();
  server.write('small', BYTES.subarray(0, 10));
  const source = await resolved('small');
  await expect(openWhole({ ...source, size: 2 ** 30 + 1 }, 1_000)).rejects.toThrow(
    'its server gives no parts of it, and it has 1073741825 bytes, of at most 1073741824 that are fetched at once',
  );
});
