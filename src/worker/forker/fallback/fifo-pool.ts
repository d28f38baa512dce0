import { execFile, execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Named pipes made by one `mkfifo`, so that its start is paid once for many tasks. */
const BATCH = 128;
const LOW = 32;

export interface PipeEnds {
  /** Does not block. */
  readonly read: number;
  /** Blocks, as a program expects of its output. */
  readonly write: number;
}

/**
 * Real pipes for the output of tasks. What child_process calls a pipe is a socket, and a program that opens /dev/stdout
 * or /dev/stderr (many scripts do) fails on a socket. Node cannot make a pipe, but it can open a named one, whose name
 * is removed at once: each is used by one stream of one task only.
 */
export class FifoPool {
  #dir: string | undefined;
  readonly #ready: string[] = [];
  #made = 0;
  #making = false;
  #closed = false;

  /** @throws the error of open(2), for example EMFILE */
  take(): PipeEnds {
    if (this.#ready.length === 0) {
      const paths = this.#names();
      execFileSync('mkfifo', ['-m', '600', ...paths], { env: process.env, stdio: 'ignore' });
      this.#ready.push(...paths);
    }
    const path = this.#ready.pop()!;
    if (this.#ready.length < LOW) this.#refill();
    try {
      // In this order neither open waits for the other end.
      const read = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        return { read, write: openSync(path, constants.O_WRONLY) };
      } catch (error) {
        closeSync(read);
        throw error;
      }
    } finally {
      unlinkSync(path);
    }
  }

  close(): void {
    this.#closed = true;
    if (this.#dir !== undefined) rmSync(this.#dir, { recursive: true, force: true });
  }

  #names(): string[] {
    const dir = this.#dir ?? mkdtempSync(join(tmpdir(), 'spawn-forker-'));
    this.#dir = dir;
    return Array.from({ length: BATCH }, () => join(dir, String(++this.#made)));
  }

  #refill(): void {
    if (this.#making) return;
    this.#making = true;
    const paths = this.#names();
    execFile('mkfifo', ['-m', '600', ...paths], { env: process.env }, (error) => {
      this.#making = false;
      if (error === null && !this.#closed) this.#ready.push(...paths);
    });
  }
}
