import { describe, expect, test } from 'vitest';
import { runCli, someCounts } from '../../../../test/support/cli-world.ts';
import { inQueue, queueClient } from '../../../../test/support/queue-at-hand.ts';
import type { JobView } from '../../../api/job.ts';
import type { QueueJob } from '../../../api/queue.ts';
import { SpawnError } from '../../../core/errors.ts';
import { IndexSet } from '../../../core/index-set.ts';

/** 1 and 2 have ended, 3 runs and 4 waits. */
const mixed = inQueue(
  { id: 7, array: '1-4', size: 4, counts: someCounts({ completed: 2, running: 1, ready: 1 }) },
  [{ indices: '4' }],
  [{ index: 3, state: 'running' }],
);
const held = inQueue({ id: 9, array: '1-9', size: 9, counts: someCounts({ ready: 9 }) }, [
  { indices: '1-9', reason: 'JobHeldUser' },
]);
const plain = inQueue({ id: 6, size: 1, counts: someCounts({ running: 1 }) }, [], [{ state: 'running' }]);
const waiting = inQueue({ id: 8, size: 1, counts: someCounts({ ready: 1 }) }, [{ reason: 'JobHeldUser' }]);
const over = inQueue({ id: 5, size: 1, state: 'completed', counts: someCounts({ completed: 1 }) }, []);
const overArray = inQueue(
  { id: 4, array: '1-3', size: 3, state: 'completed', counts: someCounts({ completed: 3 }) },
  [],
);
/** 2 was cancelled before it started. */
const thinned = inQueue({ id: 3, array: '1-3', size: 3, counts: someCounts({ ready: 2, cancelled: 1 }) }, [
  { indices: '1,3' },
  { indices: '2', state: 'cancelled' },
]);
const JOBS = [thinned, mixed, held, plain, waiting, over, overArray];

function verb(jobs: readonly QueueJob[]) {
  return async (ref: string) => {
    const found = jobs.find(({ job }) => job.id === Number(ref.split('_')[0]));
    if (found === undefined) throw new SpawnError('JOB_NOT_FOUND', { ref });
    const { job } = found;
    const [, text] = /_\[?([^\]]*)\]?$/.exec(ref) ?? [];
    if (text !== undefined && IndexSet.fromString(job.array ?? '0').intersect(IndexSet.fromString(text)).size === 0) {
      throw new SpawnError('TASK_NOT_FOUND', { ref });
    }
    if (job.state === 'completed') throw new SpawnError('JOB_ENDED', { ref, state: job.state });
    return { job, tasks: text === '3' ? 1 : 0 };
  };
}

async function scontrol(line: string, more: object = {}) {
  const act = verb(JOBS);
  const client = {
    ...queueClient(JOBS),
    hold: act,
    release: act,
    requeue: act,
    suspend: act,
    resume: act,
    async *allJobs({ slurmName }: { slurmName?: string }): AsyncGenerator<JobView> {
      yield* JOBS.map(({ job }) => job).filter(({ name, id }) => name === slurmName && id > 7);
    },
    ...more,
  };
  const { code, out, err, calls } = await runCli(['scontrol', ...line.split(' ')], { client });
  const asked = calls.filter(([name]) => name !== 'queue' && name !== 'job').map(([name, ref]) => `${name} ${ref}`);
  return { code, out, err, asked, calls };
}

const twice = (words: string, id: string | number) => `${words} for job ${id}\nslurm_suspend error: ${words}\n`;
const UNKNOWN = 'Invalid job id specified';

// The words are those of scontrol of Slurm 22.05.8.
describe('hold and release', () => {
  test.each([
    ['hold 6', '', ['hold 6']],
    ['uhold 6', '', ['hold 6']],
    ['holdu 6', '', ['hold 6']],
    ['release 6,8', '', ['release 6', 'release 8']],
    ['hold 6 8', '', ['hold 6', 'hold 8']],
    ['hold 9_[2-3]', '', ['hold 9_[2-3]']],
    ['hold 9_2', '', ['hold 9_2']],
    ['hold 9_', '9_: Invalid job id specified\n', ['hold 9_0']],
    ['hold 7_3', '', ['hold 7_3']],
    ['hold 7', '7_1-2: Job has already finished\n7_3-4: No error\n', ['hold 7']],
    ['release 7_[1-3]', '7_1-2: Job has already finished\n7_3: No error\n', ['release 7_[1-3]']],
    ['hold 7_1', '7_1: Job has already finished\n', ['hold 7_1']],
    ['hold 3', '', ['hold 3']],
    ['hold 3_[1-2]', '3_1: No error\n3_2: Job has already finished\n', ['hold 3_[1-2]']],
    ['hold 7_9', `7_9: ${UNKNOWN}\n`, ['hold 7_9']],
    ['release 5', twice('Job has already finished', 5), ['release 5']],
    ['hold 4', '4_1-3: Job has already finished\n', ['hold 4']],
    ['hold 4_2', '4_2: Job has already finished\n', ['hold 4_2']],
    ['hold 99', twice(UNKNOWN, 99), ['hold 99']],
    ['hold abc,6', twice(UNKNOWN, 'abc'), ['hold 6']],
    ['hold name=fit', '', ['allJobs [object Object]', 'hold 8', 'hold 9']],
  ])('%s', async (line, err, asked) => {
    expect(await scontrol(line)).toMatchObject({ code: err === '' ? 0 : 1, out: '', err, asked });
  });

  test("a stranger's job", async () => {
    const refused = async () => {
      throw new SpawnError('NOT_PERMITTED', { action: 'hold job 6' });
    };
    expect((await scontrol('hold 6', { hold: refused })).err).toBe(twice('Invalid user id', 6));
    expect((await scontrol('hold 9', { hold: refused })).err).toBe('9_1-9: Invalid user id\n');
    expect((await scontrol('requeue 6', { requeue: refused })).err).toBe('Access/permission denied for job 6\n');
  });

  test('one request for an array of any size', async () => {
    const large = inQueue({ id: 12, array: '0-999999', size: 1_000_000 }, [{ indices: '0-999999' }]);
    const hold = async () => ({ job: large.job, tasks: 1_000_000 });
    const { calls, err } = await scontrol('hold 12', { ...queueClient([large]), hold });
    expect([err, calls.map(([name]) => name)]).toEqual(['', ['hold']]);
  });
});

describe('requeue', () => {
  test.each([
    ['requeue 6', '', ['requeue 6']],
    ['requeue 5', '', ['requeue 5']],
    ['requeue 8', 'Job is pending execution for job 8\n', []],
    ['requeue 9', '9_1-9: Job is pending execution\n', []],
    ['requeue 9_3', '9_3: Job is pending execution\n', []],
    ['requeue 7', '7_1-3: No error\n7_4: Job is pending execution\n', ['requeue 7_[1-3]']],
    ['requeue 3', '3_1,3: Job is pending execution\n', []],
    ['requeue 3_2', '', ['requeue 3_[2]']],
    ['requeue 7_[1,3]', '', ['requeue 7_[1,3]']],
    ['requeue 7_9', `7_9: ${UNKNOWN}\n`, []],
    ['requeue 99', `${UNKNOWN} for job 99\n`, []],
    ['requeue incomplete', '', []],
    ['requeue inc 7', '', ['requeue 7']],
    ['requeuehold State=SpecialExit 6', '', ['requeue 6']],
    ['requeuehold State=Foo 8', `${UNKNOWN} for job State=Foo\nJob is pending execution for job 8\n`, []],
  ])('%s', async (line, err, asked) => {
    const requeue = async (ref: string) => ({ job: over.job, tasks: 1, ref });
    expect(await scontrol(line, { requeue })).toMatchObject({ code: err === '' ? 0 : 1, out: '', err, asked });
  });

  test('what is asked of the coordinator', async () => {
    const requeue = async () => ({ job: over.job, tasks: 1 });
    const of = async (line: string) => (await scontrol(line, { requeue })).calls.find(([name]) => name === 'requeue');
    expect(await of('requeue 6')).toEqual(['requeue', '6', {}]);
    expect(await of('requeuehold 6')).toEqual(['requeue', '6', { hold: true }]);
    expect(await of('requeue incomplete 7')).toEqual(['requeue', '7', { state: 'running' }]);
    expect(await of('requeuehold incomplete 7')).toEqual(['requeue', '7', { hold: true, state: 'running' }]);
  });

  test('a job for which it is switched off', async () => {
    const requeue = async () => {
      throw new SpawnError('REQUEUE_DISABLED', { ref: '6' });
    };
    const words = 'Requested operation is presently disabled';
    expect((await scontrol('requeue 6', { requeue })).err).toBe(`${words} for job 6\n`);
    expect((await scontrol('requeue 7_[1-3]', { requeue })).err).toBe(`7_1-3: ${words}\n`);
  });
});

describe('suspend and resume', () => {
  const STEP = 'Job/step already completing or completed';
  test.each([
    ['suspend 6', '', ['suspend 6']],
    ['suspend 8', 'Job is pending execution for job 8\n', []],
    ['suspend 5', `${STEP} for job 5\n`, []],
    ['suspend 7', `7_1-2: ${STEP}\n7_3: No error\n7_4: Job is pending execution\n`, ['suspend 7']],
    ['suspend 7_3', '', ['suspend 7_3']],
    ['resume 6', 'Job is not suspended for job 6\n', ['resume 6']],
    ['resume 7_3', '7_3: Job is not suspended\n', ['resume 7_3']],
    ['suspend 6,8', 'Job is pending execution for job 8\n', ['suspend 6']],
    ['suspend 7_9', `7_9: ${UNKNOWN}\n`, []],
    ['suspend abc', `${UNKNOWN} for job abc\n`, []],
    ['resume 99', 'Unexpected message received for job 99\n', []],
  ])('%s', async (line, err, asked) => {
    expect(await scontrol(line)).toMatchObject({ code: err === '' ? 0 : 1, out: '', err, asked });
  });
});

describe('top', () => {
  const lanes = [{ priority: 5, cpus: 1, memoryBytes: 0, timeLimitMs: 0 }];
  const first = inQueue({ id: 20, size: 1 }, [{}], [], lanes);
  const second = inQueue({ id: 21, array: '0-3', size: 4 }, [{ indices: '0-3' }]);
  const top = (line: string, jobs: readonly QueueJob[] = [first, second, waiting, plain]) =>
    scontrol(line, { ...queueClient(jobs), update: async () => ({ job: second.job, tasks: 1 }) });

  test('gets a higher priority than all others of its owner', async () => {
    const { calls, err } = await top('top 21_2');
    expect(err).toBe('');
    expect(calls.find(([name]) => name === 'update')).toEqual(['update', '21_2', { priority: 6 }]);
    expect(calls.find(([name]) => name === 'allQueue')![1]).toMatchObject({ owners: '1000' });
  });

  test.each([
    ['top 8', 'Job is in held state, pending scheduler release for job 8\n'],
    ['top 21,8', 'Job is in held state, pending scheduler release for job 21,8\n'],
    ['top 99', `${UNKNOWN} for job 99\n`],
    ['top 6', ''],
  ])('%s', async (line, err) => {
    expect(await top(line)).toMatchObject({ code: err === '' ? 0 : 1, err });
  });
});

test('a coordinator that cannot be reached ends the command', async () => {
  const hold = async () => {
    throw new SpawnError('SERVER_UNREACHABLE', { address: '/run/x.sock' });
  };
  const { code, err } = await scontrol('hold 6,8', { hold });
  expect(code).toBe(1);
  expect(err.split('\n')[0]).toBe('slurm_load_jobs error: Unable to contact slurm controller (connect failure)');
});
