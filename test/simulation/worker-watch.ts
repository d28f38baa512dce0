import type { Held } from './fake-holdings.ts';
import type { FakeWorker } from './fake-worker.ts';

/** What a task does when it runs, told by the simulation. */
export interface TaskScript {
  durationMs: number;
  outcome: number;
  killsWorker: boolean;
}

/** What the simulation wants to know of a worker. */
export interface WorkerWatch {
  script(jobId: number, position: number): TaskScript;
  /** A task's process started, or is no more. */
  began(worker: FakeWorker, held: Held): void;
  over(worker: FakeWorker, fence: number): void;
  granted(jobId: number, position: number, attempt: number): void;
}
