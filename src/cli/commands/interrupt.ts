import { MAX_DURATION_MS } from '../../api/limits.ts';
import { changeInstances, liveText } from '../instances/change-instances.ts';
import { durationUpTo } from '../option-values.ts';

export const interrupt = changeInstances(
  'interrupt',
  {
    about:
      'Takes spot instances away as a cloud does: gives the notice, lets the pre-stop command run, and ends each when the\n' +
      'notice is over. Other members go on. Where replacements are left, the index gets another machine and its task runs\n' +
      'again there.',
    done: 'given notice',
    examples: [
      { line: 'spawn interrupt compute-3', says: 'two minutes from now it is gone' },
      { line: 'spawn interrupt compute-3 --notice 10s', says: 'a shorter notice, to see what a program does' },
    ],
  },
  {
    options: {
      notice: {
        value: 'DURATION',
        summary: 'Between the notice and the end; default 2m',
        parse: durationUpTo(MAX_DURATION_MS),
      },
    },
    read: (names, { notice }) => ({ names, request: notice === undefined ? {} : { noticeMs: notice } }),
    asks: {
      always: false,
      question: (found) => {
        if (found.every(({ single }) => single) && found.length < 2) return undefined;
        const text = liveText(found);
        return text === undefined ? undefined : `Interrupt ${text}? They end after the notice.`;
      },
    },
  },
);
