import type { FenceRun, GrantRun, StreamMessage } from '../api/session.ts';
import type { Attempts } from './attempts.ts';
import { FenceSet } from './fence-set.ts';
import type { Forker } from './forker/types.ts';
import type { Outbox } from './outbox.ts';
import { GrantQueue } from './queue.ts';

/** Fences that were held once and are remembered, so that a grant which comes twice does not run twice; in runs. */
const REMEMBERED_RUNS = 4_096;

/** What the coordinator says of grants that are here. */
type AboutHeld = Extract<
  StreamMessage,
  { type: 'revoke' | 'cancel' | 'drop' | 'limit' | 'suspend' | 'resume' | 'signal' }
>;

/** What was granted to a session: queued or running, and what becomes of it. */
export class Holdings {
  readonly #outbox: Outbox;
  readonly #attempts: Attempts;
  readonly #queue = new GrantQueue();
  readonly #over = new FenceSet();

  constructor(outbox: Outbox, attempts: Attempts) {
    this.#outbox = outbox;
    this.#attempts = attempts;
  }

  /** Tasks that have not started. */
  get queued(): number {
    return this.#queue.count;
  }

  /**
   * @param lane undefined when it was not described: the tasks go back
   * @param attempt number of every task's attempt, or one number a task in the order of `runs`
   */
  grant(
    jobId: number,
    lane: number | undefined,
    runs: readonly GrantRun[],
    attempt: number | readonly number[],
    forker: Forker | undefined,
  ): void {
    let done = 0;
    for (const [fence, position, count] of runs) {
      for (const [from, length] of this.#unknownOf(fence, count)) {
        const at = done + from - fence;
        this.#outbox.held.add(from, length);
        if (lane === undefined) {
          this.#giveBack([[from, length]]);
          continue;
        }
        this.#queue.add(jobId, lane, {
          fence: from,
          position: position + from - fence,
          count: length,
          attempt: typeof attempt === 'number' ? attempt : attempt.slice(at, at + length),
        });
      }
      done += count;
    }
    if (this.#outbox.draining) this.giveBackAll(forker);
  }

  take(message: AboutHeld, forker: Forker | undefined): void {
    const { fences } = message;
    switch (message.type) {
      case 'revoke':
        this.#revoke(fences, forker);
        break;
      case 'cancel':
        this.#cancel(fences, forker);
        break;
      case 'drop':
        this.#drop(fences, forker);
        break;
      case 'limit':
        this.#limit(fences, message.timeLimitMs, forker);
        break;
      case 'suspend':
      case 'resume':
        for (const [base, count] of fences) {
          if (forker !== undefined) this.#attempts.suspend(forker, base, count, message.type === 'suspend');
        }
        break;
      case 'signal':
        if (forker !== undefined) this.#attempts.signal(forker, message);
        break;
    }
  }

  /** What has started goes on. */
  #revoke(fences: readonly FenceRun[], forker: Forker | undefined): void {
    for (const [base, count] of fences) {
      this.#giveBack(this.#queue.remove(base, count));
      if (forker !== undefined) this.#attempts.withdraw(forker, base, count);
    }
  }

  #cancel(fences: readonly FenceRun[], forker: Forker | undefined): void {
    for (const [base, count] of fences) {
      this.#giveBack(this.#queue.remove(base, count));
      if (forker !== undefined) this.#attempts.cancel(forker, base, count);
    }
  }

  #drop(fences: readonly FenceRun[], forker: Forker | undefined): void {
    for (const [base, count] of fences) {
      this.#queue.remove(base, count);
      this.#attempts.drop(forker, base, count);
      this.#outbox.dropped(base, count);
      this.over(base, count);
    }
  }

  /** Of what runs from its start on, of what waits from its start to come. */
  #limit(fences: readonly FenceRun[], timeLimitMs: number, forker: Forker | undefined): void {
    for (const [base, count] of fences) {
      this.#queue.limit(base, count, timeLimitMs);
      if (forker !== undefined) this.#attempts.limit(forker, base, count, timeLimitMs);
    }
  }

  giveBackAll(forker: Forker | undefined): void {
    this.#giveBack(this.#queue.clear());
    if (forker !== undefined) this.#attempts.withdraw(forker, 0, Number.POSITIVE_INFINITY);
  }

  /** It was to start and could not: for example because the lease had just ended. */
  refused(fence: number): void {
    this.#giveBack([[fence, 1]]);
  }

  over(base: number, count = 1): void {
    this.#over.add(base, count);
    this.#over.keepHighest(REMEMBERED_RUNS);
  }

  /** Starts what can start. */
  startAll(forker: Forker): void {
    const now = performance.now();
    const fitOf = (jobId: number, lane: number) => this.#attempts.fitOf(jobId, lane, this.#queue.laneCount === 1);
    while (this.#queue.count > 0) {
      const grant = this.#queue.take(fitOf, now);
      if (grant === undefined) break;
      this.#attempts.start(forker, grant);
    }
  }

  #giveBack(runs: readonly FenceRun[]): void {
    this.#outbox.returned(runs);
    for (const [base, count] of runs) this.over(base, count);
  }

  /** Of a run, what is neither held nor over. */
  #unknownOf(base: number, count: number): FenceRun[] {
    return this.#outbox.held.without(base, count).flatMap(([from, length]) => this.#over.without(from, length));
  }
}
