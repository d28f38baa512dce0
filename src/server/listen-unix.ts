import { chmodSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { SpawnError } from '../core/errors.ts';

/** Bytes of a socket path that fit in sockaddr_un with the NUL after it: unix(7), and 104 in all on macOS. */
const MAX_PATH_BYTES = process.platform === 'darwin' ? 103 : 107;

/**
 * Makes `path` ready to be listened on: a directory that only this user may enter, and no socket of a server that is gone.
 * Errors: SOCKET_NOT_PRIVATE, CONFLICT when a server answers there or the path is something else, BAD_REQUEST when it is too long.
 * Two servers that start at the same moment must be kept apart by the lock of the store.
 */
export async function prepareSocketPath(path: string): Promise<void> {
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_PATH_BYTES) {
    const expected = `at most ${MAX_PATH_BYTES} bytes`;
    throw new SpawnError('BAD_REQUEST', { where: `socket path ${path}`, expected, found: bytes });
  }
  preparePrivateDirectory(dirname(path));
  await removeStaleSocket(path);
}

function preparePrivateDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const stat = lstatSync(path);
  const refuse = (expected: string, found: string): never => {
    throw new SpawnError('SOCKET_NOT_PRIVATE', { path, expected, found });
  };
  if (stat.isSymbolicLink()) refuse('a directory', 'a symbolic link');
  if (!stat.isDirectory()) refuse('a directory', 'a file');
  const uid = process.getuid?.();
  if (uid !== undefined && stat.uid !== uid) refuse(`owner ${uid}`, `owner ${stat.uid}`);
  const mode = stat.mode & 0o777;
  if ((mode & 0o077) !== 0) refuse('mode 700', `mode ${mode.toString(8).padStart(3, '0')}`);
}

async function removeStaleSocket(path: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  const what = `socket ${path}`;
  if (!stat.isSocket()) {
    throw new SpawnError('CONFLICT', { what, expected: 'a socket or nothing', found: 'another file' });
  }
  const code = await connectError(path);
  if (code === 'ENOENT') return;
  if (code !== 'ECONNREFUSED') {
    throw new SpawnError('CONFLICT', { what, expected: 'no other server', found: code ?? 'one that answers' });
  }
  unlinkSync(path);
}

/** Undefined when somebody accepts. */
function connectError(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

/** The directory keeps others out already; this holds also if the socket is moved. */
export function makeSocketPrivate(path: string): void {
  chmodSync(path, 0o600);
}
