import { changeInstances, liveText } from '../instances/change-instances.ts';

export const stop = changeInstances(
  'stop',
  {
    about:
      'Ends what runs in instances and keeps their disks and names: spawn start starts them again. Their tasks wait for\n' +
      'that. On a terminal it asks before it stops more than one. Time stopped does not count for a TTL, unless --ttl-mode\n' +
      'wall.',
    done: 'stopped',
    examples: [
      { line: 'spawn stop compute-0', says: 'one instance' },
      { line: 'spawn stop --job-array-name compute', says: 'a whole array' },
    ],
  },
  {
    options: {},
    asks: {
      always: false,
      question: (found) => {
        if (found.every(({ single }) => single) && found.length < 2) return undefined;
        const text = liveText(found);
        return text === undefined ? undefined : `Stop ${text}? What runs there ends.`;
      },
    },
  },
);
