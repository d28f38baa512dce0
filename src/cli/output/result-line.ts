import type { Counts, JobView, TaskView } from '../../api/job.ts';
import { counted, shownCount, shownDuration } from './format.ts';

const ENDS: readonly (keyof Counts)[] = ['completed', 'failed', 'cancelled', 'skipped'];

/** `12_5 (exit 3)`. */
function failureText(task: TaskView): string {
  return `${task.id} (${task.outcome ?? task.reason ?? task.state})`;
}

/** How a job ended, in one line: `job 12 failed: 97 completed, 3 failed in 3.2s: 12_5 (exit 3), …; see: spawn logs 12_5`. */
export function resultLine(job: JobView, failed: readonly TaskView[]): string {
  const took = job.endedAt === undefined ? '' : ` in ${shownDuration(job.endedAt - (job.startedAt ?? job.createdAt))}`;
  const present = ENDS.filter((state) => job.counts[state] > 0);
  const only = present.length === 1 && job.counts[present[0]!] === job.size;
  const what = only
    ? counted(job.size, 'task')
    : present.map((state) => `${shownCount(job.counts[state])} ${state}`).join(', ');
  const first = failed[0];
  if (first === undefined) return `job ${job.id} ${job.state}: ${what}${took}`;
  const more = job.counts.failed > failed.length ? ', …' : '';
  const examples = failed.map(failureText).join(', ');
  return `job ${job.id} ${job.state}: ${what}${took}: ${examples}${more}; see: spawn logs ${first.id}`;
}
