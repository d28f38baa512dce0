import { readSync } from 'node:fs';
import { Socket } from 'node:net';

const READ_BYTES = 64 * 1024;
/** A process that goes on writing must not keep the end of its attempt. */
const MOST_DRAINED_BYTES = 1024 * 1024;

/** The read end of one output stream of a task. */
export class OutputPipe {
  readonly #fd: number;
  readonly #socket: Socket;
  readonly #onBytes: (bytes: Buffer) => void;

  constructor(fd: number, onBytes: (bytes: Buffer) => void) {
    this.#fd = fd;
    this.#onBytes = onBytes;
    this.#socket = new Socket({ fd, readable: true, writable: false });
    this.#socket.on('data', onBytes);
    this.#socket.on('error', () => {});
  }

  /** Takes what it holds now and closes it: whoever still has the other end gets SIGPIPE. */
  drain(): void {
    // Destroyed at its end: the number of the descriptor may be another file's by now.
    if (this.#socket.destroyed) return;
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    try {
      for (let total = 0; total <= MOST_DRAINED_BYTES; ) {
        const got = readSync(this.#fd, buffer, 0, READ_BYTES, null);
        if (got === 0) break;
        this.#onBytes(buffer.subarray(0, got));
        total += got;
      }
    } catch {
      // EAGAIN: it is empty.
    }
    this.#socket.removeAllListeners('data').destroy();
  }
}
