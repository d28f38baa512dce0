import { changeJobs } from '../change-jobs.ts';

export const retry = changeJobs('retry', {
  about:
    'Runs tasks again in place, under the same ids: those that failed, were lost or were cancelled. Their counters begin\n' +
    'anew, and tasks that were skipped because of them wait for them again.',
  done: 'to run again',
  examples: [
    { line: 'spawn retry 12', says: 'all that went wrong in a job' },
    { line: 'spawn retry 12_7', says: 'one task' },
  ],
});
