import type { StreamMessage } from '../api/session.ts';
import { Backoff } from './backoff.ts';
import type { WorkerClient } from './client.ts';
import { endsSession } from './ends-session.ts';

export type NumberedMessage = Exclude<StreamMessage, { type: 'ping' }>;

export interface StreamLaneOptions {
  readonly client: WorkerClient;
  readonly sessionId: number;
  /** Messages of this session are numbered above this. */
  readonly after: number;
  /** Nothing for this long, not even a ping, counts as a broken connection. */
  readonly silenceMs: number;
  /** Longest pause between two tries. */
  readonly mostBackoffMs: number;
  /** Each message once, in order. */
  readonly onMessage: (message: NumberedMessage) => void;
  /** The connection broke: what came before may be incomplete. */
  readonly onBreak: (error: unknown) => void;
}

/** What the coordinator says, message by message; after a break it goes on behind the last message that was taken in. */
export class StreamLane {
  readonly #options: StreamLaneOptions;
  readonly #stop = new AbortController();
  readonly #backoff: Backoff;
  #last: number;

  constructor(options: StreamLaneOptions) {
    this.#options = options;
    this.#last = options.after;
    this.#backoff = new Backoff({ firstMs: 50, mostMs: options.mostBackoffMs });
  }

  /** Number of the last message taken in. */
  get last(): number {
    return this.#last;
  }

  /** Reads until `stop` or until the session is unknown to the server. */
  async run(): Promise<'unknown' | 'stopped'> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      let error: unknown;
      try {
        await this.#readOnce();
      } catch (caught) {
        if (endsSession(caught)) return 'unknown';
        error = caught;
      }
      if (signal.aborted) break;
      this.#options.onBreak(error);
      await this.#backoff.pause(signal);
    }
    return 'stopped';
  }

  stop(): void {
    this.#stop.abort();
  }

  async #readOnce(): Promise<void> {
    const { client, sessionId, silenceMs, onMessage } = this.#options;
    const abort = new AbortController();
    const onStop = () => abort.abort(this.#stop.signal.reason);
    this.#stop.signal.addEventListener('abort', onStop, { once: true });
    const watchdog = setTimeout(() => abort.abort(new Error(`nothing for ${silenceMs} ms`)), silenceMs);
    try {
      for await (const message of client.stream(sessionId, this.#last, { signal: abort.signal })) {
        watchdog.refresh();
        this.#backoff.reset();
        if (message.type === 'ping' || message.n <= this.#last) continue;
        this.#last = message.n;
        onMessage(message);
      }
    } finally {
      clearTimeout(watchdog);
      this.#stop.signal.removeEventListener('abort', onStop);
    }
  }
}
