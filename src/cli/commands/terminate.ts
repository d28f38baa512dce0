import { changeInstances, liveText } from '../instances/change-instances.ts';

export const terminate = changeInstances(
  'terminate',
  {
    about:
      'Ends instances for ever: what runs in them, their disks, their names in DNS; their tasks are cancelled. On a\n' +
      'terminal it asks before; where nobody can be asked it needs -y. What is terminated already stays so, and that is no\n' +
      'error.',
    done: 'terminated',
    examples: [
      { line: 'spawn terminate compute-3', says: 'one instance, after a question' },
      { line: 'spawn terminate -y --job-array-id compute-20260113-0abc12', says: 'a whole array, in a script' },
    ],
  },
  {
    options: {},
    asks: {
      always: true,
      question: (found) => {
        const text = liveText(found);
        return text === undefined ? undefined : `Terminate ${text}? What runs there and its disk go for ever.`;
      },
    },
  },
);
