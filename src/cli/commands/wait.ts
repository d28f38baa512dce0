import type { JobView } from '../../api/job.ts';
import { MAX_DURATION_MS } from '../../api/limits.ts';
import { SpawnError } from '../../core/errors.ts';
import type { Client } from '../client.ts';
import { defineCommand } from '../command.ts';
import { memberOf } from '../instances/member-of.ts';
import { durationUpTo } from '../option-values.ts';
import { counted, shownDuration } from '../output/format.ts';
import { readJobRef } from '../refs.ts';
import { untilInterrupted, waitForJob } from '../wait-for-job.ts';

/** EX_TEMPFAIL of sysexits(3): nothing is wrong, ask again later. */
const NOT_YET = 75;

export const wait = defineCommand({
  usage: ['wait [options] JOB…'],
  about:
    'Waits until all tasks of the jobs have ended, and exits with the highest exit code of them all (128+n for a signal,\n' +
    '124 for the time limit, 1 for other ends). The exit code is 75 when --timeout came first.',
  options: {
    timeout: { value: 'DURATION', summary: 'Give up after this long', parse: durationUpTo(MAX_DURATION_MS) },
    quiet: { short: 'q', summary: 'Print nothing' },
  },
  operands: { name: 'JOB', min: 1, max: Number.POSITIVE_INFINITY },
  examples: [
    { line: 'spawn wait 12 13', says: 'until both have ended' },
    { line: 'spawn wait 12 --timeout 1h', says: 'an hour at most' },
  ],
  run: async ({ options, operands }, world) => {
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

/** Of an instance, all that the others do would be waited for too. */
async function wholeJob(client: Client, ref: string): Promise<JobView> {
  const job = await client.job(ref);
  if ((await memberOf(client, ref, job)) === undefined) return job;
  throw new SpawnError('BAD_REQUEST', { where: 'wait', expected: 'a whole job, as 12 or a name', found: ref });
}
