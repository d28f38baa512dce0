import { MAX_DURATION_MS } from '../../api/limits.ts';
import { SpawnError } from '../../core/errors.ts';
import { changeJobs } from '../change-jobs.ts';
import { bytes, durationUpTo } from '../option-values.ts';

/** `x2`: so many times what it was; else an amount that replaces it. */
type Changed = { readonly times: number } | { readonly amount: number };
const MAX_TIMES = 1_000;

function changed(amount: (text: string, where: string) => number) {
  return (text: string, where: string): Changed => {
    if (!/^x/i.test(text)) return { amount: amount(text, where) };
    const times = /^x\d{1,4}(?:\.\d{1,6})?$/i.test(text) ? Number(text.slice(1)) : 0;
    if (times > 0 && times <= MAX_TIMES) return { times };
    throw new SpawnError('BAD_REQUEST', {
      where,
      expected: `x and a number above 0 and up to ${MAX_TIMES}`,
      found: text,
    });
  };
}

/** What it retries when nothing is said. */
const WENT_WRONG = 'failed,cancelled';

export const retry = changeJobs(
  'retry',
  {
    about:
      'Runs tasks again in place, under the same ids: those that failed, were lost or were cancelled. Their counters begin\n' +
      'anew, and tasks that were skipped because of them wait for them again.',
    done: 'to run again',
    examples: [
      { line: 'spawn retry 12', says: 'all that went wrong in a job' },
      { line: 'spawn retry 12_7', says: 'one task' },
      { line: 'spawn retry 12 --where cause=oom --memory x2', says: 'what ran out of memory, with twice as much' },
    ],
  },
  {
    options: {
      failed: { summary: 'Those that failed, were lost or were cancelled, as without --state' },
      memory: { value: 'xN|BYTES', summary: 'With this memory instead: x2 or 4G', parse: changed(bytes) },
      'time-limit': {
        value: 'xN|DURATION',
        summary: 'With this time limit instead: x2 or 2h',
        parse: changed(durationUpTo(MAX_DURATION_MS)),
      },
    },
    request: (given) => {
      const { memory, 'time-limit': limit } = given;
      if (given.failed && given.state !== undefined) {
        throw new SpawnError('USAGE', { message: 'retry: expected --failed or --state, found both' });
      }
      return {
        ...(given.failed ? { state: WENT_WRONG } : {}),
        ...(memory && ('times' in memory ? { memoryTimes: memory.times } : { memoryBytes: memory.amount })),
        ...(limit && ('times' in limit ? { timeLimitTimes: limit.times } : { timeLimitMs: limit.amount })),
      };
    },
  },
);
