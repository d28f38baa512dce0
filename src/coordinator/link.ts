import type { ExchangeReply, StreamMessage } from '../api/session.ts';
import type { StreamSink } from './use-cases.ts';

type Numbered = Exclude<StreamMessage, { type: 'ping' }>;
/** A message before it has its number. */
export type Unnumbered = Numbered extends infer M ? (M extends Numbered ? Omit<M, 'n'> : never) : never;

/** What this life of the coordinator knows of the connection to one session; none of it is stored. */
export class Link {
  readonly sessionId: number;
  /** Jobs described to the worker in this life, with how many of their lanes. */
  readonly known = new Map<number, number>();
  /** Number of the last message. Starts above all numbers of earlier lives. */
  n: number;
  readonly firstN: number;
  /** What was sent before is not known to have arrived: the worker is asked for all it holds. */
  resync: boolean;
  lastSeq = 0;
  lastReply: Promise<ExchangeReply> | undefined;
  #unacked: { n: number; line: string; type: Unnumbered['type'] }[] = [];
  #sink: StreamSink | undefined;

  /** @param above number above which its messages are numbered, at least */
  constructor(sessionId: number, epoch: number, resync: boolean, above = 0) {
    this.sessionId = sessionId;
    this.resync = resync;
    this.firstN = Math.max(epoch * 2 ** 32, above);
    this.n = this.firstN;
  }

  get attached(): boolean {
    return this.#sink !== undefined;
  }

  /** Numbers the message and sends it, now or when the worker is back. */
  send(message: Unnumbered): number {
    this.n++;
    const line = JSON.stringify({ ...message, n: this.n });
    this.#unacked.push({ n: this.n, line, type: message.type });
    this.#sink?.write(line);
    return this.n;
  }

  acknowledge(n: number): void {
    let done = 0;
    while (done < this.#unacked.length && this.#unacked[done]!.n <= n) done++;
    if (done > 0) this.#unacked.splice(0, done);
  }

  /** Directives say how much time is left from the moment they are sent: one that may not have arrived is of no use later. */
  dropDirectives(): void {
    this.#unacked = this.#unacked.filter(({ type }) => type !== 'instance');
  }

  attach(after: number, sink: StreamSink): void {
    this.#sink?.close();
    this.#sink = sink;
    for (const { n, line } of this.#unacked) if (n > after) sink.write(line);
  }

  /** Does nothing when another stream has taken over. */
  detach(sink: StreamSink): boolean {
    if (this.#sink !== sink) return false;
    this.#sink = undefined;
    return true;
  }

  close(): void {
    this.#sink?.close();
    this.#sink = undefined;
  }
}

/** Workers that were told of a job hear of it anew with its next grant; none may be open. */
export function forgetJob(links: Iterable<Link>, jobId: number): void {
  for (const link of links) if (link.known.delete(jobId)) link.send({ type: 'forget', job: jobId });
}
