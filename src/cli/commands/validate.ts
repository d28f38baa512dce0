import { SpawnError } from '../../core/errors.ts';
import { defineCommand } from '../command.ts';
import { parameter } from '../job-file/read-file.ts';
import { jsonOption } from '../output-option.ts';
import { seeHelp } from '../parse-command-line.ts';

export const validate = defineCommand({
  usage: ['validate [options] FILE…', 'validate --schema'],
  about:
    'Checks job files (YAML or JSON, - for standard input) and says everything that is wrong with them, each with its line\n' +
    'and column. It asks no coordinator and reads no data. The exit code is 2 when one of them is wrong.',
  options: {
    param: {
      value: 'NAME=VALUE',
      many: true,
      summary: 'Value of a parameter, over that of the file',
      parse: parameter,
    },
    schema: { summary: 'Print the JSON Schema of job files, for editors' },
    format: jsonOption,
  },
  operands: { name: 'FILE', min: 0, max: Number.POSITIVE_INFINITY },
  examples: [
    { line: 'spawn validate job.yaml', says: 'all that is wrong with it' },
    { line: 'spawn validate --schema > job-file.schema.json', says: 'for completion and checks in an editor' },
  ],
  run: async ({ options, operands }, world) => {
    // Loaded here only: completion and help need none of it.
    if (options.schema) {
      if (operands.length > 0) throw usage(`expected --schema alone, found ${JSON.stringify(operands[0])} too`);
      const { jobFileSchema } = await import('../../api/job-file-schema.ts');
      world.stdout.write(`${JSON.stringify(jobFileSchema(), null, 2)}\n`);
      return 0;
    }
    if (operands.length === 0) throw usage(`expected FILE, found nothing${seeHelp('validate')}`);
    const { validateFiles } = await import('../job-file/validate-files.ts');
    return validateFiles(operands, Object.fromEntries(options.param), options.format, world);
  },
});

function usage(message: string): SpawnError {
  return new SpawnError('USAGE', { message: `validate: ${message}` });
}
