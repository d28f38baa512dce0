import type { ExchangeRequest, FenceRun } from '../../src/api/session.ts';

export interface Held {
  fence: number;
  jobId: number;
  position: number;
  attempt: number;
  started: boolean;
  /** It stands still; what it would have done meanwhile it does then. */
  suspended?: boolean;
  due?: () => void;
}

/** What a fake worker holds, and what it has not reported yet. */
export class FakeHoldings {
  readonly held = new Map<number, Held>();
  readonly #started: number[] = [];
  readonly #ended: { fence: number; outcome: number }[] = [];
  readonly #returned: number[] = [];
  /** Over, so that a grant that comes again is known. */
  readonly #recent = new Set<number>();

  get running(): number {
    return [...this.held.values()].filter(({ started }) => started).length;
  }

  get unreported(): number {
    return this.#started.length + this.#ended.length + this.#returned.length;
  }

  /** False when it is or was held. */
  take(held: Held): boolean {
    if (this.held.has(held.fence) || this.#recent.has(held.fence)) return false;
    this.held.set(held.fence, held);
    return true;
  }

  start(held: Held): void {
    held.started = true;
    this.#started.push(held.fence);
  }

  end(fence: number, outcome: number): void {
    this.forget(fence);
    this.#ended.push({ fence, outcome });
  }

  giveBack(fence: number): void {
    this.forget(fence);
    this.#returned.push(fence);
  }

  /** Not held any more, and nothing to report. */
  forget(fence: number): void {
    this.held.delete(fence);
    this.#recent.add(fence);
  }

  named(runs: readonly FenceRun[]): Held[] {
    return [...this.held.values()].filter(({ fence }) =>
      runs.some(([base, count]) => fence >= base && fence < base + count),
    );
  }

  /** Takes what is to be reported; an end implies its start. */
  report(seq: number, ack: number, resync: boolean): ExchangeRequest {
    const ended = this.#ended.splice(0);
    const fences = [...this.held.keys()];
    const request: ExchangeRequest = {
      seq,
      ack,
      starts: { fences: this.#started.splice(0).filter((fence) => this.held.has(fence)) },
      ends: { runs: ended.map(({ fence }) => [fence, 1]), outcome: ended.map(({ outcome }) => outcome) },
      returned: this.#returned.splice(0).map((fence) => [fence, 1]),
      held: { count: fences.length, sum: fences.reduce((sum, fence) => (sum + fence) % 2 ** 48, 0) },
    };
    if (!resync) return request;
    const started = fences.filter((fence) => this.held.get(fence)!.started);
    return { ...request, heldRuns: fences.map((fence) => [fence, 1]), startedRuns: started.map((fence) => [fence, 1]) };
  }

  clear(): void {
    this.held.clear();
    this.#started.length = 0;
    this.#ended.length = 0;
    this.#returned.length = 0;
    this.#recent.clear();
  }
}
