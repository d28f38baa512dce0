import { IndexSet } from '../../src/core/index-set.ts';
import { Job, type JobFacts } from '../../src/core/job.ts';
import type { Offer } from '../../src/core/resources.ts';
import { DEFAULT_RETRY_POLICY } from '../../src/core/retry.ts';
import { TaskState } from '../../src/core/task-state.ts';
import { WorkerSession } from '../../src/core/worker-session.ts';

/** A job of the core as the coordinator makes one: `size` tasks from index 0, one CPU each, of one owner, depending on nothing. */
export function coreJob(
  id: number,
  { size = 1, ...more }: Partial<JobFacts> & { readonly size?: number } = {},
  ground: TaskState = more.dependency === undefined || more.dependency === null ? TaskState.ready : TaskState.blocked,
): Job {
  return new Job(
    {
      id,
      name: `job-${id}`,
      owner: 'ada',
      indices: IndexSet.ofSize(size),
      createdAt: 1_000,
      cpus: 1,
      memoryBytes: 0,
      gpus: 0,
      resources: {},
      timeLimitMs: 0,
      minApi: 1,
      bound: false,
      retryPolicy: DEFAULT_RETRY_POLICY,
      maxFailures: Number.POSITIVE_INFINITY,
      dependency: null,
      invalidDependency: 'skip',
      ...more,
    },
    ground,
  );
}

/** A connected session with nothing on it. */
export function coreSession(
  id: number,
  cpus: number,
  memoryBytes = 2 ** 30,
  more: Partial<Offer> = {},
  api = 2,
): WorkerSession {
  const session = new WorkerSession(id, `w${id}`, { cpus, memoryBytes, ...more }, api);
  session.connected = true;
  return session;
}
