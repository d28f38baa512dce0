import { resolve } from 'node:path';
import type { JobView } from '../../api/job.ts';
import { expandOutputPath } from '../../core/output-path.ts';
import { jobName, type QueueRow, rowNumber } from './queue-rows.ts';
import { rowNodes } from './queue-values.ts';

/** Files of a task, as scontrol shows them. */
export interface RowFiles {
  readonly out: string;
  readonly err: string;
  readonly in: string;
}

/** Patterns of a job, as its spec and its view have them. */
type Patterns = Pick<JobView, 'outputPath' | 'errorPath' | 'inputPath'>;

/** The files of a row by the patterns of its job; of several tasks `%a` stays as Slurm shows it. @param user who submitted it */
export function rowFiles(row: QueueRow, spec: Patterns, user: string): RowFiles {
  const { job, task, set } = row;
  const index = task?.index ?? (set?.size === 1 ? set.min : undefined);
  const path = (pattern: string | undefined): string | undefined => {
    if (pattern === undefined) return undefined;
    const known = index === undefined ? pattern.replace(/%\d*[ab]/g, '%$&') : pattern;
    const facts = {
      jobId: job.id,
      index: index ?? 0,
      rawId: rowNumber(row),
      name: jobName(job),
      user,
      host: rowNodes(row)[0] ?? '',
    };
    return resolve(job.cwd, expandOutputPath(known, facts));
  };
  const out = path(spec.outputPath) ?? '/dev/null';
  return { out, err: path(spec.errorPath) ?? out, in: path(spec.inputPath) ?? '/dev/null' };
}
