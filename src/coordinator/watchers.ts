import type { JobDelta } from '../api/job.ts';
import type { Job } from '../core/job.ts';
import { deltaOf } from './views.ts';

type Listener = (delta: JobDelta) => void;

/** Who wants to hear of which job. Deltas are taken when a batch is closed and given out when it is durable. */
export class Watchers {
  readonly #byJob = new Map<number, Set<Listener>>();

  add(jobId: number, listener: Listener): () => void {
    const listeners = this.#byJob.get(jobId) ?? new Set();
    listeners.add(listener);
    this.#byJob.set(jobId, listeners);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#byJob.get(jobId) === listeners) this.#byJob.delete(jobId);
    };
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
