import { SpawnError } from '../../core/errors.ts';
import type { SubmitInput } from '../submit/options.ts';
import { submitJob } from '../submit/submit-job.ts';
import type { World } from '../world.ts';
import { readSubmitted } from './given-file.ts';
import { placeJob } from './to-spec.ts';

/** Submits what a job file says, options of the command line over it. @param foreground the job ends with the command */
export async function submitFile(verb: string, input: SubmitInput, world: World, foreground = false): Promise<number> {
  const { command, spec } = input.options;
  if (command !== undefined || spec !== undefined) {
    const other = command === undefined ? '--spec' : '--command';
    throw new SpawnError('USAGE', { message: `${verb}: expected a job file or ${other}, found both` });
  }
  const file = await readSubmitted(verb, input, world);
  if (file.compiled.isWorkflow) {
    const { submitWorkflow } = await import('./submit-workflow.ts');
    return submitWorkflow(verb, input, file, world, foreground);
  }
  const [job] = file.compiled.jobs;
  return submitJob({ ...input, operands: [] }, placeJob(job!, file), world, foreground);
}
