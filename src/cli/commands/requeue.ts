import { changeJobs } from '../change-jobs.ts';

export const requeue = changeJobs('requeue', {
  about: 'Sends tasks back to wait for a place, running and completed ones too. Counts as no failure.',
  done: 'sent back',
  examples: [{ line: 'spawn requeue 12_7', says: 'stop a task and run it again' }],
});
