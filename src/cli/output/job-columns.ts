import type { JobView } from '../../api/job.ts';
import { colourOfState } from './color.ts';
import { isoTime, shownCount, shownDuration } from './format.ts';
import type { Column } from './table.ts';

/** A list of jobs. @param now by this machine's clock, for their age */
export function jobColumns(now: number): readonly Column<JobView>[] {
  const count = (title: string, of: (job: JobView) => number): Column<JobView> => ({
    title,
    right: true,
    value: (job) => shownCount(of(job)),
    plain: (job) => String(of(job)),
  });
  return [
    { title: 'JOB', right: true, value: (job) => String(job.id) },
    { title: 'NAME', value: (job) => job.name },
    { title: 'STATE', value: (job) => job.state, colour: (job) => colourOfState(job.state) },
    count('TASKS', (job) => job.size),
    count('DONE', (job) => job.counts.completed),
    count('RUNNING', (job) => job.counts.running),
    count('FAILED', (job) => job.counts.failed),
    {
      title: 'AGE',
      right: true,
      value: (job) => shownDuration(now - job.createdAt),
      plain: (job) => isoTime(job.createdAt) ?? '',
    },
    { title: 'COMMAND', value: (job) => job.command },
  ];
}
