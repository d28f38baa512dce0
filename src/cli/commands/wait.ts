import type { JobView } from '../../api/job.ts';
import { MAX_DURATION_MS } from '../../api/limits.ts';
import { SpawnError } from '../../core/errors.ts';
import type { Client } from '../client.ts';
import { defineCommand } from '../command.ts';
import { memberOf } from '../instances/member-of.ts';
import { durationUpTo, nonEmpty } from '../option-values.ts';
import { counted, shownDuration } from '../output/format.ts';
import { seeHelp } from '../parse-command-line.ts';
import { readJobRef } from '../refs.ts';
import { untilInterrupted, waitForJob } from '../wait-for-job.ts';
import { waitForWorkflow } from '../wait-for-workflow.ts';
import type { World } from '../world.ts';

/** EX_TEMPFAIL of sysexits(3): nothing is wrong, ask again later. */
const NOT_YET = 75;

export const wait = defineCommand({
  usage: ['wait [options] JOB…', 'wait [options] --workflow REF'],
  about:
    'Waits until all tasks of the jobs have ended, and exits with the highest exit code of them all (128+n for a signal,\n' +
    '124 for the time limit, 1 for other ends). The exit code is 75 when --timeout came first.',
  options: {
    timeout: { value: 'DURATION', summary: 'Give up after this long', parse: durationUpTo(MAX_DURATION_MS) },
    workflow: {
      value: 'REF',
      summary: 'Wait for all jobs of a workflow, named by its name or one of its jobs',
      parse: nonEmpty('a workflow'),
    },
    quiet: { short: 'q', summary: 'Print nothing' },
  },
  operands: { name: 'JOB', min: 0, max: Number.POSITIVE_INFINITY },
  examples: [
    { line: 'spawn wait 12 13', says: 'until both have ended' },
    { line: 'spawn wait 12 --timeout 1h', says: 'an hour at most' },
  ],
  run: async ({ options, operands }, world) => {
    if (options.workflow !== undefined && operands.length > 0)
      throw new SpawnError('USAGE', { message: 'wait: expected JOB or --workflow, found both' });
    if (options.workflow !== undefined) return await waitForAll(options.workflow, options, world);
    if (operands.length === 0)
      throw new SpawnError('USAGE', { message: `wait: expected JOB, found nothing${seeHelp('wait')}` });
    const refs = operands.map((operand) => readJobRef('wait', operand));
    const client = await world.connect();
    const jobs = await Promise.all(refs.map((ref) => wholeJob(client, ref)));
    const numbers = jobs.map(({ id }) => id).join(' ');
    const goOn = jobs.length === 1 ? `job ${numbers} goes on` : `jobs ${numbers} go on`;
    const advice = `spawn: ${goOn}; spawn wait ${numbers} waits again`;
    return untilInterrupted(world, advice, async (interrupted) => {
      const enough = new AbortController();
      const signal = AbortSignal.any([interrupted, enough.signal]);
      const { timeout } = options;
      if (timeout !== undefined) void world.pause(timeout, signal).then(() => enough.abort());
      // One line can be drawn over; of several jobs each tells its own end.
      const single = jobs.length === 1;
      const ended = await Promise.all(
        jobs.map((job) => waitForJob(world, job, { quiet: options.quiet, follow: false, progress: single, signal })),
      );
      const left = ended.filter((job) => job === undefined).length;
      if (left === 0) {
        enough.abort();
        return Math.max(...ended.map((job) => job?.exitCode ?? 1));
      }
      if (timeout !== undefined && !interrupted.aborted) {
        world.stderr.write(`spawn: wait: ${counted(left, 'job')} did not end within ${shownDuration(timeout)}\n`);
        return NOT_YET;
      }
      return undefined;
    });
  },
});

async function waitForAll(
  ref: string,
  { timeout, quiet }: { readonly timeout: number | undefined; readonly quiet: boolean },
  world: World,
): Promise<number> {
  const workflow = await (await world.connect()).workflow(ref);
  const advice = `spawn: workflow ${workflow.id} goes on; spawn wait --workflow ${workflow.id} waits again`;
  return untilInterrupted(world, advice, async (interrupted) => {
    const enough = new AbortController();
    const signal = AbortSignal.any([interrupted, enough.signal]);
    if (timeout !== undefined) void world.pause(timeout, signal).then(() => enough.abort());
    const ended = await waitForWorkflow(world, workflow, { quiet, signal });
    if (ended !== undefined) {
      enough.abort();
      return ended.exitCode;
    }
    if (timeout === undefined || interrupted.aborted) return undefined;
    world.stderr.write(`spawn: wait: workflow ${workflow.id} did not end within ${shownDuration(timeout)}\n`);
    return NOT_YET;
  });
}

/** Of an instance, all that the others do would be waited for too. */
async function wholeJob(client: Client, ref: string): Promise<JobView> {
  const job = await client.job(ref);
  if ((await memberOf(client, ref, job)) === undefined) return job;
  throw new SpawnError('BAD_REQUEST', { where: 'wait', expected: 'a whole job, as 12 or a name', found: ref });
}
