import type { BatchesReply, TaskResult } from '../../src/api/results.ts';
import { someCounts } from './cli-world.ts';
import type { Line } from './instance-flag-lines.ts';

/** A line for every flag of the commands that show what tasks gave. */
export const RESULT_LINES: Readonly<Record<string, Readonly<Record<string, Line>>>> = {
  results: { output: [['12'], ['-o', 'given']], format: [['12'], ['--format', 'csv']] },
  batches: { format: [['12'], ['-o', 'json']] },
};

/** What they are answered. */
export const RESULT_CLIENT = {
  results: async function* (): AsyncGenerator<TaskResult> {
    yield { index: 0, state: 'completed', attempt: 1, value: { rows: 3 } };
  },
  batches: async (): Promise<BatchesReply> => ({
    batches: [{ name: 'a.csv', first: 0, parts: 8, counts: someCounts({ completed: 8 }) }],
    total: 1,
  }),
};
