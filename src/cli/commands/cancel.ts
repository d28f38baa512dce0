import { changeJobs } from '../change-jobs.ts';

export const cancel = changeJobs('cancel', {
  about:
    'Cancels tasks that have not ended: running ones get TERM, then KILL after their grace time, with all their children.',
  done: 'cancelled',
  examples: [
    { line: 'spawn cancel 12', says: 'all of a job' },
    { line: "spawn cancel '12_[1,3-5]'", says: 'some of its tasks' },
  ],
});
