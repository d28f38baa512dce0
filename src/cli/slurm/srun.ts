import { tmpdir } from 'node:os';
import { refuse } from '../../config/slurm/refusal.ts';
import { SRUN_OPTIONS } from '../../config/slurm/srun-options.ts';
import { defineDialect } from './dialect.ts';
import { allocationOf } from './srun/allocation.ts';
import { readSrunRequest } from './srun/read-request.ts';

export const srun = defineDialect({
  command: 'srun',
  usage: ['[options] PROGRAM [ARG…]'],
  about:
    'Runs a program, as often as --ntasks says, and gives its output and its exit code. Inside of a task it runs in what that has, as a step, and asks nobody;\n' +
    'outside it submits a job, waits for its start and its end, and cancels it when it is interrupted twice.',
  options: SRUN_OPTIONS,
  async run({ given, operands }, world) {
    const request = readSrunRequest(given, operands, world);
    const allocation = allocationOf(world.ownEnv, tmpdir());
    const { jobId } = request;
    if (jobId !== undefined && Number(jobId) !== allocation?.job) throw notAllocated(jobId);
    if (allocation !== undefined) return (await import('./srun/run-step.ts')).runStep(request, allocation, world);
    return (await import('./srun/run-job.ts')).runJob(request, world);
  },
});

/** A step of another job would have to be started by that job. */
function notAllocated(job: string) {
  return refuse(
    [
      { form: 'error', text: `Unable to confirm allocation for job ${job}: Invalid job id specified` },
      { form: 'command', text: `Check SLURM_JOB_ID environment variable. Expired or invalid job ${job}` },
    ],
    1,
  );
}
