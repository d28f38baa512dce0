import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { builtProgram } from '../../client/node/package-files.ts';
import type { KnownJob } from '../job-book.ts';
import type { HostDoors } from './doors.ts';
import type { HostEnd, HostForker } from './host-forker.ts';
import { type RecordSink, RecordStream } from './record-stream.ts';
import { FromHost, frame, type HostJob, RUN_BYTES, STOP_CAUSES, type StopCause, ToHost } from './wire.ts';

/** Of a host that runs nothing: what its tasks may use comes on top. */
export const HOST_MEMORY_BYTES = 96 * 1024 * 1024;
const MIB = 1024 * 1024;
const END_WITHIN_MS = 1_000;

/** Consecutive tasks as a host is given them. */
export interface SentRun {
  readonly ordinal: number;
  readonly position: number;
  readonly count: number;
  readonly attempt: number;
  readonly fence: number;
}

/** What a process says, besides its records. */
export interface HostWords extends RecordSink {
  /** All records of a piece were given. */
  onPiece(): void;
  onWithdrawn(ordinal: number): void;
  /** A task that is not short runs, for so long already. */
  onRunning(ordinal: number, elapsedMs: number, rssBytes: number): void;
  onMemory(rssBytes: number): void;
  /** It is gone, and everything it has sent was taken. */
  onGone(end: HostEnd): void;
}

export interface HostPlaces {
  readonly doors: HostDoors;
  readonly forker: HostForker;
}

let lastId = 0;

/** One process that runs a handler, from its start to its end. */
export class HostProcess {
  readonly #places: HostPlaces;
  readonly #job: KnownJob;
  readonly #words: HostWords;
  readonly #id = ++lastId;
  readonly #records: RecordStream;
  #socket: Socket | undefined;
  #hasSocketClosed = true;
  #end: HostEnd | undefined;
  #late: NodeJS.Timeout | undefined;
  #questions = 0;
  #isWithdrawing = false;

  constructor(places: HostPlaces, job: KnownJob, words: HostWords) {
    this.#places = places;
    this.#job = job;
    this.#words = words;
    this.#records = new RecordStream(words);
  }

  /** @param env what only this one has */
  async start(hostJob: HostJob, env: readonly string[]): Promise<void> {
    const { doors, forker } = this.#places;
    const secret = randomBytes(24).toString('hex');
    try {
      const path = await doors.open();
      doors.expect(this.#id, {
        secret,
        onOpen: (socket) => this.#opened(socket, hostJob),
        onFrame: (type, payload) => this.#take(type, payload),
        onClose: () => this.#socketClosed(),
      });
      await forker.start(this.#id, {
        job: this.#job,
        argv: argvOf(this.#job),
        env: [...env, `SPAWN_HOST_SOCKET=${path}`, `SPAWN_HOST_ID=${this.#id}`, `SPAWN_HOST_SECRET=${secret}`],
        memoryBytes: limitOf(this.#job),
        onEnd: (end) => {
          this.#end = end;
          doors.forget(this.#id);
          this.#maybeGone();
        },
      });
    } catch (error) {
      this.#end = { kind: 'broken', why: error instanceof Error ? error.message : String(error) };
      this.#maybeGone();
    }
  }

  run(runs: readonly SentRun[]): void {
    const payload = Buffer.alloc(runs.length * RUN_BYTES);
    runs.forEach(({ ordinal, position, count, attempt, fence }, number) => {
      const at = number * RUN_BYTES;
      payload.writeUInt32LE(ordinal, at);
      payload.writeUInt32LE(position, at + 4);
      payload.writeUInt32LE(count, at + 8);
      payload.writeUInt32LE(attempt, at + 12);
      payload.writeDoubleLE(fence, at + 16);
    });
    this.#send(ToHost.RUNS, payload);
  }

  /** Parameters of tasks that are sent next. */
  params(ordinal: number, rows: readonly Readonly<Record<string, unknown>>[]): void {
    this.#send(ToHost.PARAMS, Buffer.concat([u32(ordinal), Buffer.from(JSON.stringify(rows))]));
  }

  /** Nothing more is started until the answer came and more was given. */
  withdraw(): void {
    if (this.#isWithdrawing) return;
    this.#isWithdrawing = true;
    this.#send(ToHost.WITHDRAW, u32(++this.#questions));
  }

  get isWithdrawing(): boolean {
    return this.#isWithdrawing;
  }

  abort(ordinal: number, cause: StopCause): void {
    this.#send(ToHost.ABORT, Buffer.concat([u32(ordinal), Buffer.of(STOP_CAUSES.indexOf(cause))]));
  }

  answer(number: number, answer: number, data: Uint8Array): void {
    this.#send(ToHost.ANSWER, Buffer.concat([u32(number), Buffer.of(answer), data]));
  }

  /** It ends when nothing runs. */
  quit(): void {
    this.#send(ToHost.QUIT, Buffer.alloc(0));
  }

  kill(): void {
    this.#places.forker.kill(this.#id);
  }

  suspend(on: boolean): void {
    this.#places.forker.suspend(this.#id, on);
  }

  signal(signal: number, mainOnly: boolean): void {
    this.#places.forker.signal(this.#id, signal, mainOnly);
  }

  #opened(socket: Socket, job: HostJob): void {
    this.#socket = socket;
    this.#hasSocketClosed = false;
    this.#send(ToHost.JOB, Buffer.from(JSON.stringify(job)));
  }

  #take(type: number, payload: Buffer): void {
    switch (type) {
      case FromHost.RECORDS:
        this.#records.push(payload);
        this.#words.onPiece();
        break;
      case FromHost.WITHDRAWN:
        if (payload.readUInt32LE(0) !== this.#questions) break;
        this.#isWithdrawing = false;
        this.#words.onWithdrawn(payload.readUInt32LE(4));
        break;
      case FromHost.RUNNING:
        this.#words.onRunning(payload.readUInt32LE(0), payload.readDoubleLE(4), payload.readDoubleLE(12));
        break;
      case FromHost.MEMORY:
        this.#words.onMemory(payload.readDoubleLE(0));
        break;
    }
  }

  #send(type: number, payload: Uint8Array): void {
    this.#socket?.write(frame(type, payload));
  }

  #socketClosed(): void {
    this.#socket = undefined;
    this.#hasSocketClosed = true;
    // Its end follows; without its worker it is of no use.
    if (this.#end === undefined) this.#late = setTimeout(() => this.kill(), END_WITHIN_MS);
    this.#maybeGone();
  }

  #maybeGone(): void {
    if (this.#end === undefined || !this.#hasSocketClosed) return;
    clearTimeout(this.#late);
    this.#words.onGone(this.#end);
  }
}

function argvOf({ description: { memoryBytes } }: KnownJob): string[] {
  const heap = memoryBytes > 0 ? [`--max-old-space-size=${Math.max(16, Math.floor(memoryBytes / MIB))}`] : [];
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', ...heap];
  return [...node, builtProgram('spored'), 'host'];
}

function limitOf({ description: { memoryBytes } }: KnownJob): number {
  return memoryBytes > 0 ? memoryBytes + HOST_MEMORY_BYTES : 0;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value, 0);
  return bytes;
}
