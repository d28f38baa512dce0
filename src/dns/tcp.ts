import { createServer, type Server, type Socket } from 'node:net';

/** Connections at once, and how long one may be idle. */
const MAX_CONNECTIONS = 256;
const IDLE_MS = 10_000;
/** A query is a name and a few numbers: what announces more is none, bytes. */
const MOST_QUERY = 4_096;
/** Answers that wait because the asker does not read: beyond it no more queries are read, bytes. */
const MOST_WAITING = 256 * 1024;
/** Of the length before each message. */
const PREFIX = 2;

/** DNS over TCP: each message behind its length in two bytes, any number of them on one connection (RFC 7766). */
export function createTcpServer(answer: (query: Uint8Array) => Uint8Array | undefined): Server {
  const server = createServer((socket) => serve(socket, answer));
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}

function serve(socket: Socket, answer: (query: Uint8Array) => Uint8Array | undefined): void {
  let held: Buffer = Buffer.alloc(0);
  socket.setTimeout(IDLE_MS, () => socket.destroy());
  // It is gone: there is nobody to tell.
  socket.on('error', () => socket.destroy());
  const answerHeld = (): void => {
    let at = 0;
    while (held.length - at >= PREFIX && socket.writableLength <= MOST_WAITING) {
      const length = held.readUInt16BE(at);
      if (length > MOST_QUERY) return void socket.destroy();
      if (held.length - at - PREFIX < length) break;
      const response = answer(held.subarray(at + PREFIX, at + PREFIX + length));
      // What is no query at all has no answer, and nothing after it can be trusted.
      if (response === undefined) return void socket.destroy();
      const prefix = Buffer.alloc(PREFIX);
      prefix.writeUInt16BE(response.length);
      socket.write(Buffer.concat([prefix, response]));
      at += PREFIX + length;
    }
    held = held.subarray(at);
    if (socket.writableLength > MOST_WAITING) socket.pause();
  };
  socket.on('data', (bytes) => {
    held = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
    answerHeld();
  });
  socket.on('drain', () => {
    answerHeld();
    if (socket.writableLength <= MOST_WAITING) socket.resume();
  });
}
