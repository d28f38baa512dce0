import type { UpdateRequest } from '../../api/job.ts';
import { MAX_DURATION_MS } from '../../api/limits.ts';
import { formatBytes } from '../../core/bytes.ts';
import { formatDuration } from '../../core/duration.ts';
import { SpawnError } from '../../core/errors.ts';
import { numberAfter, readAfter } from '../after-names.ts';
import { defineCommand, type OptionTable, type Values } from '../command.ts';
import { bytes, durationUpTo, wholeNumber } from '../option-values.ts';
import { counted, isoTime } from '../output/format.ts';
import { seeHelp } from '../parse-command-line.ts';
import { indexOption, narrowed, readRef } from '../refs.ts';
import { beginOf, deadlineOf } from '../submit/spec-of.ts';
import { time } from '../submit/values.ts';

/** A value, or `none`, which takes away what there was. */
function orNone<T>(read: (text: string, where: string) => T) {
  return (text: string, where: string): T | null => (text === 'none' ? null : read(text, where));
}

const options = {
  throttle: {
    value: 'N',
    summary: 'At most N tasks at once from now on; 0: no bound',
    parse: wholeNumber(0, 1_000_000_000),
  },
  priority: { value: 'N', summary: 'Higher runs first', parse: wholeNumber(-1_000_000, 1_000_000) },
  'time-limit': {
    value: 'DURATION',
    summary: 'Of each attempt, also of those that run; 0: none',
    parse: durationUpTo(MAX_DURATION_MS),
  },
  memory: { value: 'BYTES', summary: 'Memory of attempts that start from now on', parse: bytes },
  after: {
    value: 'LIST|none',
    summary: 'What tasks that have not started wait for, instead of what they waited for',
    parse: orNone(readAfter),
  },
  begin: { value: 'TIME|none', summary: 'Start nothing before', parse: orNone(time(0)) },
  deadline: { value: 'TIME|none', summary: 'Cancel what has not ended by then', parse: orNone(time(1)) },
  'max-failures': {
    value: 'N|none',
    summary: 'Cancel the rest when more than N tasks failed',
    parse: orNone(wholeNumber(0, 1_000_000_000)),
  },
  index: indexOption,
} as const satisfies OptionTable;
type Given = Values<typeof options>;

/** These are of a job as a whole. */
const OF_JOBS = ['throttle', 'begin', 'deadline', 'max-failures'] as const satisfies readonly (keyof Given)[];

export const update = defineCommand({
  usage: ['update [options] JOB|TASK'],
  about:
    'Changes a job that has been submitted, or some of its tasks: of these the priority, the time limit, the memory and\n' +
    'what they wait for. Lowering the throttle stops nothing that runs.',
  options,
  operands: { name: 'JOB|TASK', min: 1, max: 1 },
  examples: [
    { line: 'spawn update 12 --throttle 4', says: 'at most four at once' },
    { line: 'spawn update 12_3 --time-limit 2h --priority 10', says: 'one task' },
    { line: 'spawn update 12 --after afterok:11 --begin none', says: 'what it waits for' },
  ],
  run: async ({ options: given, operands }, world) => {
    const { ref, index } = narrowed('update', readRef('update', operands[0]!), given.index);
    const change = changeOf(given);
    if (Object.keys(change).length === 0) {
      const message = `update: expected something to change, as --throttle or --priority, found nothing${seeHelp('update')}`;
      throw new SpawnError('USAGE', { message });
    }
    for (const name of index === undefined ? [] : OF_JOBS) {
      if (given[name] === undefined) continue;
      throw new SpawnError('USAGE', { message: `update: --${name}: expected a whole job, found tasks of job ${ref}` });
    }
    const client = await world.connect();
    if (change.after) change.after = await numberAfter(client, change.after);
    const request: UpdateRequest = { ...change, ...(index === undefined ? {} : { index }) };
    const { job, tasks } = await client.update(ref, request);
    const which = index === undefined ? '' : `${counted(tasks, 'task')}: `;
    world.stdout.write(`job ${job.id}: ${which}${told(given).join(', ')}\n`);
    return 0;
  },
});

function changeOf(given: Given): UpdateRequest {
  const { begin, deadline } = given;
  const plain = {
    throttle: given.throttle,
    priority: given.priority,
    timeLimitMs: given['time-limit'],
    memoryBytes: given.memory,
    after: given.after === null ? '' : given.after,
    maxFailures: given['max-failures'],
  };
  return {
    ...Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== undefined)),
    ...(begin === undefined ? {} : begin === null ? { beginAt: null } : beginOf(begin)),
    ...(deadline === undefined ? {} : deadline === null ? { deadlineAt: null } : deadlineOf(deadline)),
  };
}

/** What was asked for, in words. */
function told(given: Given): string[] {
  const when = (time: NonNullable<Given['begin']>): string =>
    time.kind === 'at' ? isoTime(time.at)! : `in ${formatDuration(time.inMs)}`;
  const say = <T>(value: T | null | undefined, name: string, text: (value: T) => string): string[] =>
    value === undefined ? [] : value === null ? [`no ${name}`] : [`${name} ${text(value)}`];
  const zero = (value: number | undefined): number | null | undefined => (value === 0 ? null : value);
  return [
    ...say(zero(given.throttle), 'throttle', String),
    ...say(given.priority, 'priority', String),
    ...say(zero(given['time-limit']), 'time limit', formatDuration),
    ...say(zero(given.memory), 'memory limit', formatBytes),
    ...say(given.after, 'dependency', String),
    ...say(given.begin, 'begin', when),
    ...say(given.deadline, 'deadline', when),
    ...say(given['max-failures'], 'max failures', String),
  ];
}
