import { resolve } from 'node:path';
import { expandOutputPath } from '../../core/output-path.ts';
import { jobName, type QueueRow, rowNumber } from './queue-rows.ts';

/** Paths of the files of a row. */
export interface RowFiles {
  readonly out: string;
  readonly err: string;
  readonly in: string;
}

const NOWHERE = '/dev/null';

/**
 * Where it writes and reads: of a task its own files, of tasks that wait what their pattern gives for the first. What was submitted without Slurm's
 * commands and names no file is kept with the coordinator, and has none.
 *
 * @param user who submitted it, for `%u`
 */
export function rowFiles(row: QueueRow, user: string): RowFiles {
  const { job, task, set } = row;
  const { outputPath, errorPath = outputPath, inputPath } = job;
  const facts = {
    jobId: job.id,
    index: task?.index ?? set?.min ?? 0,
    rawId: rowNumber(row),
    name: jobName(job),
    user,
    host: task?.nodes?.[0]?.name ?? task?.worker ?? '',
  };
  const path = (pattern: string | undefined) =>
    pattern === undefined ? NOWHERE : resolve(job.cwd, expandOutputPath(pattern, facts));
  return { out: path(outputPath), err: path(errorPath), in: path(inputPath) };
}
