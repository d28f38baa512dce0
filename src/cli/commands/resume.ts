import { changeJobs } from '../change-jobs.ts';

export const resume = changeJobs('resume', {
  about: 'Lets tasks that were suspended go on.',
  done: 'resumed',
  examples: [{ line: 'spawn resume 12', says: 'all of a job that is suspended' }],
});
