import { SpawnError } from '../../core/errors.ts';
import type { SubmitInput } from '../submit/options.ts';
import { submitJob } from '../submit/submit-job.ts';
import type { World } from '../world.ts';
import { compileGiven } from './given-file.ts';
import { type GivenFile, readGivenFile } from './read-file.ts';
import { placeJob } from './to-spec.ts';

/** Submits what the job file of a command line says, options over it. @param foreground the job ends with the command */
export async function submitFile(verb: string, input: SubmitInput, world: World, foreground = false): Promise<number> {
  const { command, spec, param } = input.options;
  if (command !== undefined || spec !== undefined) {
    const other = command === undefined ? '--spec' : '--command';
    throw new SpawnError('USAGE', { message: `${verb}: expected a job file or ${other}, found both` });
  }
  const given = await readGivenFile(verb, input.operands[0]!, world, Object.fromEntries(param));
  return submitGiven(verb, input, given, world, foreground);
}

/** As `submitFile`, of a file that was read. */
export async function submitGiven(
  verb: string,
  input: SubmitInput,
  given: GivenFile,
  world: World,
  foreground = false,
): Promise<number> {
  const file = await compileGiven(given);
  if (file.compiled.isWorkflow) {
    const { submitWorkflow } = await import('./submit-workflow.ts');
    return submitWorkflow(verb, input, file, world, foreground);
  }
  const [job] = file.compiled.jobs;
  return submitJob({ ...input, operands: [] }, placeJob(job!, file), world, foreground);
}
