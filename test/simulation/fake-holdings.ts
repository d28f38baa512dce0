import type { Planned } from '../../src/api/data.ts';
import { API_VERSION } from '../../src/api/limits.ts';
import type { ExchangeRequest, FenceRun, HelloRequest, StreamMessage } from '../../src/api/session.ts';
import { FakeMembers } from './fake-members.ts';

export interface Held {
  fence: number;
  jobId: number;
  position: number;
  attempt: number;
  started: boolean;
  /** That it needs; absent where nothing else runs. */
  cpus?: number;
  /** It stands still; what it would have done meanwhile it does then. */
  suspended?: boolean;
  due?: () => void;
}

/** What a fake worker says first. */
export function helloOf(worker: string, cpus: number): HelloRequest {
  return {
    worker,
    host: 'simulated',
    pid: 1,
    bootId: 'simulated',
    resources: { cpus, memoryBytes: 2 ** 30, gpus: 2, named: { licence: 1 } },
    api: API_VERSION,
    version: 'simulated',
  };
}

/** What a fake worker holds, and what it has not reported yet. */
export class FakeHoldings {
  readonly held = new Map<number, Held>();
  readonly #started: number[] = [];
  readonly #ended: { fence: number; outcome: number }[] = [];
  readonly #returned: number[] = [];
  readonly #planned: Planned[] = [];
  /** Over, so that a grant that comes again is known. */
  readonly #recent = new Set<number>();

  /** That a task of a job needs. */
  readonly cpusOf = new Map<number, number>();

  /** The tasks of a message, one by one. */
  grantsOf({ job, runs, attempt, placement }: Extract<StreamMessage, { type: 'grant' }>): Held[] {
    const each = runs.flatMap(([fence, position, count]) =>
      Array.from({ length: count }, (_, at) => ({ fence: fence + at, position: position + at })),
    );
    const attemptOf = (at: number) => (typeof attempt === 'number' ? attempt : attempt[at]!);
    const [node] = placement?.nodes ?? [];
    const cpus = node?.cpus ?? this.cpusOf.get(job) ?? 0;
    return each.map((task, at) => ({ ...task, jobId: job, attempt: attemptOf(at), started: false, cpus }));
  }

  /** Beside what runs, on a worker of so many CPUs. */
  hasRoom({ cpus = 0 }: Held, all: number): boolean {
    let used = this.members.cpus + cpus;
    for (const held of this.held.values()) if (held.started) used += held.cpus ?? 0;
    return used <= all + 1e-6;
  }

  get running(): number {
    return [...this.held.values()].filter(({ started }) => started).length;
  }

  /** Parts in gangs that run elsewhere. */
  readonly members = new FakeMembers();

  get unreported(): number {
    return this.#started.length + this.#ended.length + this.#returned.length + this.members.unreported;
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

  /** What a task that plans has found, if it has done that. */
  plan(fence: number, { parts, outcome }: { parts?: number; outcome: number }): void {
    if (parts !== undefined && outcome === 0) this.#planned.push({ fence, hash: 'a'.repeat(64), parts });
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

  /** They go on, with what they would have done meanwhile. */
  resume(runs: readonly FenceRun[]): void {
    for (const held of this.named(runs)) {
      held.suspended = false;
      const { due } = held;
      delete held.due;
      due?.();
    }
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
      ...this.members.take(),
      ...(this.#planned.length === 0 ? {} : { planned: this.#planned.splice(0) }),
    };
    if (!resync) return request;
    const started = fences.filter((fence) => this.held.get(fence)!.started);
    return {
      ...request,
      heldRuns: fences.map((fence) => [fence, 1]),
      startedRuns: started.map((fence) => [fence, 1]),
      heldMembers: this.members.fences,
    };
  }

  clear(): void {
    this.held.clear();
    this.#started.length = 0;
    this.#ended.length = 0;
    this.#returned.length = 0;
    this.#planned.length = 0;
    this.#recent.clear();
    this.members.clear();
  }
}
