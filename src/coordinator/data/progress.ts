import type { Progress } from '../../api/session.ts';
import { GrantStatus } from '../../core/grant-range.ts';
import { TaskProgress } from '../../core/task-progress.ts';
import type { WorkerSession } from '../../core/worker-session.ts';
import type { Memory } from '../memory.ts';

/** What attempts say of how far they are; of those that are over, nothing. It is kept in memory alone. */
export function takeProgress(memory: Memory, session: WorkerSession, told: readonly Progress[]): void {
  for (const { fence, fraction, message } of told) {
    const range = session.find(fence);
    if (range === undefined || range.status[fence - range.fence] === GrantStatus.closed) continue;
    const { job } = memory.jobs.get(range.jobId)!;
    job.progress ??= new TaskProgress();
    job.progress.set(range.position + fence - range.fence, { fraction, ...(message === undefined ? {} : { message }) });
    memory.progressed.add(job);
  }
}
