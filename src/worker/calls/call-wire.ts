import type { Socket } from 'node:net';
import { SpawnError } from '../../core/errors.ts';

/**
 * How `spored` asks the worker of a task: one request a connection, as native/instance/task-call.c writes it.
 * A request is a line of JSON, `{"secret":…,"fence":…,"verb":…,"bytes":N,…}`, and N bytes; the reply is a line of JSON, `{"ok":true,"bytes":N,…}` and N bytes,
 * or `{"ok":false,"exit":CODE,"error":…}`.
 */
const NEWLINE = 0x0a;
/** Of a request's first line; a message of 1,000 characters fits in any spelling. */
const MOST_LINE_BYTES = 32 * 1024;

export interface CallRequest {
  readonly verb: string;
  readonly fence: number;
  readonly secret: string;
  /** How many follow the line. */
  readonly bytes: number;
  readonly words: Readonly<Record<string, unknown>>;
}

/** What comes over a connection, in pieces as they are asked for: nothing is read ahead of need. */
export class CallReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.#chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** Undefined when nothing was asked. Throws BAD_REQUEST for what is no request. */
  async request(): Promise<CallRequest | undefined> {
    let end = -1;
    while (end < 0) {
      const chunk = await this.#next();
      if (chunk === undefined) return undefined;
      this.#rest = Buffer.concat([this.#rest, chunk]);
      end = this.#rest.indexOf(NEWLINE);
      if (end < 0 && this.#rest.byteLength > MOST_LINE_BYTES) throw wrong('a line of JSON', 'a longer line');
    }
    const line = this.#rest.subarray(0, end).toString();
    this.#rest = this.#rest.subarray(end + 1);
    return parse(line);
  }

  /** The bytes that follow. Throws BAD_REQUEST when there are fewer. */
  async *bytes(count: number): AsyncGenerator<Buffer> {
    let left = count;
    while (left > 0) {
      const chunk = this.#rest.byteLength > 0 ? this.#rest : await this.#next();
      if (chunk === undefined) throw wrong(`${count} bytes`, count - left);
      const piece = chunk.subarray(0, left);
      this.#rest = chunk.subarray(piece.byteLength);
      left -= piece.byteLength;
      yield piece;
    }
  }

  async #next(): Promise<Buffer | undefined> {
    const { value, done } = await this.#chunks.next();
    return done ? undefined : value;
  }
}

function parse(line: string): CallRequest {
  let words: unknown;
  try {
    words = JSON.parse(line);
  } catch {
    throw wrong('a line of JSON', line.slice(0, 40));
  }
  const { verb, fence, secret, bytes = 0 } = (words ?? {}) as Partial<Record<string, unknown>>;
  if (typeof verb !== 'string' || typeof secret !== 'string') throw wrong('verb and secret', 'none');
  if (!isCount(fence) || !isCount(bytes)) throw wrong('fence and bytes as whole numbers', 'others');
  return { verb, fence, secret, bytes, words: words as Record<string, unknown> };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function wrong(expected: string, found: unknown): SpawnError {
  return new SpawnError('BAD_REQUEST', { where: 'request', expected, found });
}
