import type { LogQueryInput } from '../../api/job.ts';
import { MAX_PATTERN } from '../../api/limits.ts';
import { SpawnError } from '../../core/errors.ts';
import { defineCommand, type OptionTable, type Values } from '../command.ts';
import { memberOf } from '../instances/member-of.ts';
import { wholeNumber } from '../option-values.ts';
import { linesOption } from '../output-option.ts';
import { indexOption, narrowed, readRef } from '../refs.ts';
import { stateOption } from '../selection.ts';
import { showLogs } from '../show-logs.ts';

const options = {
  follow: { summary: 'Go on until the tasks have ended', short: 'f' },
  stdout: { summary: 'Standard output only' },
  stderr: { summary: 'Standard error only' },
  index: indexOption,
  state: stateOption,
  attempt: { value: 'N', summary: 'Of this attempt (default: the last)', parse: wholeNumber(1, 1_000_000) },
  tail: { value: 'N', summary: 'The last N lines of each task only', parse: wholeNumber(0, 1_000_000) },
  grep: { value: 'RE', summary: 'Only lines that fit a regular expression (JavaScript)', parse: pattern },
  'ignore-case': { short: 'i', summary: 'With --grep: upper and lower case are the same' },
  diff: { summary: 'Lines that occur in failed tasks and in no completed one' },
  format: linesOption,
} as const satisfies OptionTable;
type Given = Values<typeof options>;

export const logs = defineCommand({
  usage: ['logs [options] JOB|TASK', 'logs --grep RE [options] JOB|TASK', 'logs --diff [options] JOB'],
  about:
    'Prints the output of tasks. Of one task: its own bytes and nothing else. Of several: whole lines with [index] before\n' +
    'them. Both streams in the order in which they came, on standard output; what the cap cut out is said at its place.\n' +
    'With --grep each line has its task before it; the exit code is 1 when nothing was found.',
  options,
  operands: { name: 'JOB|TASK', min: 1, max: 1 },
  examples: [
    { line: 'spawn logs 12_7', says: 'one task' },
    { line: 'spawn logs compute-3', says: 'one instance: its user-data and its command' },
    { line: 'spawn logs 12 --follow', says: 'a whole job, as it comes' },
    { line: 'spawn logs 12_7 --attempt 1 --stderr', says: 'what the first try complained of' },
    { line: "spawn logs 12 --state failed --grep 'error|denied' -i", says: 'search what failed' },
    { line: 'spawn logs 12 --diff', says: 'what only failed tasks say' },
  ],
  run: async ({ options: given, operands }, world) => {
    checkTogether(given);
    const named = narrowed('logs', readRef('logs', operands[0]!), given.index);
    const stream = given.stdout === given.stderr ? 'both' : given.stdout ? 'out' : 'err';
    const selected = {
      ...(named.index === undefined ? {} : { index: named.index }),
      ...(given.state === undefined ? {} : { state: given.state }),
    };
    if (given.diff) {
      if (named.index !== undefined) usage('--diff: expected a whole job, found tasks of it');
      const { showLogDiff } = await import('../search-logs.ts');
      return showLogDiff(world, named.ref, { stream }, given.format);
    }
    if (given.grep !== undefined) {
      const { showMatches } = await import('../search-logs.ts');
      const ignoreCase = given['ignore-case'] ? '1' : '0';
      const query = { pattern: given.grep, ignoreCase, stream, ...selected } as const;
      return showMatches(world, named.ref, query, given.format);
    }
    const query: LogQueryInput = {
      stream,
      follow: given.follow ? '1' : '0',
      ...selected,
      ...(given.attempt === undefined ? {} : { attempt: given.attempt }),
      ...(given.tail === undefined ? {} : { tail: given.tail }),
    };
    const client = await world.connect();
    const job = await client.job(named.ref);
    const member = await memberOf(client, named.ref, job);
    if (member !== undefined && named.index !== undefined) {
      usage(`expected a whole job with --index, found an instance of job ${job.id}`);
    }
    const shown = member === undefined ? query : { ...query, index: String(member.index) };
    await showLogs(world, { job, query: shown, signal: new AbortController().signal });
    return 0;
  },
});

function usage(message: string): never {
  throw new SpawnError('USAGE', { message: `logs: ${message}` });
}

/** Options that the other two ways to read logs do not have. */
const PLAIN_ONLY = ['follow', 'attempt', 'tail'] as const;

function checkTogether(given: Given): void {
  const searches = given.grep !== undefined ? '--grep' : given.diff ? '--diff' : undefined;
  if (given.grep !== undefined && given.diff) usage('expected --grep or --diff, found both');
  for (const name of PLAIN_ONLY) {
    if (searches !== undefined && given[name]) usage(`expected --${name} or ${searches}, found both`);
  }
  if (given.diff && given.state !== undefined) usage('expected --state or --diff, found both');
  if (given['ignore-case'] && given.grep === undefined) usage('--ignore-case: expected --grep with it, found none');
  if (given.format !== undefined && searches === undefined) usage('-o: expected --grep or --diff with it, found none');
}

/** Tried here, as the coordinator will read it. */
function pattern(text: string, where: string): string {
  const bad = (expected: string, found: unknown): never => {
    throw new SpawnError('BAD_REQUEST', { where, expected, found });
  };
  if (text === '') bad('a regular expression', text);
  if (text.length > MAX_PATTERN) bad(`at most ${MAX_PATTERN} characters`, text.length);
  try {
    new RegExp(text, 'v');
  } catch (error) {
    const why = (error as Error).message.replace(/^Invalid regular expression: /, '').replace(/^.*: /s, '');
    bad(`a regular expression of JavaScript (${why.toLowerCase()})`, text);
  }
  return text;
}
