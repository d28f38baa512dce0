import type { Server, Socket } from 'node:net';
import type { InsideReply, InsideRequest } from '../provider.ts';
import { listenAt } from './sandbox-sockets.ts';

/** Of one request; a completion message has 4,096 characters at most. */
const MOST_LINE_CHARS = 65_536;
const MOST_CONNECTIONS = 64;
/** Requests of one connection that wait for their answer: no more are read then. */
const MOST_WAITING = 16;

export type Answer = (request: InsideRequest) => Promise<InsideReply>;

/** Where the `spored` command of one sandbox asks: one JSON object a line, answered by one each. */
export interface InsideServer {
  /** Requests that came before wait for it. */
  onRequest(answer: Answer): void;
  close(): void;
}

export async function serveInside(path: string): Promise<InsideServer> {
  const answer = Promise.withResolvers<Answer>();
  const sockets = new Set<Socket>();
  const server: Server = await listenAt(path, (socket) => {
    if (sockets.size >= MOST_CONNECTIONS) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    serve(socket, answer.promise);
  });
  // Sandboxes do not keep the agent alive when it wants to end.
  server.unref();
  return {
    onRequest: answer.resolve,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function serve(socket: Socket, answer: Promise<Answer>): void {
  let text = '';
  let last = Promise.resolve();
  let waiting = 0;
  const reply = (line: string) => {
    waiting++;
    last = last.then(async () => {
      const said = await replyTo(line, await answer);
      if (!socket.destroyed && !socket.write(`${JSON.stringify(said)}\n`)) await drained(socket);
      if (--waiting < MOST_WAITING) socket.resume();
    });
    // Who asks faster than it is answered, or does not read the answers, must not fill the memory of all.
    if (waiting >= MOST_WAITING) socket.pause();
  };
  socket.setEncoding('utf8');
  socket.on('error', () => {});
  socket.on('data', (piece: string) => {
    text += piece;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      reply(text.slice(0, end));
      text = text.slice(end + 1);
    }
    if (text.length <= MOST_LINE_CHARS) return;
    socket.end(
      `${JSON.stringify({ ok: false, error: `expected a request of at most ${MOST_LINE_CHARS} characters` })}\n`,
    );
    text = '';
    socket.removeAllListeners('data');
  });
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.removeListener('drain', done);
      socket.removeListener('close', done);
      resolve();
    };
    socket.once('drain', done);
    socket.once('close', done);
  });
}

async function replyTo(line: string, answer: Answer): Promise<InsideReply> {
  let request: unknown;
  try {
    request = JSON.parse(line);
  } catch {
    return { ok: false, error: 'expected a JSON object in one line' };
  }
  if (
    typeof request !== 'object' ||
    request === null ||
    typeof (request as { command?: unknown }).command !== 'string'
  ) {
    return { ok: false, error: 'expected a JSON object with a command' };
  }
  try {
    return await answer(request as InsideRequest);
  } catch (error) {
    return { ok: false, error: (error as Error).message };
  }
}
