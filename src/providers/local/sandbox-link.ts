import type { Socket } from 'node:net';
import { SpawnError } from '../../core/errors.ts';
import type { MachineActivity } from '../provider.ts';

/** Numbers of native/instance/init-protocol.h, which explains them. */
const VERSION = 1;
const Request = { TO_FORKER: 1, DEADLINE: 2, FREEZE: 3, THAW: 4, ACTIVITY: 5, STOP: 6 } as const;
const Message = { FROM_FORKER: 1, HELLO: 2, REPLY: 3, ENDING: 4, TAKEN: 5, MEMORY: 6 } as const;
const NEVER = 0xffff_ffff_ffff_ffffn;
/** Below the most that the init takes in one frame. */
const CHUNK_BYTES = 512 * 1024;
const MOST_FRAME = 1024 * 1024;

export interface InitHello {
  readonly forkerPid: number;
  /** It was hibernated by an agent before this one. */
  readonly frozen: boolean;
  /** The kernel holds it to its memory. */
  readonly hasGroup: boolean;
  readonly hasOverlay: boolean;
}

export type InitActivity = Omit<MachineActivity, 'networkBytes'>;

interface Waiting {
  readonly resolve: (payload: Buffer) => void;
  readonly reject: (error: Error) => void;
}

/** The connection between the agent and the init of one sandbox. */
export class InitLink {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  readonly #hello = Promise.withResolvers<InitHello>();
  #lastRequest = 0;
  #unread: Buffer = Buffer.alloc(0);
  /** In order; 'killed' where processes had been killed for their memory. */
  #early: (Uint8Array | 'killed')[] = [];
  #onForker: ((said: Uint8Array | 'killed') => void) | undefined;
  #ending: string | undefined;
  #closed = false;
  #isTaken = false;
  readonly #left = Promise.withResolvers<void>();
  #onClose: (ending: string | undefined) => void = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#hello.promise.catch(() => {});
    socket.on('data', (bytes) => this.#take(bytes));
    // `close` follows.
    socket.on('error', () => {});
    socket.once('close', () => this.#leave());
  }

  /** Rejects when it says something else, or nothing. */
  get hello(): Promise<InitHello> {
    return this.#hello.promise;
  }

  /** Resolves when the connection is closed, by whomever. */
  get closed(): Promise<void> {
    return this.#left.promise;
  }

  /** Another agent has connected since: the sandbox is its. */
  get isTaken(): boolean {
    return this.#isTaken;
  }

  /** With why the sandbox ends, if it said so. */
  onClose(listener: (ending: string | undefined) => void): void {
    this.#onClose = listener;
    if (this.#closed) queueMicrotask(() => listener(this.#ending));
  }

  /** From the first byte the forker ever said. */
  onForkerBytes(listener: (bytes: Uint8Array) => void, onMemoryKill: () => void = () => {}): void {
    this.#onForker = (said) => (said === 'killed' ? onMemoryKill() : listener(said));
    const early = this.#early;
    this.#early = [];
    for (const said of early) this.#onForker(said);
  }

  sendToForker(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      this.#send(Request.TO_FORKER, [bytes.subarray(at, at + CHUNK_BYTES)]);
    }
  }

  /** @param graceMs from TERM to KILL then; default: that of its configuration */
  async setDeadline(inMs: number | undefined, graceMs?: number): Promise<void> {
    const payload = Buffer.alloc(graceMs === undefined ? 8 : 12);
    if (graceMs !== undefined) payload.writeUInt32LE(Math.min(Math.max(0, Math.round(graceMs)), 0xffff_ffff), 8);
    payload.writeBigUInt64LE(inMs === undefined ? NEVER : BigInt(Math.max(0, Math.round(inMs))));
    await this.#ask(Request.DEADLINE, payload);
  }

  async freeze(): Promise<void> {
    await this.#ask(Request.FREEZE);
  }

  async thaw(): Promise<void> {
    await this.#ask(Request.THAW);
  }

  async activity(): Promise<InitActivity> {
    const reply = await this.#ask(Request.ACTIVITY);
    const number = (place: number) => Number(reply.readBigUInt64LE(place * 8));
    return { cpuUs: number(0), diskBytes: number(1), memoryBytes: number(2), processes: number(3), logins: number(4) };
  }

  /** Resolves when it has begun. */
  async stop(graceMs: number): Promise<void> {
    const payload = Buffer.alloc(4);
    payload.writeUInt32LE(Math.min(Math.max(0, Math.round(graceMs)), 0xffff_ffff));
    await this.#ask(Request.STOP, payload);
  }

  close(): void {
    this.#socket.destroy();
  }

  #ask(type: number, payload: Buffer = Buffer.alloc(0)): Promise<Buffer> {
    if (this.#closed) return Promise.reject(gone());
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    this.#lastRequest = (this.#lastRequest + 1) % 0xffff_ffff;
    this.#waiting.set(this.#lastRequest, { resolve, reject });
    const number = Buffer.alloc(4);
    number.writeUInt32LE(this.#lastRequest);
    this.#send(type, [number, payload]);
    return promise;
  }

  #send(type: number, parts: readonly Uint8Array[]): void {
    if (this.#closed) return;
    const head = Buffer.alloc(5);
    head.writeUInt32LE(1 + parts.reduce((sum, part) => sum + part.length, 0));
    head.writeUInt8(type, 4);
    this.#socket.write(Buffer.concat([head, ...parts]));
  }

  #take(bytes: Buffer): void {
    let at = 0;
    const all = this.#unread.length === 0 ? bytes : Buffer.concat([this.#unread, bytes]);
    while (all.length - at >= 5 && !this.#closed) {
      const length = all.readUInt32LE(at);
      if (length === 0 || length > MOST_FRAME) {
        this.#fail(`a frame of ${length} bytes`);
        return;
      }
      if (all.length - at - 4 < length) break;
      this.#obey(all[at + 4]!, all.subarray(at + 5, at + 4 + length));
      at += 4 + length;
    }
    this.#unread = at === all.length ? Buffer.alloc(0) : Buffer.from(all.subarray(at));
  }

  #obey(type: number, payload: Buffer): void {
    if (type === Message.FROM_FORKER) {
      if (this.#onForker === undefined) this.#early.push(Uint8Array.from(payload));
      else this.#onForker(payload);
    } else if (type === Message.MEMORY) {
      if (this.#onForker === undefined) this.#early.push('killed');
      else this.#onForker('killed');
    } else if (type === Message.HELLO && payload.length === 10) {
      const flags = payload.readUInt32LE(6);
      if (payload.readUInt16LE(0) !== VERSION) {
        this.#fail(`version ${payload.readUInt16LE(0)} of the protocol`);
        return;
      }
      const has = (flag: number) => (flags & flag) !== 0;
      const forkerPid = payload.readUInt32LE(2);
      this.#hello.resolve({ forkerPid, frozen: has(1), hasGroup: has(2), hasOverlay: has(4) });
    } else if (type === Message.REPLY && payload.length >= 8) {
      this.#settle(payload.readUInt32LE(0), payload.readUInt32LE(4), payload.subarray(8));
    } else if (type === Message.ENDING) {
      this.#ending = payload.toString();
    } else if (type === Message.TAKEN) {
      this.#isTaken = true;
    } else {
      this.#fail(`a message of type ${type} and ${payload.length} bytes`);
    }
  }

  #settle(request: number, errno: number, payload: Buffer): void {
    const waiting = this.#waiting.get(request);
    this.#waiting.delete(request);
    if (errno === 0) waiting?.resolve(payload);
    else waiting?.reject(new SpawnError('INTERNAL', { why: `the instance refused: error ${errno}` }));
  }

  #fail(what: string): void {
    const why = `unexpected from the init of an instance: ${what}`;
    this.#hello.reject(new SpawnError('INTERNAL', { why }));
    this.#socket.destroy();
  }

  #leave(): void {
    this.#closed = true;
    const error = gone();
    this.#hello.reject(error);
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
    this.#onClose(this.#ending);
    this.#left.resolve();
  }
}

function gone(): SpawnError {
  return new SpawnError('INTERNAL', { why: 'the instance has ended' });
}
