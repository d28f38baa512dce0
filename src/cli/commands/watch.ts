import { SpawnError } from '../../core/errors.ts';
import { defineCommand } from '../command.ts';
import { readJobRef } from '../refs.ts';

export const watch = defineCommand({
  usage: ['watch [JOB]'],
  about:
    'Shows a job live on a terminal: how far it is, a field with the state of every task, what failed and the last lines of\n' +
    'its output. It ends with the job and has its exit code; Ctrl-C ends the watching only (exit code 130). Without JOB:\n' +
    'the jobs that have not ended, until Ctrl-C.',
  options: {},
  operands: { name: 'JOB', min: 0, max: 1 },
  examples: [
    { line: 'spawn watch 12', says: 'one job, until it has ended' },
    { line: 'spawn watch', says: 'all live jobs' },
  ],
  run: async ({ operands }, world) => {
    const [text] = operands;
    const ref = text === undefined ? undefined : readJobRef('watch', text);
    if (!world.stdout.isTTY || world.env.TERM === 'dumb') {
      const advice = ref === undefined ? 'spawn jobs' : `spawn status ${ref} or spawn wait ${ref}`;
      const found = world.stdout.isTTY ? 'TERM=dumb' : 'none';
      throw new SpawnError('USAGE', {
        message: `watch: expected a terminal to draw on, found ${found}; see: ${advice}`,
      });
    }
    const { watchJob, watchList } = await import('../watch-view.ts');
    return ref === undefined ? watchList(world) : watchJob(world, ref);
  },
});
