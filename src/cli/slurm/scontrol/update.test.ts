import { describe, expect, test } from 'vitest';
import { runCli, someCounts } from '../../../../test/support/cli-world.ts';
import { inQueue, queueClient } from '../../../../test/support/queue-at-hand.ts';
import { SpawnError } from '../../../core/errors.ts';

const MINUTE = 60_000;
const LANE = { priority: 0, cpus: 2, memoryBytes: 0, timeLimitMs: 10 * MINUTE };
const one = inQueue({ id: 7, size: 1, cpus: 2, counts: someCounts({ ready: 1 }) }, [{}], [], [LANE]);
const running = inQueue({ id: 6, size: 1, counts: someCounts({ running: 1 }) }, [], [{ state: 'running' }], [LANE]);
const array = inQueue(
  { id: 8, array: '1-6', size: 6, counts: someCounts({ ready: 2, running: 2, completed: 2 }) },
  [{ indices: '5-6' }],
  [
    { index: 3, state: 'running' },
    { index: 4, state: 'running' },
  ],
  [LANE],
);
const fresh = inQueue(
  { id: 9, array: '1-9', size: 9, counts: someCounts({ ready: 9 }) },
  [{ indices: '1-9' }],
  [],
  [LANE],
);
const endless = inQueue({ id: 10, size: 1, counts: someCounts({ ready: 1 }) }, [{}]);
const JOBS = [one, running, array, fresh, endless];

async function update(line: string, more: object = {}) {
  const reply = async (ref: string) => {
    const found = JOBS.find(({ job }) => job.id === Number(ref.split('_')[0]));
    if (found === undefined) throw new SpawnError('JOB_NOT_FOUND', { ref });
    if (/_9$/.test(ref) && ref !== '9_9') throw new SpawnError('TASK_NOT_FOUND', { ref });
    return { job: found.job, tasks: ref === '9' ? 9 : 0 };
  };
  const client = {
    ...queueClient(JOBS),
    update: reply,
    hold: reply,
    release: reply,
    async *allJobs() {
      if (line.includes('JobName=fit')) yield* JOBS.map(({ job }) => job);
    },
    ...more,
  };
  const { code, out, err, calls } = await runCli(['scontrol', 'update', ...line.split(' ')], { client });
  expect(out).toBe('');
  const asked = calls.filter(([name]) => ['update', 'hold', 'release'].includes(name));
  return { code, err, asked };
}

describe('what is asked of the coordinator', () => {
  test.each([
    ['JobId=7 TimeLimit=5', '7', { timeLimitMs: 5 * MINUTE }],
    ['JobId=7 TimeLimit=+10', '7', { timeLimitMs: 20 * MINUTE }],
    ['JobId=7 TimeLimit-=4', '7', { timeLimitMs: 6 * MINUTE }],
    ['JobId=10 TimeLimit=+10', '10', { timeLimitMs: 0 }],
    ['JobId=6 EndTime=now+1hour', '6', { timeLimitMs: 61 * MINUTE }],
    ['JobId=9_3 TimeLimit=+1', '9_3', { timeLimitMs: 11 * MINUTE }],
    ['JobId=9 ArrayTaskThrottle=3', '9', { throttle: 3 }],
    ['JobId=7 Dependency=', '7', { after: '' }],
    ['JobId=7 Dependency=afterok:6', '7', { after: 'afterok:6' }],
    ['JobId=7 Nice=10', '7', { priority: -10, slurm: { nice: 10 } }],
    ['JobId=9_[1-2] Nice=10', '9_[1-2]', { priority: -10 }],
    ['JobId=7 JobName=a Comment=b', '7', { slurm: { name: 'a', comment: 'b' } }],
    ['JobId=7 StartTime=now', '7', { beginInMs: 0 }],
    ['JobId=7 Requeue=0', '7', { slurm: { requeue: false } }],
    ['JobId=7 NumCPUs=4-8', '7', { cpus: 4 }],
    ['JobId=7 MinMemoryCPU=100', '7', { memoryBytes: 2 * 104_857_600 }],
    ['JobId=7 MinMemoryCPU=100 NumCPUs=3', '7', { cpus: 3, memoryBytes: 3 * 104_857_600 }],
    ['JobId=7 MinMemoryNode=1G', '7', { memoryBytes: 1_073_741_824 }],
    ['JobId=7 Gres=gpu:2', '7', { gpus: 2 }],
    ['JobId=7 MailType=END,FAIL MailUser=a@b', '7', { slurm: { mailType: ['END', 'FAIL'], mailUser: 'a@b' } }],
    ['JobId=7 Account=x QOS=y Partition=z', '7', { slurm: { account: 'x', qos: 'y', partition: 'z' } }],
    ['JobId=7 StdOut=/x/%j-%q', '7', { outputPath: '/x/%j-%%q' }],
    ['JobId=7 Comment=', '7', { slurm: { comment: '' } }],
    ['JobId=7 Deadline=now+1hour', '7', { deadlineInMs: 60 * MINUTE }],
  ])('%s', async (line, ref, request) => {
    expect(await update(line)).toEqual({ code: 0, err: '', asked: [['update', ref, request]] });
  });

  test('each job of a list, and all of a name', async () => {
    const refs = async (line: string) => (await update(line)).asked.map(([, ref]) => ref);
    expect(await refs('JobId=7,9_[2-3],9_5 Nice=1')).toEqual(['7', '9_[2-3]', '9_5']);
    expect(await refs('JobName=fit Nice=1')).toEqual(['10', '9', '8', '6', '7']);
  });

  test('a priority of 0 holds, any other releases', async () => {
    expect((await update('JobId=7 Priority=0')).asked).toEqual([['hold', '7']]);
    expect((await update('JobId=7 Priority=4294901765')).asked).toEqual([
      ['update', '7', { priority: 5 }],
      ['release', '7'],
    ]);
    expect((await update('JobId=7 Priority=77')).asked[0]).toEqual(['update', '7', { priority: -1_000_000 }]);
  });

  test('the throttle of one task is that of its array', async () => {
    expect((await update('JobId=9_3 ArrayTaskThrottle=2')).asked).toEqual([['update', '9', { throttle: 2 }]]);
  });

  test('what does nothing is said to a person', async () => {
    expect(await update('JobId=7 Contiguous=1')).toEqual({ code: 0, err: '', asked: [] });
    const { err } = await runCli(['scontrol', '-v', 'update', 'JobId=7', 'Contiguous=1'], {
      client: queueClient(JOBS),
    });
    expect(err).toBe('scontrol: Contiguous is accepted and has no effect here\n');
  });
});

// The words are those of scontrol of Slurm 22.05.8.
describe('what is refused', () => {
  test.each([
    [
      'Nice=1',
      'No valid entity in update command\nInput line must include "NodeName", "PartitionName", "Reservation", "JobId", or "SlurmctldDebug"\n',
    ],
    ['jobid=7', 'No changes specified\n'],
    ['jobid=abc Nice=1', 'Invalid job id specified for job abc\n'],
    ['jobid=99 Nice=1', 'Invalid job id specified for job 99\n'],
    ['jobid=8_9 Nice=1', '8_9: Invalid job id specified\n'],
    ['jobname=nosuch Nice=1', "scontrol: error: No jobs with name 'nosuch'\n"],
    ['jobid=8 Nice=1', '8_1-2: Job has already finished\n8_3-6: No error\n'],
    ['jobid=8_[1-3] Nice=1', '8_1-2: Job has already finished\n8_3: No error\n'],
    [
      'jobid=8 Dependency=singleton',
      '8_1-2: Job has already finished\n8_3-4: Job is no longer pending execution\n8_5-6: No error\n',
    ],
    ['jobid=8_3 StartTime=now', '8_3: Job is no longer pending execution\n'],
    ['jobid=6 StartTime=now+60', 'Job is no longer pending execution for job 6\n'],
    ['jobid=8 TimeLimit=+10', 'scontrol: error: TimeLimit increment/decrement not supported for job arrays\n'],
    ['jobid=9_[3-4] TimeLimit=+10', 'scontrol: error: Invalid job ID 9_[3-4]\n'],
    ['jobid=7 TimeLimit=-50', 'scontrol: error: TimeLimit decrement larger than current time limit (50 > 10)\n'],
    ['jobid=99 TimeLimit=+1', 'Invalid job id specified for job 99\n'],
    ['jobid=7 EndTime=now+1hour', 'Job is not running for job 7\n'],
    ['jobid=7 NumNodes=2', 'Requested operation not supported on this system for job 7\n'],
    ['jobid=9_[1-2] WorkDir=/', '9_1-2: Requested operation not supported on this system\n'],
    ['jobid=7 MailType=NOPE', 'Invalid MailType: NOPE\n'],
    ['jobid=7 StdErr=/x', 'Update of this parameter is not supported: StdErr=/x\nRequest aborted\n'],
  ])('%s', async (line, err) => {
    expect(await update(line)).toMatchObject({ code: 1, err });
  });

  test('by the coordinator', async () => {
    const refused = async () => {
      throw new SpawnError('BAD_REQUEST', { where: 'slurm', expected: 'a whole job', found: '9_3' });
    };
    expect((await update('jobid=9_3 JobName=x', { update: refused })).err).toBe(
      '9_3: Requested operation not supported on this system\n',
    );
    const client = { ...queueClient(JOBS), update: refused };
    expect((await runCli(['scontrol', '-v', 'update', 'jobid=9_3', 'JobName=x'], { client })).err).toBe(
      '9_3: Requested operation not supported on this system\nscontrol: slurm: expected a whole job, found "9_3"\n',
    );
    const ended = async () => {
      throw new SpawnError('JOB_ENDED', { ref: '7', state: 'completed' });
    };
    expect((await update('jobid=7 Nice=1', { update: ended })).err).toBe('Job has already finished for job 7\n');
  });
});
