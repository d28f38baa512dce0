import { z } from 'zod';
import { checkName } from '../../core/ids.ts';
import { MAX_INDEX, parseIndexSet } from '../../core/index-set.ts';
import { checkNamedDependency } from '../../core/named-dependency.ts';
import { signalNamed } from '../../core/outcome.ts';
import { parseTime } from '../../core/time-text.ts';
import { duration, leaf, section, wordOf } from './leaves.ts';

/** Name of a job. */
export const jobName = leaf(
  'a name of letters, digits, ".", "_" and "-"',
  { type: 'string', minLength: 1, maxLength: 63 },
  (value) => (typeof value === 'string' ? checkName(value) : undefined),
);

/** An array as it is written on the command line: `100`, `0-99:2`, `1,3,7-9`, with `%N`. */
export const arrayText = leaf(
  'a number of tasks or indices, as 100, 0-99:2 or 1,3,7-9%2',
  { type: ['string', 'integer'], examples: [100, '0-99%10'] },
  (value) => {
    const { set, throttle } = parseIndexSet(wordOf(value), { maxSize: MAX_INDEX + 1 });
    return { indices: set.toString(), throttle, size: set.size };
  },
);

const TYPES = ['after', 'afterany', 'afterok', 'afternotok', 'aftercorr'] as const;

const term = leaf(
  'a dependency as afterok:NAME or aftercorr:12',
  { type: 'string', examples: ['afterok:clean'] },
  (value) => {
    if (typeof value !== 'string' || value === '' || value.length > 65_536) return undefined;
    checkNamedDependency(value);
    return value;
  },
);

const job = z.union([z.int().min(1).transform(String), z.string().min(1).max(80)]);
const jobs = z.union([job.transform((one) => [one]), z.array(job).min(1).max(1_000)]).optional();

const byType = section({
  after: jobs.describe('All their tasks have started'),
  afterany: jobs.describe('They have ended, however'),
  afterok: jobs.describe('All their tasks have succeeded'),
  afternotok: jobs.describe('One of their tasks has failed'),
  aftercorr: jobs.describe('Each task waits for the task with its own index'),
}).transform((given) =>
  TYPES.filter((type) => given[type] !== undefined)
    .map((type) => `${type}:${given[type]!.join(':')}`)
    .join(','),
);

/** What is waited for; as the text of a dependency, with names for jobs. */
export const dependency = z.union([
  term,
  z
    .array(term)
    .min(1)
    .max(1_000)
    .transform((terms) => terms.join(',')),
  byType,
]);

const moment = leaf(
  'a time as 2027-01-31T18:00, 2027-01-31T18:00Z, now+1h or 1h',
  { type: 'string', examples: ['2027-01-31T18:00', 'now+1h'] },
  (value) => {
    if (typeof value !== 'string') return undefined;
    // Whether it is a time; which one is told by the zone of whoever submits.
    parseTime(value, () => 0);
    return value;
  },
);

const signal = section({
  name: leaf('a signal as USR1, SIGUSR1 or 10 (1 to 64)', { type: ['string', 'integer'] }, (value) =>
    signalNamed(wordOf(value)),
  ).describe('Which, as USR1'),
  before: duration(1).optional().describe('So long before the time limit; default 60s'),
  to: z.enum(['all', 'main']).optional().describe('To all processes of the task, or to the first one; default all'),
});

/** When a job may run, and what becomes of it. */
export const CONDITIONS = {
  hold: z.boolean().optional().describe('Nothing starts until spawn release'),
  begin: moment.optional().describe('Nothing starts before, as 2027-01-31T18:00 or now+1h'),
  deadline: moment.optional().describe('What has not ended by then is cancelled'),
  unsatisfiable: z
    .enum(['skip', 'wait'])
    .optional()
    .describe('What becomes of a task whose dependency can never be satisfied; default skip'),
  signal: signal.optional().describe('A signal before the time limit'),
};
