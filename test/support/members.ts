import type { JobSpecInput } from '../../src/api/job-spec.ts';
import { TASK_REASONS } from '../../src/core/task-table.ts';
import { type LedgerAtHand, WorkerAtHand } from './ledger-at-hand.ts';

/** An instance array, its rows made. */
export async function launch(at: LedgerAtHand, size: number, spec: Partial<JobSpecInput> = {}): Promise<number> {
  const { instances, ...rest } = spec;
  const array = size === 1 ? {} : { array: `0-${size - 1}` };
  const id = await at.submit({ name: 'compute', ...array, ...rest, instances: { ...instances } });
  await at.ledger.idle();
  return id;
}

/** The id of the machine of a member. */
export function instanceOf(at: LedgerAtHand, job: number, position: number): string {
  const rows = [...at.ledger.memory.instances.rows.values()];
  return rows.find((row) => row.jobId === job && row.position === position && row.endedAt === 0)!.id;
}

/** An agent that serves it. */
export function serve(at: LedgerAtHand, job: number, position: number, resume?: number): Promise<WorkerAtHand> {
  const bound = resume === undefined ? {} : { resume };
  return WorkerAtHand.join(at, { instance: instanceOf(at, job, position), bound });
}

/** Why its tasks are as they are. */
export function reasons(at: LedgerAtHand, job: number): string[] {
  const { table } = at.job(job);
  return [...table.state].map((_, position) => TASK_REASONS[table.reasonOf(position)]!);
}
