import { SpawnError } from '../../core/errors.ts';
import { defineCommand } from '../command.ts';
import { withFileOptions } from '../job-file/given-file.ts';
import { options, type SubmitInput } from '../submit/options.ts';
import { submitJob } from '../submit/submit-job.ts';
import type { World } from '../world.ts';

export const submit = defineCommand({
  usage: [
    'submit [options] SCRIPT [ARG…]',
    'submit [options] FILE.yaml',
    'submit [options] -- PROGRAM [ARG…]',
    'submit [options] --command TEXT',
    'submit [options] --handler FILE[#NAME]',
    'submit [options] --spec FILE',
    'submit [options] < SCRIPT',
  ],
  about:
    'Submits a job: one task, or one for each index of --array. The script is copied now, and the environment and the\n' +
    'directory of the tasks are those of this moment. Options stand before the script; all after it belongs to it.',
  options,
  operands: { name: 'SCRIPT', min: 0, max: Number.POSITIVE_INFINITY },
  stopsAtOperand: true,
  takesRest: true,
  examples: [
    {
      line: 'spawn submit --array 100%8 run.sh',
      says: '100 tasks, at most 8 at once; each finds its number in $TASK_ARRAY_INDEX',
    },
    { line: "spawn submit --array 1-9 --command 'gzip part-$TASK_ARRAY_INDEX.csv' --wait", says: 'wait for the end' },
    {
      line: 'spawn submit --cpus 4 --memory 8G --gpus 1 --time-limit 2h -- python train.py',
      says: 'a program with its arguments',
    },
    {
      line: 'spawn submit --array 1000 --canary 3 --retries 2 --retry-on 75,oom run.sh',
      says: 'three tasks first; try again what may go better',
    },
    {
      line: 'spawn submit --array 100000 --handler ./tasks.ts#score',
      says: 'a function for each task, in processes that stay warm (docs/handlers.md)',
    },
    { line: 'spawn submit --after afterok:12 --begin now+1h collect.sh', says: 'when all of job 12 has succeeded' },
    {
      line: 'spawn submit job.yaml --param lr=0.1',
      says: 'a job file (docs/job-files.md); its options may stand behind it',
    },
    { line: 'spawn export 12 | spawn submit --spec - --array 5', says: 'once more, smaller' },
  ],
  run: runSubmit,
});

async function runSubmit(typed: SubmitInput, world: World): Promise<number> {
  const input = withFileOptions('submit', submit, typed, world);
  if (input !== undefined) return (await import('../job-file/submit-file.ts')).submitFile('submit', input, world);
  const { spec, param } = typed.options;
  if (param.length > 0) {
    throw new SpawnError('USAGE', { message: 'submit: --param: expected a job file (FILE.yaml) with it, found none' });
  }
  // Loaded here only: most submits need none of it.
  const file =
    spec === undefined ? undefined : await (await import('../submit/read-spec.ts')).readSpecFile(spec, world);
  return submitJob(typed, file, world);
}
