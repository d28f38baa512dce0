import type { ExchangeReply, ExchangeRequest } from '../api/session.ts';
import { Backoff } from './backoff.ts';
import { NO_RETRY, type WorkerClient } from './client.ts';
import { endsSession } from './ends-session.ts';
import { nextExchangeAt } from './flush.ts';
import { type LeaseMoment, leaseMoment } from './lease.ts';
import type { Outbox } from './outbox.ts';

export interface ExchangeLaneOptions {
  readonly client: WorkerClient;
  readonly sessionId: number;
  readonly heartbeatMs: number;
  /** Of the lease: an exchange without an answer is sent again well before its end. */
  readonly leaseMs: number;
  readonly sameHost: boolean;
  /** Longest pause between two tries. */
  readonly mostBackoffMs: number;
  readonly outbox: Outbox;
  /** Number of the last stream message taken in. */
  readonly ack: () => number;
  /** Fences of attempts that have started. */
  readonly running: () => Iterable<number>;
  /** A task could run and none is queued. */
  readonly hungry: () => boolean;
  /** The lease runs for `leaseMs` from `sentAt`. */
  readonly onRenewed: (leaseMs: number, sentAt: LeaseMoment) => void;
  /** All that was to be said until now has been. */
  readonly onSaid?: () => void;
  /** A try failed and another will follow. */
  readonly onFailed: (error: unknown) => void;
}

/** How long an exchange may take before it is sent again: the connection may be half open. */
const MOST_ANSWER_MS = 15_000;

/**
 * What the worker says, one numbered exchange at a time. An exchange is sent until it is answered, always with the same number and
 * the same body: the coordinator answers a number that it knows with the reply it gave, so nothing is lost and nothing counts twice.
 */
export class ExchangeLane {
  readonly #options: ExchangeLaneOptions;
  readonly #stop = new AbortController();
  readonly #backoff: Backoff;
  #seq = 0;
  #lastSentMs = Number.NEGATIVE_INFINITY;
  #wake: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = 0;
  #finishing = false;
  /** Sent, and not answered yet. */
  #underWay: ExchangeRequest | undefined;

  constructor(options: ExchangeLaneOptions) {
    this.#options = options;
    this.#backoff = new Backoff({ firstMs: 50, mostMs: options.mostBackoffMs });
  }

  /** To be called when there may be something to say. */
  touch(): void {
    if (this.#wake === undefined) return;
    const at = this.#nextAt();
    const now = performance.now();
    if (at > now) this.#armTimer(at, now);
    else this.#wakeUp();
  }

  /** Exchanges until `stop`, `finish` or until the session is unknown to the server. */
  async run(): Promise<'unknown' | 'stopped'> {
    while (!this.#stop.signal.aborted) {
      await this.#due();
      if (this.#stop.signal.aborted || (this.#finishing && !this.#hasNews())) break;
      const { outbox, ack, running } = this.#options;
      this.#lastSentMs = performance.now();
      const request = outbox.take(++this.#seq, ack(), this.#lastSentMs, running);
      this.#underWay = request;
      const end = await this.#sendUntilAnswered(request);
      if (end === 'stopped') break;
      this.#underWay = undefined;
      if (end === 'unknown') return 'unknown';
      if (end === 'answered' && this.hasSaidAll) this.#options.onSaid?.();
    }
    return 'stopped';
  }

  /** Nothing waits to be said or answered. */
  get hasSaidAll(): boolean {
    return this.#underWay === undefined && !this.#hasNews();
  }

  /** What was not answered and what was not said, for whoever says it in another process; it is not said here any more. */
  unsaid(): ExchangeRequest[] {
    const { outbox, running } = this.#options;
    const rest = outbox.take(this.#seq + 1, 0, performance.now(), running);
    return this.#underWay === undefined ? [rest] : [this.#underWay, rest];
  }

  /** Says what is left to say, then ends `run`. */
  finish(): void {
    this.#finishing = true;
    this.touch();
  }

  /** Ends `run` at once, whatever was not answered. */
  stop(): void {
    this.#stop.abort();
    this.#wakeUp();
  }

  #hasNews(): boolean {
    const { outbox } = this.#options;
    return outbox.hasEnds || outbox.urgent || outbox.oldestStartMs !== undefined;
  }

  #nextAt(): number {
    const { outbox, heartbeatMs, hungry } = this.#options;
    return nextExchangeAt({
      lastSentMs: this.#lastSentMs,
      heartbeatMs,
      urgent: outbox.urgent || outbox.resync || this.#finishing,
      hasEnds: outbox.hasEnds,
      oldestStartMs: outbox.oldestStartMs,
      progressAtMs: outbox.progressAtMs,
      hungry: outbox.hasEnds && hungry(),
    });
  }

  #due(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (this.#stop.signal.aborted) this.#wakeUp();
      else this.touch();
    });
  }

  #armTimer(at: number, now: number): void {
    if (this.#timer !== undefined && this.#timerAtMs <= at) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = at;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.touch();
    }, at - now);
  }

  #wakeUp(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  async #sendUntilAnswered(request: ExchangeRequest): Promise<'answered' | 'unknown' | 'stopped'> {
    const { sameHost, outbox, onRenewed, onFailed } = this.#options;
    while (!this.#stop.signal.aborted) {
      // Every copy that arrives renews the lease, the reply to this one included.
      const sentAt = leaseMoment(sameHost);
      try {
        const reply = await this.#send(request);
        onRenewed(reply.leaseMs, sentAt);
        if (!reply.deferred) {
          this.#backoff.reset();
          if (reply.resync) outbox.resync = true;
          return 'answered';
        }
        await this.#backoff.pause(this.#stop.signal);
      } catch (error) {
        if (endsSession(error)) return 'unknown';
        if (this.#stop.signal.aborted) break;
        onFailed(error);
        await this.#backoff.pause(this.#stop.signal);
      }
    }
    return 'stopped';
  }

  async #send(request: ExchangeRequest): Promise<ExchangeReply> {
    const { client, sessionId, leaseMs } = this.#options;
    const withinMs = Math.min(MOST_ANSWER_MS, leaseMs / 3);
    const abort = new AbortController();
    const onStop = () => abort.abort(this.#stop.signal.reason);
    this.#stop.signal.addEventListener('abort', onStop, { once: true });
    const timer = setTimeout(() => abort.abort(new Error(`no answer within ${withinMs} ms`)), withinMs);
    try {
      return await client.exchange(sessionId, request, { ...NO_RETRY, signal: abort.signal });
    } finally {
      clearTimeout(timer);
      this.#stop.signal.removeEventListener('abort', onStop);
    }
  }
}
