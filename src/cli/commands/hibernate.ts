import { changeInstances } from '../instances/change-instances.ts';

export const hibernate = changeInstances('hibernate', {
  about:
    'Freezes all that runs in instances and keeps it: spawn start lets it go on where it was. While an instance is\n' +
    'frozen, its TTL and the time limit of its task do not count.',
  done: 'hibernated',
  examples: [
    { line: 'spawn hibernate compute-0', says: 'one instance' },
    { line: 'spawn hibernate --job-array-name compute', says: 'a whole array' },
  ],
});
