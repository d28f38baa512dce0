import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { FakeUseCases } from '../../test/support/fake-use-cases.ts';
import { requireOr } from '../../test/support/require.ts';
import { ask, serveOn, socketPath } from '../../test/support/server-on-socket.ts';
import { createServer } from './server.ts';

const isRoot = process.getuid?.() === 0;

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

async function listen(path: string): Promise<void> {
  const server = await createServer(new FakeUseCases(), { version: '0.1.0' });
  await server.listenUnix(path).finally(() => server.close());
}

test('it makes the directory and the socket for this user alone', async () => {
  const path = join(dirname(socketPath()), 'new', 'socket');
  const { server } = await serveOn(path);
  expect([modeOf(dirname(path)), modeOf(path)]).toEqual(['700', '600']);
  expect((await ask(path, 'GET /v1/server')).status).toBe(200);
  await server.close();
  expect(existsSync(path)).toBe(false);
});

test.each([0o750, 0o701, 0o720, 0o777])('it refuses a directory of mode %o', async (mode) => {
  const path = socketPath();
  chmodSync(dirname(path), mode);
  await expect(listen(path)).rejects.toMatchObject({
    code: 'SOCKET_NOT_PRIVATE',
    message: `socket directory "${dirname(path)}": expected mode 700, found mode ${mode.toString(8)}`,
  });
  expect(existsSync(path)).toBe(false);
});

test('it refuses a directory behind a symbolic link', async () => {
  const real = dirname(socketPath());
  const link = join(dirname(socketPath()), 'link');
  symlinkSync(real, link);
  await expect(listen(join(link, 'socket'))).rejects.toMatchObject({
    code: 'SOCKET_NOT_PRIVATE',
    message: `socket directory "${link}": expected a directory, found a symbolic link`,
  });
});

requireOr('root, to give a directory away', isRoot)('it refuses a directory of another user', async () => {
  const path = socketPath();
  chownSync(dirname(path), 12345, 12345);
  await expect(listen(path)).rejects.toMatchObject({
    code: 'SOCKET_NOT_PRIVATE',
    message: `socket directory "${dirname(path)}": expected owner 0, found owner 12345`,
  });
});

test('it refuses a socket on which a server answers, and leaves that alone', async () => {
  const { path } = await serveOn(socketPath());
  await expect(listen(path)).rejects.toMatchObject({
    code: 'CONFLICT',
    message: `socket ${path}: expected no other server, found one that answers`,
  });
  expect((await ask(path, 'GET /v1/server')).status).toBe(200);
});

test('it replaces the socket of a server that is gone', async () => {
  const path = socketPath();
  leaveStaleSocket(path);
  await serveOn(path);
  expect((await ask(path, 'GET /v1/server')).status).toBe(200);
});

test('it leaves a file that is no socket alone', async () => {
  const path = socketPath();
  writeFileSync(path, 'mine');
  await expect(listen(path)).rejects.toMatchObject({
    code: 'CONFLICT',
    message: `socket ${path}: expected a socket or nothing, found another file`,
  });
  expect(readFileSync(path, 'utf8')).toBe('mine');
});

test('a path too long for a socket is refused instead of cut', async () => {
  const path = join(dirname(socketPath()), 'd'.repeat(120), 'socket');
  await expect(listen(path)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  expect(existsSync(dirname(path))).toBe(false);
});

test('callers on the socket are its user, on the same host', async () => {
  const { path, fake } = await serveOn(socketPath());
  await ask(path, 'GET /v1/server');
  expect(fake.callers).toEqual([{ owner: String(process.getuid?.()), tenant: 'local', sameHost: true, role: 'admin' }]);
});

/** As after kill -9: the file is there, nobody listens. */
function leaveStaleSocket(path: string): void {
  const script = `require('net').createServer().listen(${JSON.stringify(`${path}.was`)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', script]);
  renameSync(`${path}.was`, path);
  expect(statSync(path).isSocket()).toBe(true);
}
