import { changeInstances } from '../instances/change-instances.ts';

export const start = changeInstances('start', {
  about:
    'Starts instances that were stopped or hibernated, with their disks, names and what was left of their TTL. Of a\n' +
    'stopped one the task begins anew; of a hibernated one everything goes on where it was.',
  done: 'started',
  examples: [
    { line: 'spawn start compute-0', says: 'one instance' },
    { line: 'spawn start --job-array-name compute', says: 'a whole array' },
  ],
});
