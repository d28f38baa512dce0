import { timingSafeEqual } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FrameReader, FromHost } from './wire.ts';

/** Longer paths no Unix socket can have. */
const MOST_PATH_BYTES = 100;
const HELLO_WITHIN_MS = 10_000;

/** What comes from a host. */
export interface HostEars {
  readonly secret: string;
  readonly onOpen: (socket: Socket) => void;
  readonly onFrame: (type: number, payload: Buffer) => void;
  /** All it has sent was taken. */
  readonly onClose: () => void;
}

/** The socket to which the hosts of a session connect, in a directory of its own. */
export class HostDoors {
  readonly #expected = new Map<number, HostEars>();
  #directory: string | undefined;
  #server: Server | undefined;
  #open: Promise<string> | undefined;

  /** @param base a directory of the worker, made when it is needed */
  constructor(base: string) {
    this.#base = base;
  }
  readonly #base: string;

  /** Path of the socket. */
  open(): Promise<string> {
    this.#open ??= this.#listen();
    return this.#open;
  }

  expect(id: number, ears: HostEars): void {
    this.#expected.set(id, ears);
  }

  /** It will not come any more. */
  forget(id: number): void {
    this.#expected.delete(id);
  }

  close(): void {
    this.#server?.close();
    if (this.#directory !== undefined) rmSync(this.#directory, { recursive: true, force: true });
  }

  async #listen(): Promise<string> {
    await mkdir(this.#base, { recursive: true, mode: 0o700 });
    const isShort = Buffer.byteLength(this.#base) + 16 < MOST_PATH_BYTES;
    this.#directory = mkdtempSync(join(isShort ? this.#base : tmpdir(), isShort ? 'd' : 'spawn-hosts-'));
    const path = join(this.#directory, 's');
    const server = createServer((socket) => this.#greet(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(path, resolve);
    });
    return path;
  }

  #greet(socket: Socket): void {
    let ears: HostEars | undefined;
    const timer = setTimeout(() => socket.destroy(), HELLO_WITHIN_MS);
    const reader = new FrameReader((type, payload) => {
      if (ears !== undefined) return ears.onFrame(type, payload);
      if (type === FromHost.HELLO) ears = this.#enter(payload);
      if (ears === undefined) socket.destroy();
      else ears.onOpen(socket);
      clearTimeout(timer);
    });
    socket.on('data', (chunk) => {
      try {
        reader.push(chunk);
      } catch {
        // It is no host, or was damaged; the end of the socket ends the host.
        socket.destroy();
      }
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      ears?.onClose();
    });
  }

  #enter(payload: Buffer): HostEars | undefined {
    if (payload.length < 5) return undefined;
    const id = payload.readUInt32LE(0);
    const ears = this.#expected.get(id);
    if (ears === undefined) return undefined;
    const [given, wanted] = [payload.subarray(4), Buffer.from(ears.secret)];
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return undefined;
    this.#expected.delete(id);
    return ears;
  }
}
