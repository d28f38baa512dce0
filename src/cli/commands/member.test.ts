import { describe, expect, test } from 'vitest';
import { aDelta, aJob, aSummary, aTask, runCli, someCounts } from '../../../test/support/cli-world.ts';
import { anInstance } from '../../../test/support/instance-views.ts';
import { logBytes } from '../../../test/support/log-bytes.ts';
import type { InstancesQueryInput } from '../../api/instance.ts';
import type { TasksQueryInput } from '../../api/job.ts';

const job = aJob({
  name: 'compute',
  arrayId: 'compute-20260113-abc123',
  instances: true,
  size: 8,
  counts: someCounts({ running: 7, ready: 1 }),
  state: 'running',
  startedAt: 1_000_000,
});
const { ttlLeftMs: _, ...endless } = anInstance(2, { state: 'pending', cost: 0 });
const members = [anInstance(0), anInstance(1, { ttlLeftMs: 3_600_000 }), endless];
const client = {
  summary: async () => aSummary(job),
  job: async () => job,
  tasks: async (_: string, { index }: TasksQueryInput) => ({
    tasks: [aTask(Number(index ?? 1), { state: 'running' })],
  }),
  instances: async ({ instance }: InstancesQueryInput) => ({
    instances: instance === undefined ? members : [anInstance(1, { state: 'terminated', generation: 1 }), members[1]],
  }),
  logs: async function* () {
    yield logBytes({ data: 'a line\n' });
  },
};

describe('status', () => {
  test('of an array of instances tells of those too', async () => {
    const { out, calls } = await runCli(['status', 'compute'], { client });
    expect(out).toMatch(
      /^Job 12: compute \(compute-20260113-abc123\)\n {2}state {6}running\n {2}tasks {6}8: 7 running, 1 ready\n/,
    );
    expect(out).toContain(
      '  instances  3 instances, 2 running, 1 pending\n' +
        '  cost       $0.40 so far, $0.20 an hour\n' +
        '  TTL left   1h00m to 2h00m\n',
    );
    expect(calls.map(([name, first]) => [name, first])).toEqual([
      ['summary', 'compute'],
      ['instances', { arrayId: 'compute-20260113-abc123', limit: 1_000 }],
    ]);
    const json = JSON.parse((await runCli(['status', '12', '-o', 'json'], { client })).out);
    expect(json).toMatchObject({
      instances: true,
      instance_states: { running: 2, pending: 1 },
      cost: 0.4032,
      rate: 0.2016,
      ttl_remaining_seconds: 3_600,
    });
  });

  test('of an instance that is no array: its last machine, and the job', async () => {
    const box = [1, 2].map((generation) => anInstance(0, { name: 'box', standalone: true, generation }));
    const own = { ...client, instances: async () => ({ instances: box }) };
    const { out } = await runCli(['status', 'compute'], { client: own });
    expect(out).toMatch(/^Instance box \(i-00000000000000000\)\n {2}state {5}running\n {2}type/);
    expect(out).toContain('  address   127.4.0.10\n');
    expect(out).toContain('  machine   the 2nd of this index\nJob 12: compute (compute-20260113-abc123)\n');
    expect(out).not.toContain('  instances ');
  });

  test('says nothing of instances where there are none any more', async () => {
    const gone = { ...client, instances: async () => ({ instances: [] }) };
    expect((await runCli(['status', 'compute'], { client: gone })).out).not.toMatch(/instances|cost|TTL/);
  });

  test('of one instance: its last machine and its task', async () => {
    const { out } = await runCli(['status', 'compute-1'], { client });
    expect(out).toMatch(
      new RegExp(
        [
          '^Instance compute-1 \\(i-00000000000000001\\)',
          '  state     running',
          '  array     compute-20260113-abc123, index 1',
          '  type      m7i.large',
          '  zone      local-a',
          '  address   127.4.0.11',
          '  DNS       compute-1.5k0zfnmq.spore.host',
          '  launched  1970-01-01T00:16:41.000Z',
          '  TTL left  1h00m',
          '  cost      \\$0.20 so far, \\$0.10 an hour',
          'Task 12_1\\n',
        ].join('\\n'),
      ),
    );
    const json = JSON.parse((await runCli(['status', 'compute-1', '-o', 'json'], { client })).out);
    expect(json).toMatchObject({
      instance_id: 'i-00000000000000001',
      task: '12_1',
      task_state: 'running',
      task_attempt: 0,
    });
  });

  test('a name that others had before, in other jobs, is that of the last', async () => {
    const older = anInstance(1, { id: 'i-0000000000000000f', jobId: 3, state: 'terminated' });
    const named = { ...client, instances: async () => ({ instances: [anInstance(1), older] }) };
    const { out } = await runCli(['status', 'compute-1'], { client: named });
    expect(out).toContain('Instance compute-1 (i-00000000000000001)\n  state     running\n');
    expect(out).toContain('Task 12_1\n');
  });

  test('what ended it, what it waits for, and that it is not the first', async () => {
    const gone = anInstance(1, {
      state: 'hibernated',
      reason: 'idle',
      message: 'no login',
      spot: true,
      idleTimeoutMs: 900_000,
      idleMs: 60_000,
      cpuPercent: 2.4,
      generation: 3,
    });
    const { out } = await runCli(['status', 'compute-1'], {
      client: { ...client, instances: async () => ({ instances: [gone] }) },
    });
    expect(out).toContain('  state     hibernated: idle: no login\n');
    expect(out).toContain('  type      m7i.large (spot)\n');
    expect(out).toContain(
      '  idle      1m00s of 15m00s\n  CPU       2%\n  cost      $0.20 so far\n  machine   the 3rd of this index\n',
    );
  });

  test.each([
    [2, '2nd'],
    [11, '11th'],
    [13, '13th'],
    [24, '24th'],
  ])('machine %d is the %s', async (generation, text) => {
    const ran = await runCli(['status', 'compute-1'], {
      client: { ...client, instances: async () => ({ instances: [anInstance(1, { generation })] }) },
    });
    expect(ran.out).toContain(`the ${text} of this index\n`);
  });
});

test('logs of an instance are those of its task, byte by byte', async () => {
  const { out, calls } = await runCli(['logs', 'compute-1'], { client });
  expect(out).toBe('a line\n');
  expect(calls.at(-1)!.slice(0, 3)).toEqual(['logs', '12', { stream: 'both', follow: '0', index: '1' }]);
  expect((await runCli(['logs', 'compute'], { client })).calls.at(-1)![2]).not.toHaveProperty('index');
  expect(await runCli(['logs', 'compute-1', '--index', '3'], { client })).toMatchObject({
    code: 2,
    err: 'spawn: logs: expected a whole job with --index, found an instance of job 12\n',
  });
});

test('wait takes whole jobs only', async () => {
  expect(await runCli(['wait', 'compute-1'], { client })).toMatchObject({
    code: 2,
    err: 'spawn: wait: expected a whole job, as 12 or a name, found "compute-1"\n',
  });
  const ended = { ...job, state: 'completed', endedAt: 5, exitCode: 0 } as const;
  const watch = async function* () {
    yield aDelta(ended);
  };
  expect((await runCli(['wait', 'compute'], { client: { ...client, job: async () => ended, watch } })).code).toBe(0);
});
