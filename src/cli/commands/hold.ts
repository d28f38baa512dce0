import { changeJobs } from '../change-jobs.ts';

export const hold = changeJobs('hold', {
  about: 'Keeps tasks that have not started from starting. Running ones go on.',
  done: 'held',
  examples: [{ line: 'spawn hold 12', says: 'pause a job' }],
});
