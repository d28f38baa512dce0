/** Words before the flag, the flag with its value, words after it. Without the flag the line is the first and the last. */
export type Line = readonly [before: readonly string[], flag: readonly string[], after?: readonly string[]];

/** What a target is chosen by. */
const filters = (before: readonly string[], after: readonly string[] = []) =>
  ({
    'job-array-name': [before, ['--job-array-name', 'compute'], after],
    'job-array-id': [before, ['--job-array-id', 'compute-20260113-0abc12'], after],
    tag: [before, ['--tag', 'team=physics'], after],
  }) satisfies Record<string, Line>;
const verb = {
  ...filters([]),
  timeout: [['compute-0'], ['--timeout', '1s']],
  format: [['compute-0'], ['-o', 'json']],
} satisfies Record<string, Line>;

/** One line for every flag of every command on instances. */
export const INSTANCE_LINES: Readonly<Record<string, Readonly<Record<string, Line>>>> = {
  list: {
    name: [[], ['--name', 'compute-0']],
    ...filters([]),
    state: [[], ['--state', 'running']],
    region: [[], ['--region', 'local']],
    'instance-type': [[], ['--instance-type', 'm7i.large']],
    json: [[], ['--json']],
    format: [[], ['-o', 'json']],
  },
  extend: {
    ...filters([], ['4h']),
    ttl: [['--job-array-name', 'compute'], ['--ttl', '4h'], []],
    timeout: [['compute-0'], ['--timeout', '1s'], ['4h']],
    format: [['compute-0'], ['-o', 'json'], ['4h']],
  },
  stop: { ...verb, yes: [['--job-array-name', 'compute'], ['--yes']] },
  start: verb,
  hibernate: verb,
  terminate: {
    ...verb,
    timeout: [
      ['compute-0', '--yes'],
      ['--timeout', '1s'],
    ],
    format: [
      ['compute-0', '--yes'],
      ['-o', 'json'],
    ],
    yes: [['compute-0'], ['--yes']],
  },
  interrupt: {
    ...verb,
    notice: [['compute-0'], ['--notice', '10s']],
    yes: [['--job-array-name', 'compute'], ['--yes']],
  },
  resize: {
    count: [['compute'], ['--count', '12']],
    ...filters([], ['--count', '12']),
    yes: [['compute', '--count', '1'], ['--yes']],
    format: [
      ['compute', '--count', '12'],
      ['-o', 'json'],
    ],
  },
  replace: {
    index: [
      ['compute', '--yes'],
      ['--index', '0'],
    ],
    timeout: [
      ['compute-0', '--yes'],
      ['--timeout', '1s'],
    ],
    yes: [['compute-0'], ['--yes']],
    format: [
      ['compute-0', '--yes'],
      ['-o', 'json'],
    ],
  },
  cost: {
    job: [[], ['--job', '12']],
    ...filters([]),
    'by-index': [[], ['--by-index']],
    json: [[], ['--json']],
    format: [[], ['-o', 'json']],
  },
  budget: {
    period: [
      ['set', '50'],
      ['--period', 'total'],
    ],
    format: [['show'], ['-o', 'json']],
    yes: [['set', '50'], ['--yes']],
  },
};
