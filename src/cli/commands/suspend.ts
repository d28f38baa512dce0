import { changeJobs } from '../change-jobs.ts';

export const suspend = changeJobs('suspend', {
  about:
    'Lets what runs stand still, all processes of each task, until it is resumed. Its time limit stands still\n' +
    'with it; its resources stay taken. Tasks that wait are left alone and may start: hold keeps them from it.\n' +
    'Cancel and requeue work as ever.',
  done: 'suspended',
  examples: [
    { line: 'spawn suspend 12', says: 'all that runs of a job' },
    { line: 'spawn suspend 12_[1-4]', says: 'some of its tasks' },
  ],
});
