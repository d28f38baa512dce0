import { SpawnError } from '../../core/errors.ts';
import { defineCommand } from '../command.ts';
import { whyJson } from '../output/insight-json.ts';
import { jsonText } from '../output/json.ts';
import { whyText } from '../output/why-text.ts';
import { jsonOption } from '../output-option.ts';
import { readRef } from '../refs.ts';

export const why = defineCommand({
  usage: ['why [options] JOB|TASK'],
  about:
    'Tells what keeps a job or a task from running: a dependency, a hold, the throttle, a begin time, resources and who\n' +
    'holds them, whose turn it is; and, where that can be known, until when.',
  options: { format: jsonOption },
  operands: { name: 'JOB|TASK', min: 1, max: 1 },
  examples: [
    { line: 'spawn why 12', says: 'what a job waits for' },
    { line: 'spawn why 12_7', says: 'one task' },
  ],
  run: async ({ options, operands }, world) => {
    const [text] = operands;
    const { ref, index } = readRef('why', text!);
    if (index !== undefined && !/^\d+$/.test(index)) {
      throw new SpawnError('BAD_REQUEST', { where: 'why', expected: 'a job or a single task, as 12_7', found: text });
    }
    const reply = await (await world.connect()).why(index === undefined ? ref : `${ref}_${index}`);
    const { stdout } = world;
    stdout.write(options.format === 'json' ? jsonText(whyJson(reply)) : whyText(reply, world.now(), stdout.colour));
    return 0;
  },
});
