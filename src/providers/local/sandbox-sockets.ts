import { closeSync, constants, openSync, renameSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { basename, dirname } from 'node:path';

/** The kernel takes 107 bytes for the path of a socket (unix(7)). Through the descriptor of its directory every path is short enough. */
const LONGEST = 100;

interface Short {
  readonly path: string;
  close(): void;
}

function shorten(path: string): Short {
  if (Buffer.byteLength(path) <= LONGEST) return { path, close: () => {} };
  const fd = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  return { path: `/proc/self/fd/${fd}/${basename(path)}`, close: () => closeSync(fd) };
}

export function connectTo(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const short = shorten(path);
    const socket = connect(short.path);
    const settle = (error?: Error) => {
      short.close();
      socket.removeListener('error', settle);
      if (error === undefined) resolve(socket);
      else reject(error);
    };
    socket.once('error', settle);
    socket.once('connect', () => settle());
  });
}

/**
 * One that a server before this one has left is replaced. The socket gets its name when it is there, as a server that closes removes the name
 * under which it was made: that of its successor must stay.
 */
export function listenAt(path: string, onSocket: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const draft = `${path}.${process.pid}`;
    rmSync(draft, { force: true });
    const short = shorten(draft);
    const server = createServer(onSocket);
    server.once('close', short.close);
    server.once('error', (error) => {
      short.close();
      reject(error);
    });
    server.listen(short.path, () => {
      renameSync(draft, path);
      resolve(server);
    });
  });
}
