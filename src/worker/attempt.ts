import type { Outcome } from '../core/outcome.ts';
import type { Needs } from '../core/resources.ts';
import type { LogPosition } from './forker/types.ts';
import type { KnownJob } from './job-book.ts';
import type { DataTask, NoTask } from './parts/job-data.ts';
import type { Grant } from './queue.ts';

/** A try at a task that was sent to the forker and has not ended. */
export interface Attempt {
  readonly grant: Grant;
  readonly job: KnownJob;
  /** What it has of this worker's resources. */
  readonly needs: Needs;
  /** Numbers of its devices. */
  readonly devices: readonly number[];
  /** It asks for what this worker does not have, and only says so. */
  readonly isImpossible: boolean;
  /** Its part and its output; undefined for a job that is none of data. */
  data: DataTask | NoTask | undefined;
  log: LogPosition | undefined;
  /** Nobody wants to know how it ends. */
  dropped: boolean;
  cancelled: boolean;
  /** It is ended because it said nothing for too long. */
  stalled: boolean;
  /** Its command could not be run; a process that says so runs in its place, and this is how the attempt ends. */
  failure: Outcome | undefined;
}
