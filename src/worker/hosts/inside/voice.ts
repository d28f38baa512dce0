import { createConnection, type Socket } from 'node:net';
import { type MessagePort, workerData } from 'node:worker_threads';
import { FRAME_HEADER_BYTES, FrameReader, FromHost, frame, RUN_BYTES, ToHost } from '../wire.ts';
import { Shared } from './shared.ts';

/** What the thread is started with. */
export interface VoiceData {
  readonly path: string;
  readonly id: number;
  readonly secret: string;
  readonly memory: SharedArrayBuffer;
  readonly port: MessagePort;
}

/** A message to the thread of the handler. */
export interface Told {
  readonly type: number;
  readonly payload: Uint8Array;
}

const PIECE_BYTES = 256 * 1024;
/** More than this waits in the ring, not in the socket. */
const MOST_UNSENT_BYTES = 1024 * 1024;
/** How often a host with work is looked at, whose tasks ring only at the end of the last one. */
const LOOK_MS = 4;
/** A task that runs for so long is told of. */
const LONG_MS = 15;
const MEMORY_EVERY_MS = 250;

/** The second thread of a host: speaks with the worker, and runs nothing of the user, so that it answers whatever the handler does. */
class Voice {
  readonly #data: VoiceData;
  readonly #shared: Shared;
  readonly #socket: Socket;
  #timer: NodeJS.Timeout | undefined;
  /** Ordinals below are here. */
  #given = 0;
  /** Ordinal of the last one that was told of as running. */
  #told = -1;
  #memoryAt = 0;

  constructor(data: VoiceData) {
    this.#data = data;
    this.#shared = new Shared(data.memory);
    const reader = new FrameReader((type, payload) => this.#take(type, payload));
    this.#socket = createConnection({ path: data.path });
    this.#socket.on('data', (chunk) => reader.push(chunk));
    this.#socket.on('drain', () => this.#pump());
    // Without its worker nobody wants what it does.
    this.#socket.on('close', die).on('error', die);
    data.port.on('message', () => {
      this.#shared.heard();
      this.#look();
    });
    const hello = Buffer.alloc(4 + data.secret.length);
    hello.writeUInt32LE(data.id, 0);
    hello.write(data.secret, 4, 'latin1');
    this.#send(FromHost.HELLO, hello);
  }

  #take(type: number, payload: Buffer): void {
    if (type === ToHost.WITHDRAW) {
      const next = this.#shared.close();
      this.#given = next;
      this.#pump();
      const answer = Buffer.alloc(8);
      answer.writeUInt32LE(payload.readUInt32LE(0), 0);
      answer.writeUInt32LE(next, 4);
      this.#send(FromHost.WITHDRAWN, answer);
    }
    if (type === ToHost.RUNS) {
      const last = payload.length - RUN_BYTES;
      this.#given = payload.readUInt32LE(last) + payload.readUInt32LE(last + 8);
      this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
    }
    this.#data.port.postMessage({ type, payload: Uint8Array.from(payload) } satisfies Told);
  }

  #look(): void {
    this.#pump();
    this.#tellRunning();
    if (this.#timer !== undefined && this.#shared.ended === this.#given) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  #pump(): void {
    while (this.#shared.waitingBytes > 0 && this.#socket.writableLength < MOST_UNSENT_BYTES) {
      const bytes = this.#shared.take(FRAME_HEADER_BYTES, PIECE_BYTES);
      const length = bytes.length - FRAME_HEADER_BYTES;
      bytes.writeUInt32LE(length, 0);
      bytes[4] = FromHost.RECORDS;
      this.#socket.write(bytes, () => this.#shared.sent(length));
    }
  }

  #tellRunning(): void {
    const { next, startedAt } = this.#shared;
    const now = ownMs();
    if (this.#timer !== undefined && now - this.#memoryAt > MEMORY_EVERY_MS) {
      this.#memoryAt = now;
      this.#send(FromHost.MEMORY, doubles(process.memoryUsage.rss()));
    }
    const isLong = next > this.#shared.ended && now - startedAt >= LONG_MS && next - 1 !== this.#told;
    // What was read together must belong together.
    if (!isLong || this.#shared.next !== next || this.#shared.startedAt !== startedAt) return;
    this.#told = next - 1;
    const ordinal = Buffer.alloc(4);
    ordinal.writeUInt32LE(next - 1, 0);
    this.#send(FromHost.RUNNING, Buffer.concat([ordinal, doubles(now - startedAt, process.memoryUsage.rss())]));
  }

  #send(type: number, payload: Uint8Array): void {
    this.#socket.write(frame(type, payload));
  }
}

/** On a clock that both threads have. */
export function ownMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000 + nanoseconds / 1e6;
}

function doubles(...values: number[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  values.forEach((value, at) => {
    bytes.writeDoubleLE(value, 8 * at);
  });
  return bytes;
}

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

if (workerData?.path !== undefined) {
  process.on('uncaughtException', die);
  new Voice(workerData as VoiceData);
}
