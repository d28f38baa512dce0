import { closeSync, constants, mkdirSync, openSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { isSpawnError, SpawnError } from '../../core/errors.ts';
import { type AttemptCalls, type CallingTask, MOST_CHECKPOINT_BYTES, MOST_RESULT_BYTES } from './attempt-calls.ts';
import type { CallSecrets } from './call-secrets.ts';
import { CallReader, type CallRequest } from './call-wire.ts';
import { Turns } from './turns.ts';

/** Of sockaddr_un, without the NUL: unix(7). */
const MOST_PATH_BYTES = 107;
const NAME = 'tasks.sock';
const MOST_CONNECTIONS = 4_096;
/** A connection that says nothing for so long is closed. */
const SILENCE_MS = 60_000;
/** Checkpoints that are in memory at once, each of up to 64 MiB; the others wait their turn. */
const AT_ONCE = 2;

/** Exit codes of `spored`. */
const EXIT = { no: 1, wrong: 2, outside: 3, away: 69 } as const;
/** Nothing is wrong with the call: the coordinator, or the way to it. */
const AWAY: ReadonlySet<string> = new Set(['SERVER_UNREACHABLE', 'SESSION_UNKNOWN', 'STORE_FULL', 'STORE_FAILED']);

export interface CallSocketOptions {
  /** Made for it alone; nobody else may enter. */
  readonly folder: string;
  readonly secrets: CallSecrets;
  /** Of an attempt that runs; undefined for any other. */
  readonly taskOf: (fence: number) => CallingTask | undefined;
  readonly callsOf: (task: CallingTask) => AttemptCalls;
  readonly log: (line: string) => void;
}

/** What `SPAWN_TASK_SOCKET` of every task is. */
export function socketPath(folder: string): string {
  return join(folder, NAME);
}

interface Answer {
  readonly words?: Readonly<Record<string, unknown>>;
  readonly bytes?: Uint8Array;
}

/** The socket on which the tasks of a session reach their worker. */
export class CallSocket {
  readonly #options: CallSocketOptions;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  readonly #large = new Turns(AT_ONCE);
  /** Of the folder, where its path is too long for an address. */
  #fd: number | undefined;
  readonly #path: string;

  constructor(options: CallSocketOptions) {
    this.#options = options;
    this.#path = socketPath(options.folder);
    this.#server = createServer({ allowHalfOpen: true }, (socket) => void this.#serve(socket));
    this.#server.maxConnections = MOST_CONNECTIONS;
    // What happens later concerns one connection.
    this.#server.on('error', () => {});
  }

  /** Resolves when tasks can connect; where that fails a line says so, and their calls fail. */
  async listen(): Promise<void> {
    try {
      mkdirSync(this.#options.folder, { recursive: true, mode: 0o700 });
      rmSync(this.#path, { force: true });
      await new Promise<void>((resolve, reject) => {
        this.#server.once('error', reject).listen({ path: this.#address() }, resolve);
      });
    } catch (error) {
      this.#options.log(`tasks cannot reach their worker: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    if (this.#fd !== undefined) closeSync(this.#fd);
    rmSync(this.#options.folder, { recursive: true, force: true });
  }

  #address(): string {
    if (Buffer.byteLength(this.#path) <= MOST_PATH_BYTES) return this.#path;
    this.#fd = openSync(this.#options.folder, constants.O_RDONLY | constants.O_DIRECTORY);
    return `/proc/self/fd/${this.#fd}/${NAME}`;
  }

  async #serve(socket: Socket): Promise<void> {
    this.#open.add(socket);
    socket.on('error', () => {}).once('close', () => this.#open.delete(socket));
    socket.setTimeout(SILENCE_MS, () => socket.destroy());
    const patience = () => socket.setTimeout(SILENCE_MS);
    let reply: Answer;
    try {
      const reader = new CallReader(socket);
      const request = await reader.request();
      if (request === undefined) return void socket.destroy();
      // While the worker itself is busy with it nothing is expected.
      socket.setTimeout(0);
      reply = await this.#answer(request, reader).finally(patience);
    } catch (error) {
      // Whoever still sends sees the reply, and stops.
      const { exit, message } = failureOf(error);
      socket.end(`${JSON.stringify({ ok: false, exit, error: message })}\n`);
      return;
    }
    const { words = {}, bytes } = reply;
    socket.write(`${JSON.stringify({ ok: true, ...words, bytes: bytes?.byteLength ?? 0 })}\n`);
    socket.end(bytes ?? '');
  }

  async #answer(request: CallRequest, reader: CallReader): Promise<Answer> {
    const { fence, secret } = request;
    const isProved = this.#options.secrets.isOf(fence, secret);
    const task = this.#options.taskOf(fence);
    if (!isProved) throw new Outside('the secret of this task is another one');
    if (task === undefined) throw new Outside('this attempt is over');
    return await this.#act(this.#options.callsOf(task), request, reader);
  }

  async #act(calls: AttemptCalls, { verb, bytes, words }: CallRequest, reader: CallReader): Promise<Answer> {
    const { message, name, fraction } = words;
    switch (verb) {
      case 'progress':
        calls.progress(fraction as number, textOf('message', message));
        return {};
      case 'complete':
        calls.complete(words.failed === true, textOf('message', message));
        return {};
      case 'result':
        calls.result(await this.#whole('result', reader, bytes, MOST_RESULT_BYTES));
        return {};
      case 'emit':
        return { words: { ...(await calls.emit(textOf('name', name) ?? '', { data: reader.bytes(bytes) })) } };
      case 'checkpoint-put':
        return await this.#large.take(async () => {
          await calls.putCheckpoint(await this.#whole('checkpoint', reader, bytes, MOST_CHECKPOINT_BYTES));
          return {};
        });
      case 'checkpoint-get': {
        const found = await this.#large.take(() => calls.checkpoint());
        return { words: { found: found !== undefined }, ...(found === undefined ? {} : { bytes: found }) };
      }
      default:
        throw new SpawnError('BAD_REQUEST', { where: 'verb', expected: 'one that this worker knows', found: verb });
    }
  }

  async #whole(where: string, reader: CallReader, bytes: number, most: number): Promise<Buffer> {
    if (bytes > most) throw new SpawnError('BAD_REQUEST', { where, expected: `at most ${most} bytes`, found: bytes });
    const pieces: Buffer[] = [];
    for await (const piece of reader.bytes(bytes)) pieces.push(piece);
    return Buffer.concat(pieces);
  }
}

/** Who asks is no task that runs here. */
class Outside extends Error {}

function textOf(where: string, value: unknown): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  throw new SpawnError('BAD_REQUEST', { where, expected: 'a text', found: value });
}

function failureOf(error: unknown): { readonly exit: number; readonly message: string } {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Outside) return { exit: EXIT.outside, message };
  if (!isSpawnError(error)) return { exit: EXIT.no, message };
  if (error.code === 'BAD_REQUEST') return { exit: EXIT.wrong, message };
  return { exit: AWAY.has(error.code) ? EXIT.away : EXIT.no, message };
}
