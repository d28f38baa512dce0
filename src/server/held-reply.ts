import type { FastifyReply } from 'fastify';

/** So many times `maxBacklogBytes` may wait for a reader that takes a little now and then. */
const MOST_BACKLOGS = 4;

export interface HeldReplyOptions {
  contentType: string;
  /** Sent when nothing else was for `pingMs`, so that both sides notice a link that is half open. */
  ping: string;
  pingMs: number;
  /** A reader that takes nothing in two pings while more than this waits for it, bytes, is cut off; at once when it is four times as much. */
  maxBacklogBytes: number;
  /** Holds this while it is open, so that closing the server can end it. */
  held: Set<HeldReply>;
}

/** A reply that stays open and is written to from time to time. */
export class HeldReply {
  readonly #raw: FastifyReply['raw'];
  readonly #options: HeldReplyOptions;
  readonly #timer: NodeJS.Timeout;
  #quiet = true;
  #sentBytes = 0;
  #over = false;
  #onOver: () => void = () => {};

  constructor(reply: FastifyReply, options: HeldReplyOptions) {
    reply.hijack();
    this.#raw = reply.raw;
    this.#options = options;
    this.#timer = setInterval(() => this.#tick(), options.pingMs);
    this.#raw.once('close', () => this.#finish());
    this.#raw.on('error', () => this.#raw.destroy());
    if (this.#raw.destroyed) {
      this.#finish();
      return;
    }
    options.held.add(this);
    this.#raw.writeHead(200, { 'content-type': options.contentType, 'cache-control': 'no-store' });
    this.#raw.flushHeaders();
  }

  /** Calls back once, when the reply is over for whatever reason: at once if it is already. */
  whenOver(callback: () => void): void {
    if (this.#over) callback();
    else this.#onOver = callback;
  }

  /** The reader has not taken what was written before. */
  get isBehind(): boolean {
    return this.#raw.writableNeedDrain;
  }

  write(text: string): void {
    if (this.#over || this.#raw.writableEnded) return;
    this.#quiet = false;
    this.#raw.write(text);
    if (this.#raw.writableLength > MOST_BACKLOGS * this.#options.maxBacklogBytes) this.#raw.destroy();
  }

  /** Ends the reply after what was written. */
  end(): void {
    if (!this.#over && !this.#raw.writableEnded) this.#raw.end();
  }

  #tick(): void {
    const socket = this.#raw.socket;
    const waiting = this.#raw.writableLength;
    const sentBytes = (socket?.bytesWritten ?? 0) - (socket?.writableLength ?? 0);
    const stuck = sentBytes === this.#sentBytes && waiting > this.#options.maxBacklogBytes;
    this.#sentBytes = sentBytes;
    if (stuck) this.#raw.destroy();
    else if (this.#quiet && waiting === 0) this.write(this.#options.ping);
    this.#quiet = true;
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#timer);
    this.#options.held.delete(this);
    this.#onOver();
  }
}
