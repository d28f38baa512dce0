import type { JobDelta } from '../api/job.ts';
import type { Job } from '../core/job.ts';
import { deltaOf } from './views.ts';

type Listener = (delta: JobDelta) => void;

/** Who wants to hear of which job. Deltas are taken when a batch is closed and given out when it is durable. */
export class Watchers {
  readonly #byJob = new Map<number, Set<Listener>>();
  readonly #ofEvents = new Set<() => void>();

  add(jobId: number, listener: Listener): () => void {
    const listeners = this.#byJob.get(jobId) ?? new Set();
    listeners.add(listener);
    this.#byJob.set(jobId, listeners);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#byJob.get(jobId) === listeners) this.#byJob.delete(jobId);
    };
  }

  /** Calls `wake` after each commit that held events; returns how to stop. */
  onEvents(wake: () => void): () => void {
    // Of its own, so that one who listens twice hears twice.
    const own = () => wake();
    this.#ofEvents.add(own);
    return () => this.#ofEvents.delete(own);
  }

  /** Events were committed. */
  eventsWritten(): void {
    for (const wake of this.#ofEvents) wake();
  }

  watched(jobId: number): boolean {
    return this.#byJob.has(jobId);
  }

  /** What to tell once the state of now is durable. */
  capture(jobs: Iterable<Job>): () => void {
    if (this.#byJob.size === 0) return () => {};
    const deltas = [...jobs].filter((job) => this.#byJob.has(job.id)).map(deltaOf);
    return () => {
      for (const delta of deltas) this.tell(delta);
    };
  }

  tell(delta: JobDelta): void {
    for (const listener of this.#byJob.get(delta.id) ?? []) listener(delta);
  }
}
