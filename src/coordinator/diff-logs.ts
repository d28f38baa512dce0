import type { LogDiffQuery, LogDiffReply } from '../api/insight.ts';
import type { Ledger } from './ledger.ts';
import { lookAt } from './reading.ts';
import { resolveRef } from './refs.ts';
import { selectTasks } from './selection.ts';
import { addEnds, seeLogs } from './which-logs.ts';

/** Lines of failed tasks that no completed task of the job has. A reference to some tasks chooses among the failed ones. */
export async function diffLogs(
  ledger: Ledger,
  ref: string,
  query: LogDiffQuery,
  signal: AbortSignal,
): Promise<LogDiffReply> {
  const { store, logs } = ledger.ports;
  const resolved = await resolveRef(ledger.memory, store, ref, 'look');
  const seen = await lookAt(ledger, resolved.id, ({ job }) => {
    const failed = selectTasks(job, resolved, { state: 'failed' });
    const completed = selectTasks(job, { id: job.id, indices: null }, { state: 'completed' });
    return seeLogs(job, [failed.runs, completed.runs]);
  });
  return logs.diff(resolved.id, await addEnds(store, resolved.id, seen), query, signal);
}
