import { type Command, defineCommand, type OptionTable } from '../command.ts';
import { jsonOption } from '../output-option.ts';
import { launch } from './launch.ts';

const options = { format: jsonOption } as const satisfies OptionTable;

export const template: Command = defineCommand({
  usage: [
    'template save NAME [options of spawn launch] [-- PROGRAM [ARG…]]',
    'template save NAME FILE.yaml',
    'template list [-o json]',
    'template show NAME [-o json]',
    'template delete NAME',
    'template use NAME [options of spawn launch] [-- PROGRAM [ARG…]]',
    'template use NAME [options of spawn submit]',
  ],
  about:
    'Keeps the options of a launch under a name, in a file of this user (~/.config/spawn/templates). use launches with them,\n' +
    'and is the same as spawn launch --template NAME; options given there go before those of the template. Values of\n' +
    '--env K=V are kept as they are typed; --env K keeps the name alone, and takes the value of the moment at each launch.\n' +
    'A template may also be a job file; some came with this program. use submits such a one in the present directory, and\n' +
    'spawn init --template NAME writes a copy of it to begin with.',
  options,
  operands: { name: 'save, list, show, delete or use', min: 1, max: Number.POSITIVE_INFINITY },
  stopsAtOperand: true,
  examples: [
    { line: 'spawn template save gpu --instance-type g5.xlarge --ttl 12h --spot', says: 'keep it' },
    { line: 'spawn template use gpu --count 8 --job-array-name training', says: 'launch with it' },
    { line: 'spawn template use gpu --unset spot', says: 'without one of its options' },
    { line: 'spawn template show gpu', says: 'what it says' },
    { line: 'spawn template use parameters --param who=you', says: 'a job file' },
  ],
  run: async ({ options: before, operands }, world) => {
    // Loaded here only: what reads a template is slow to load, and completion and help need none of it.
    const { runTemplate } = await import('../launch/run-template.ts');
    return runTemplate({ template, launch }, before.format, operands, world);
  },
});
