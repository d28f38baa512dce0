import { type Command, defineCommand, type Input, type OptionTable } from '../command.ts';
import { type LaunchInput, options } from '../launch/options.ts';
import { UNSUPPORTED } from '../launch/unsupported.ts';

const known: OptionTable = { ...options, ...UNSUPPORTED };

export const launch: Command = defineCommand<OptionTable>({
  usage: [
    'launch [NAME] [options]',
    'launch --count N --job-array-name NAME [options]',
    'launch --array SET --name NAME [options] [-- PROGRAM [ARG…]]',
    'launch --param-file FILE [options]',
    'launch --template NAME [options]',
  ],
  about:
    'Launches instances: one, an array of them, or one for each set of parameters. On this machine an instance is a sandbox\n' +
    'with its own name, address, directory /etc/spawn and lifetime. Each finds its number in $JOB_ARRAY_INDEX (or\n' +
    '$TASK_ARRAY_INDEX) and the others in /etc/spawn/job-array-peers.json. What --command or PROGRAM exits with decides its\n' +
    'task; without one, spored complete does. An instance does not have the environment of this command: --env gives it\n' +
    'what it needs.',
  options: known,
  operands: { name: 'NAME', min: 0, max: 1 },
  takesRest: true,
  examples: [
    {
      line: 'spawn launch --count 8 --job-array-name compute --instance-type m7i.large --ttl 4h',
      says: 'eight instances that know each other, for four hours',
    },
    {
      line: "spawn launch --array 100 --name files --on-complete terminate --command 'gzip part-$TASK_ARRAY_INDEX.csv'",
      says: 'a task each, and gone when it is done',
    },
    { line: 'spawn launch --count 4 --job-array-name mpi --user-data @setup.sh', says: 'a script at the first start' },
    {
      line: 'spawn launch --param-file sweep.yaml --command ./train.sh --wait',
      says: 'one for each set of parameters; wait',
    },
    { line: 'spawn launch --array 100 --spot --dry-run', says: 'what it would cost' },
    { line: 'spawn launch my-box --idle-timeout 30m --on-idle hibernate', says: 'one instance to work in' },
  ],
  run: async (input: Input, world) => {
    const { runLaunch } = await import('../launch/run-launch.ts');
    return runLaunch(input as unknown as LaunchInput, world);
  },
});
