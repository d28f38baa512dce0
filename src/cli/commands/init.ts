import { defineCommand } from '../command.ts';
import { nonEmpty } from '../option-values.ts';

export const init = defineCommand({
  usage: ['init [--template NAME] [FILE]'],
  about:
    'Writes a job file to begin with (default job.yaml; - prints it), with comments. At a terminal it asks what the job is;\n' +
    'otherwise, and with --template, the file is a copy of a template (spawn template list). A file that is there stays.',
  options: {
    template: { value: 'NAME', summary: 'Copy this template', parse: nonEmpty('the name of a template') },
  },
  operands: { name: 'FILE', min: 0, max: 1 },
  examples: [
    { line: 'spawn init', says: 'a few questions' },
    { line: 'spawn init --template csv rows.yaml', says: 'a job over the rows of CSV files' },
  ],
  run: async ({ options, operands }, world) => {
    // Loaded here only: completion and help need none of it.
    const { writeNewFile } = await import('../job-file/new-file.ts');
    return writeNewFile(operands[0] ?? 'job.yaml', options.template, world);
  },
});
