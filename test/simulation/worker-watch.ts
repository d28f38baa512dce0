import type { Held } from './fake-holdings.ts';

/** What a task does when it runs, told by the simulation. */
export interface TaskScript {
  durationMs: number;
  outcome: number;
  killsWorker: boolean;
  /** Of a task that plans: how many parts it finds. */
  parts?: number;
}

/** Where tasks run: a worker, or the machine of an instance. */
export interface Place {
  readonly name: string;
  readonly frozen: boolean;
}

/** What the simulation wants to know of a worker. */
export interface WorkerWatch {
  script(jobId: number, position: number): TaskScript;
  /** A task's process started, or is no more. */
  began(place: Place, held: Held): void;
  over(place: Place, fence: number): void;
  granted(jobId: number, position: number, attempt: number): void;
}
