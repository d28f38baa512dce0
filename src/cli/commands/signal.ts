import { SpawnError } from '../../core/errors.ts';
import { signalNamed } from '../../core/outcome.ts';
import { changeJobs } from '../change-jobs.ts';

function signalNumber(text: string, where: string): number {
  const number = signalNamed(text);
  if (number !== undefined) return number;
  throw new SpawnError('BAD_REQUEST', { where, expected: 'USR1, SIGUSR1 or 10 (1 to 64)', found: text });
}

export const signal = changeJobs(
  'signal',
  {
    about:
      'Sends a signal to the processes of tasks that run, and changes nothing else: what they do then is up to them.\n' +
      'Tasks that wait or have ended are left alone.',
    done: 'signalled',
    examples: [
      { line: 'spawn signal 12 --signal USR1', says: 'all that runs of a job, for example to write a checkpoint' },
      {
        line: 'spawn signal 12_7 --signal INT --main',
        says: 'only the process that was started, and none that it started',
      },
    ],
  },
  {
    options: {
      signal: { short: 's', value: 'SIG', summary: 'Which: USR1, SIGUSR1 or 10; must be given', parse: signalNumber },
      main: { summary: 'To the main process of each task only' },
    },
    request: (given) => {
      if (given.signal === undefined) {
        throw new SpawnError('USAGE', { message: 'signal: expected --signal SIG, found none' });
      }
      return { signal: given.signal, ...(given.main ? { scope: 'main' } : {}) };
    },
  },
);
