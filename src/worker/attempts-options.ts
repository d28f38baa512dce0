import type { Resources, StreamMessage } from '../api/session.ts';
import type { Gpu } from '../core/gpu-list.ts';
import type { Attempt } from './attempt.ts';
import type { Forker } from './forker/types.ts';
import type { KnownJob } from './job-book.ts';
import type { PendingEnd, PendingStart } from './outbox.ts';
import type { RunDefaults } from './run-request.ts';
import type { StepFolders } from './steps/step-folders.ts';

export interface AttemptsOptions extends RunDefaults {
  readonly resources: Resources;
  /** As many as `resources` says. */
  readonly gpus: readonly Gpu[];
  /** What this worker is called, when it is on another machine than its coordinator. */
  readonly elsewhere: string | undefined;
  readonly job: (jobId: number, lane: number) => KnownJob | undefined;
  /** The number in the forker of the job's environment, or one with as good as nothing. */
  readonly envId: (forker: Forker, job?: KnownJob) => number;
  /** What srun started in attempts; absent where they run in a place of their own. */
  readonly steps?: StepFolders | undefined;
  readonly onStarted: (start: PendingStart, attempt: Attempt) => void;
  readonly onEnded: (end: PendingEnd, attempt: Attempt) => void;
  /** It was made to stand still, or to go on. */
  readonly onSuspended: (fence: number, on: boolean) => void;
  /** It did not start and will not: its grant goes back. */
  readonly onRefused: (fence: number) => void;
}

/** Which attempts get which signal. */
export type ToSignal = Pick<Extract<StreamMessage, { type: 'signal' }>, 'fences' | 'signal' | 'mainOnly' | 'steps'>;
