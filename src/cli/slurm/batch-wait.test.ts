import { expect, test } from 'vitest';
import { aDelta, aJob, aTask, deltas, type RunOptions, runCli, someCounts } from '../../../test/support/cli-world.ts';
import type { JobView, TaskView } from '../../api/job.ts';

/** `sbatch -W` with a coordinator that takes the job. */
const waiting = (client: NonNullable<RunOptions['client']>, world: RunOptions['world'] = {}) =>
  runCli(['sbatch', '-W', '--wrap=x'], {
    client: {
      putBlob: async () => ({ hash: 'a'.repeat(64), size: 1 }),
      submit: async () => ({ job: aJob(), replayed: false, dryRun: false }),
      ...client,
    },
    world,
  });

const ended = (job: Partial<JobView>, tasks: readonly Partial<TaskView>[] = []) => {
  const view = aJob({ endedAt: 9, startedAt: 5, ...job });
  const listed = async () => ({ tasks: tasks.map((task, index) => aTask(index, { startedAt: 5, ...task })) });
  const links = [deltas('lost'), deltas(aDelta(view))];
  return waiting({ watch: () => links.shift()!(), job: async () => view, tasks: listed });
};

test('exits with the highest code, and lists no tasks where the job says it', async () => {
  const codes = async (job: Partial<JobView>) => {
    const ran = await ended(job);
    expect(ran.calls.some(([name]) => name === 'tasks')).toBe(false);
    return ran.code;
  };
  expect(await codes({ exitCode: 0, counts: someCounts({ completed: 10 }) })).toBe(0);
  expect(await codes({ exitCode: 3, counts: someCounts({ failed: 10 }) })).toBe(3);
  expect(await codes({ exitCode: 1, counts: someCounts({ cancelled: 10 }), startedAt: undefined })).toBe(0);
});

test('gives 1 for what a signal ended, 0 for what never started', async () => {
  const failed = { counts: someCounts({ failed: 2 }), exitCode: 200 };
  const killed = { state: 'failed', cause: 'signalled', exitCode: 137, signal: 9, process: { signal: 9 } } as const;
  const coded = { state: 'failed', cause: 'exited', exitCode: 200, process: { code: 200 } } as const;
  expect((await ended({ ...failed, exitCode: 137 }, [killed])).code).toBe(1);
  expect((await ended(failed, [killed, coded])).code).toBe(200);
  const cancelled = { counts: someCounts({ cancelled: 2 }), exitCode: 1 };
  const never = { state: 'cancelled', startedAt: undefined } as const;
  expect((await ended(cancelled, [never])).code).toBe(0);
  expect((await ended(cancelled, [never, { state: 'cancelled', cause: 'cancelled' }])).code).toBe(1);
});

test('is left without a word by Ctrl-C, and the job goes on', async () => {
  const onInterrupt = (listener: (code: number) => void) => {
    setImmediate(listener, 130);
    return () => {};
  };
  const watch = async function* (_: string, { signal }: { signal: AbortSignal }) {
    yield aDelta(aJob());
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  };
  const ran = await waiting({ watch }, { onInterrupt });
  expect(ran).toMatchObject({ code: 130, out: 'Submitted batch job 12\n', err: '' });
});
