import { SpawnError } from '../../core/errors.ts';
import { type Command, defineCommand, type OptionTable } from '../command.ts';
import { isJobFile } from '../job-file/read-file.ts';
import { options as all, type SubmitInput } from '../submit/options.ts';

const { array, name, env, param, follow, quiet, format } = all;
const options = { array, name, env, param, follow, quiet, format } as const satisfies OptionTable;
/** What submit also takes, and run does not: as if it was not said. */
const UNSAID = Object.fromEntries(
  Object.entries(all as OptionTable).map(([key, option]) => [
    key,
    option.many ? [] : option.value === undefined ? false : undefined,
  ]),
);

export const run: Command = defineCommand({
  usage: ['run [options] FILE'],
  about:
    'Submits a job file and stays with it: shows how far it is, and exits with its result, the highest exit code of its\n' +
    'tasks. When it is stopped by Ctrl-C, the job is cancelled. Without a server the tasks run on this machine.',
  options,
  operands: { name: 'FILE', min: 1, max: 1 },
  examples: [
    { line: 'spawn run job.yaml', says: 'to its end' },
    { line: 'spawn run job.yaml --param day=2026-11-01 --follow', says: 'with the output of its tasks' },
  ],
  run: async (given, world) => {
    const [path] = given.operands;
    if (path !== '-' && !isJobFile(path!, world.cwd)) {
      throw new SpawnError('USAGE', {
        message: `run: expected a job file (.yaml, .yml or .json), found ${JSON.stringify(path)}; a script or program: spawn submit --wait`,
      });
    }
    const { submitFile } = await import('../job-file/submit-file.ts');
    const input = { ...given, options: { ...UNSAID, ...given.options } } as SubmitInput;
    return submitFile('run', input, world, true);
  },
});
