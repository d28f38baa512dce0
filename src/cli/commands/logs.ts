import type { LogQueryInput } from '../../api/job.ts';
import { defineCommand } from '../command.ts';
import { wholeNumber } from '../option-values.ts';
import { indexOption, narrowed, readRef } from '../refs.ts';
import { showLogs } from '../show-logs.ts';

export const logs = defineCommand({
  usage: ['logs [options] JOB|TASK'],
  about:
    'Prints the output of tasks. Of one task: its own bytes and nothing else. Of several: whole lines with [index] before\n' +
    'them. Both streams in the order in which they came, on standard output; what the cap cut out is said at its place.',
  options: {
    follow: { summary: 'Go on until the tasks have ended', short: 'f' },
    stdout: { summary: 'Standard output only' },
    stderr: { summary: 'Standard error only' },
    index: indexOption,
    attempt: { value: 'N', summary: 'Of this attempt (default: the last)', parse: wholeNumber(1, 1_000_000) },
  },
  operands: { name: 'JOB|TASK', min: 1, max: 1 },
  examples: [
    { line: 'spawn logs 12_7', says: 'one task' },
    { line: 'spawn logs 12 --follow', says: 'a whole job, as it comes' },
    { line: 'spawn logs 12_7 --attempt 1 --stderr', says: 'what the first try complained of' },
  ],
  run: async ({ options, operands }, world) => {
    const { ref, index } = narrowed('logs', readRef('logs', operands[0]!), options.index);
    const query: LogQueryInput = {
      stream: options.stdout === options.stderr ? 'both' : options.stdout ? 'out' : 'err',
      follow: options.follow ? '1' : '0',
      ...(index === undefined ? {} : { index }),
      ...(options.attempt === undefined ? {} : { attempt: options.attempt }),
    };
    const job = await (await world.connect()).job(ref);
    await showLogs(world, { job, query, signal: new AbortController().signal });
    return 0;
  },
});
