import { changeJobs } from '../change-jobs.ts';

export const release = changeJobs('release', {
  about: 'Lets held tasks start.',
  done: 'released',
  examples: [{ line: 'spawn release 12', says: 'go on with a job' }],
});
