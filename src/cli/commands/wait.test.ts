import { once } from 'node:events';
import { expect, test } from 'vitest';
import { aDelta, aJob, deltas, runCli, someCounts } from '../../../test/support/cli-world.ts';
import { SpawnError } from '../../core/errors.ts';

const ended = (id: number, exitCode: number) =>
  aJob({ id, state: 'completed', counts: someCounts({ completed: 10 }), startedAt: 0, endedAt: 1_000, exitCode });

function client(codes: Record<string, number>) {
  return {
    job: async (ref: string) => ended(Number(ref), codes[ref] ?? 0),
    watch: (ref: string) => deltas(aDelta(ended(Number(ref), codes[ref] ?? 0)))(),
  };
}

test('exits with the highest code of all jobs', async () => {
  const ran = await runCli(['wait', '12', '13', '14'], { client: client({ 12: 3, 13: 137, 14: 0 }) });
  expect(ran.code).toBe(137);
  expect(ran.err.split('\n').toSorted()).toEqual([
    '',
    'job 12 completed: 10 tasks in 1.0s',
    'job 13 completed: 10 tasks in 1.0s',
    'job 14 completed: 10 tasks in 1.0s',
  ]);
});

test('--quiet prints nothing', async () => {
  expect(await runCli(['wait', '-q', '12'], { client: client({ 12: 0 }) })).toMatchObject({
    code: 0,
    out: '',
    err: '',
  });
});

test('a job that is not there is said before any is waited for', async () => {
  const job = async (ref: string) => {
    if (ref === '13') throw new SpawnError('JOB_NOT_FOUND', { ref });
    return aJob();
  };
  const ran = await runCli(['wait', '12', '13'], { client: { job } });
  expect(ran).toMatchObject({ code: 66, err: 'spawn: job "13" not found\n' });
  expect(ran.calls.map(([name]) => name)).not.toContain('watch');
});

test('--timeout gives up with 75 and says so', async () => {
  const watch = async function* (_: string, { signal }: { signal: AbortSignal }) {
    yield aDelta(aJob());
    if (!signal.aborted) await once(signal, 'abort');
    throw signal.reason;
  };
  const ran = await runCli(['wait', '12', '--timeout', '5s'], { client: { job: async () => aJob(), watch } });
  expect(ran).toMatchObject({ code: 75, err: 'spawn: wait: 1 job did not end within 5.0s\n' });
});
