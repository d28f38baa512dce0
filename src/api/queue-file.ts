import { z } from 'zod';
import { duration, exactlyOne, path, section, size, text, variableName } from './job-file/leaves.ts';
import { MAX_ENV_ENTRIES, MAX_RETRIES, MAX_WORKFLOW_JOBS } from './limits.ts';
import { Gpus } from './resources.ts';

const jobId = text(63).regex(
  /^[A-Za-z0-9_][A-Za-z0-9._-]*$/,
  'a name of letters, digits, ".", "_" and "-", a letter, a digit or "_" first',
);

const retryCount = z.int().min(0).max(MAX_RETRIES);

const retry = section({
  max_attempts: z
    .int()
    .min(1)
    .max(MAX_RETRIES + 1)
    .describe('It is tried so many times in all'),
  delay: duration().optional().describe('Before each further attempt'),
  backoff: z
    .enum(['fixed', 'exponential'])
    .optional()
    .describe('Whether the delay doubles each time (from 1s, when none is given); default fixed'),
});

const env = z
  .record(variableName, text(131_072, 0))
  .refine((all) => Object.keys(all).length <= MAX_ENV_ENTRIES, `at most ${MAX_ENV_ENTRIES} variables`);

const onFailure = z.enum(['stop', 'continue']);

const job = exactlyOne(
  section({
    id: jobId.describe('By which others wait for it'),
    command: text(1_048_576).optional().describe('A line for the shell'),
    script: path.optional().describe('A script, as it is at the submit; relative to the file'),
    args: z.array(text(131_072, 0)).max(10_000).optional().describe('Of the script'),
    depends_on: z.array(jobId).max(MAX_WORKFLOW_JOBS).optional().describe('Jobs that must have completed before'),
    retry: z
      .union([retryCount.transform((max): z.infer<typeof retry> => ({ max_attempts: max + 1 })), retry])
      .optional()
      .describe('How often it is tried again when it fails'),
    timeout: duration(1).optional().describe('An attempt is ended after this long'),
    env: env.optional().describe('Variables of this job, over those of the queue'),
    result_paths: z
      .array(path.refine((pattern) => !pattern.split('/').includes('..'), 'a path without ".."'))
      .min(1)
      .max(1_000)
      .optional()
      .describe('Files that it must have made, with * ? [a-z]; they are copied into the results of the queue'),
    on_failure: onFailure.optional().describe('In place of that of the queue'),
    cpus: z.number().positive().max(4_096).optional(),
    memory: size().optional(),
    gpus: Gpus.optional(),
    cwd: path.optional().describe('Directory to run in; relative to the file'),
  }),
  ['command', 'script'],
);

/** A file of jobs that wait for each other, for `spawn queue run`. */
export const QueueFile = section(
  {
    $schema: z.string().optional(),
    name: text(63).optional(),
    jobs: z.array(job).min(1).max(MAX_WORKFLOW_JOBS),
    on_failure: onFailure.optional().describe('When a job fails: stop starts nothing more; default continue'),
    timeout: duration(1).optional().describe('What has not ended so long after the submit is cancelled'),
    env: env.optional().describe('Variables of all jobs'),
    results: path.optional().describe('Directory that result_paths go to, a folder for each job; relative to the file'),
  },
  'a mapping with the jobs of the queue',
);
export type QueueFile = z.infer<typeof QueueFile>;
export type QueueFileJob = QueueFile['jobs'][number];
