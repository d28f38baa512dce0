import { SpawnError } from '../../core/errors.ts';
import { defineCommand } from '../command.ts';
import { wholeNumber } from '../option-values.ts';
import { readJobRef } from '../refs.ts';

export const update = defineCommand({
  usage: ['update [options] JOB'],
  about: 'Changes a job that has been submitted. Lowering the throttle stops nothing that runs.',
  options: {
    throttle: {
      value: 'N',
      summary: 'At most N tasks at once from now on; 0: no bound',
      parse: wholeNumber(0, 1_000_000_000),
    },
  },
  operands: { name: 'JOB', min: 1, max: 1 },
  examples: [{ line: 'spawn update 12 --throttle 4', says: 'at most four at once' }],
  run: async ({ options, operands }, world) => {
    const ref = readJobRef('update', operands[0]!);
    if (options.throttle === undefined) {
      throw new SpawnError('USAGE', { message: 'update: expected something to change (--throttle), found nothing' });
    }
    const { job } = await (await world.connect()).update(ref, { throttle: options.throttle });
    world.stdout.write(`job ${job.id}: ${job.throttle === 0 ? 'no throttle' : `throttle ${job.throttle}`}\n`);
    return 0;
  },
});
