import { z } from 'zod';
import { parseRetryFilter } from '../../core/failure-filter.ts';
import { MAX_CANARY, MAX_RETRIES } from '../limits.ts';
import { Gpus, ResourceAmounts } from '../resources.ts';
import { duration, leaf, part, section, size, wordOf } from './leaves.ts';

const end = leaf(
  'ends of attempts as 1, 100-110, SIGKILL, oom or time-limit',
  { type: ['string', 'integer'], examples: ['75,oom'] },
  (value) => {
    const filter = wordOf(value);
    parseRetryFilter(filter);
    return filter;
  },
);
const ends = z.union([
  end,
  z
    .array(end)
    .min(1)
    .max(1_000)
    .transform((all) => all.join(',')),
]);

const retryCount = z.int().min(0).max(MAX_RETRIES);

const retries = section({
  max: retryCount.describe('A failed task is tried again up to so many times'),
  delay: duration().optional().describe('Before the first retry'),
  backoff: z.enum(['fixed', 'exponential']).optional().describe('Whether the delay doubles each time; default fixed'),
  jitter: part().optional().describe('Each delay is up to this part shorter or longer'),
  max_delay: duration().optional().describe('No delay grows beyond this; default 1h'),
  retry_on: ends.optional().describe('Only these ends are tried again, as 75, SIGKILL, oom, time-limit; one or a list'),
  no_retry_on: ends.optional().describe('These ends are not tried again'),
});

const speculation = section({
  after: part().optional().describe('As soon as this part of the tasks has ended; default 75%'),
  times: z.number().min(1).max(1_000).optional().describe('And it has run for so many times the median; default 3'),
  at_least: duration().optional().describe('And at least this long; default 10s'),
});

/** What the tasks need, and how they are tried. */
export const FileCompute = section({
  concurrency: z.int().min(1).max(1_000_000_000).optional().describe('So many tasks run at once, at most'),
  cpus: z.number().positive().max(4_096).optional().describe('CPUs of each task; default 1'),
  memory: size().optional().describe('Memory of each task, as 4G'),
  gpus: Gpus.optional().describe('GPUs of each task: 2, or 0.5 to share one'),
  resources: ResourceAmounts.optional().describe('So much of what workers offer under a name, as licence: 1'),
  exclusive: z.boolean().optional().describe('Each task gets a worker that has nothing else to do'),
  time_limit: duration().optional().describe('An attempt is ended after this long'),
  grace: duration(0, 3_600_000).optional().describe('From TERM to KILL; default 5s'),
  retries: z
    .union([retryCount.transform((max): z.infer<typeof retries> => ({ max })), retries])
    .optional()
    .describe('How often and when a failed task is tried again'),
  crash_limit: z
    .int()
    .min(1)
    .max(1_000)
    .optional()
    .describe('A task that lost its worker so many times fails; default 5'),
  max_failures: z.int().min(0).max(1_000_000_000).optional().describe('The rest is cancelled when more tasks failed'),
  min_success: part(false)
    .optional()
    .describe('The job has succeeded when at least this part of its tasks has; default 100%'),
  heartbeat_timeout: duration().optional().describe('An attempt that says no progress for so long is ended'),
  speculation: z
    .union([z.literal(true).transform((): z.infer<typeof speculation> => ({})), speculation])
    .optional()
    .describe('A task that takes much longer than others is tried a second time beside its first'),
  pack: z
    .int()
    .min(0)
    .max(100_000)
    .optional()
    .describe('So many tasks are granted to a worker at once; 0: by their duration'),
  priority: z.int().min(-1_000_000).max(1_000_000).optional().describe('Higher runs first; default 0'),
  canary: z
    .int()
    .min(0)
    .max(MAX_CANARY)
    .optional()
    .describe('So many tasks, chosen by chance, run first; when one fails, the rest is cancelled'),
});
export type FileCompute = z.infer<typeof FileCompute>;
