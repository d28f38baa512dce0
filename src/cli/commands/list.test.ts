import { describe, expect, test } from 'vitest';
import { aJob, runCli } from '../../../test/support/cli-world.ts';
import { anInstance, anInstanceId } from '../../../test/support/instance-views.ts';
import { InstanceState, type InstancesQueryInput, type InstanceView } from '../../api/instance.ts';
import { LISTED_STATES } from '../instances/filters.ts';

/** A coordinator with these instances and no job on a worker. */
const having = (...instances: InstanceView[]) => ({
  client: { instances: async () => ({ instances }), jobs: async () => ({ jobs: [] }) },
});
const standalone = (part: Partial<InstanceView> = {}) =>
  anInstance(0, {
    id: 'i-0000000000000xyz',
    name: 'my-instance',
    type: 't3.micro',
    publicIp: '127.4.0.77',
    standalone: true,
    jobId: 14,
    arrayId: 'my-instance-20260113-000001',
    arrayName: 'my-instance',
    arraySize: 1,
    ...part,
  });
const pending = anInstance(7, { state: 'pending', zone: 'local-b' });
delete pending.publicIp;
delete pending.privateIp;

describe('on a terminal', () => {
  test('arrays with their counts, then what is no array', async () => {
    const members = Array.from({ length: 7 }, (_, index) => anInstance(index));
    const ran = await runCli(['list'], { ...having(...members, pending, standalone()), tty: true });
    expect(ran.out).toBe(`Job Arrays:

  compute (8 instances, 7 running, 1 pending)
  Array ID: compute-20260113-abc123
    [0] compute-0  i-00000000000000000  m7i.large  running  local-a  127.4.0.10
    [1] compute-1  i-00000000000000001  m7i.large  running  local-a  127.4.0.11
    [2] compute-2  i-00000000000000002  m7i.large  running  local-a  127.4.0.12
    [3] compute-3  i-00000000000000003  m7i.large  running  local-a  127.4.0.13
    [4] compute-4  i-00000000000000004  m7i.large  running  local-a  127.4.0.14
    [5] compute-5  i-00000000000000005  m7i.large  running  local-a  127.4.0.15
    [6] compute-6  i-00000000000000006  m7i.large  running  local-a  127.4.0.16
    [7] compute-7  i-00000000000000007  m7i.large  pending  local-b  -
Standalone Instances:
  my-instance  i-0000000000000xyz  t3.micro  running  local-a  127.4.0.77
`);
    expect(ran).toMatchObject({ code: 0, err: '' });
  });

  test('columns as wide as the widest, what is special at the end, and every array by itself', async () => {
    const params = { lr: '0.1', batch: '32', seed: '7', depth: '12', note: 'a\nb' };
    const other = { jobId: 11, arrayId: 'w-20260112-0000ff', arrayName: 'w' };
    const { out } = await runCli(['list'], {
      ...having(
        anInstance(9, { spot: true, params: { lr: '0.1' } }),
        anInstance(10, { state: 'terminated', reason: 'ttl', type: 'c7i.8xlarge', params }),
        anInstance(0, { ...other, name: 'w-0', state: 'stopped', reason: 'user' }),
        anInstance(0, { ...other, name: 'w-0', generation: 2, id: anInstanceId(99) }),
      ),
      tty: true,
    });
    expect(out).toBe(`Job Arrays:

  compute (2 instances, 1 running, 1 terminated)
  Array ID: compute-20260113-abc123
    [9]  compute-9   i-00000000000000009  m7i.large    running     local-a  127.4.0.19  (spot)  lr=0.1
    [10] compute-10  i-0000000000000000a  c7i.8xlarge  terminated  local-a  127.4.0.20  (reason: ttl)  lr=0.1, batch=32, seed=7, … 2 more

  w (2 instances, 1 running, 1 stopped)
  Array ID: w-20260112-0000ff
    [0] w-0  i-00000000000000000  m7i.large  stopped  local-a  127.4.0.10  (reason: user)
    [0] w-0  i-00000000000000063  m7i.large  running  local-a  127.4.0.10
`);
  });

  test('an array of one instance, and only what is no array', async () => {
    expect((await runCli(['list'], { ...having(anInstance(0)), tty: true })).out).toMatch(
      /^Job Arrays:\n\n {2}compute \(1 instance, 1 running\)\n/,
    );
    expect((await runCli(['list'], { ...having(standalone()), tty: true })).out).toBe(
      'Standalone Instances:\n  my-instance  i-0000000000000xyz  t3.micro  running  local-a  127.4.0.77\n',
    );
  });

  test('text of others cannot break the list', async () => {
    const { out } = await runCli(['list'], { ...having(anInstance(0, { params: { a: 'x\n\x1b[2J' } })), tty: true });
    expect(out).toContain('127.4.0.10  a=x\\n·[2J\n');
  });

  test('an array that comes in several pages is one group', async () => {
    const pages: Record<string, { instances: InstanceView[]; next?: string }> = {
      first: { instances: [anInstance(0), anInstance(1)], next: anInstanceId(1) },
      [anInstanceId(1)]: { instances: [anInstance(2), standalone()] },
    };
    const instances = async ({ after = 'first' }: InstancesQueryInput) => pages[after];
    const { out, calls } = await runCli(['list'], {
      client: { instances, jobs: async () => ({ jobs: [] }) },
      tty: true,
    });
    expect(out.match(/compute \(3 instances, 3 running\)/g)).toHaveLength(1);
    expect(calls.slice(0, 2)).toEqual([
      ['instances', { limit: 1_000 }],
      ['instances', { limit: 1_000, after: anInstanceId(1) }],
    ]);
  });

  describe('nothing to list', () => {
    const list = (words: readonly string[], jobs: unknown[], next?: number) =>
      runCli(['list', ...words], {
        client: { instances: async () => ({ instances: [] }), jobs: async () => ({ jobs, ...(next ? { next } : {}) }) },
        tty: true,
      });

    test('is said', async () => {
      expect((await list([], [])).out).toBe('no instance and no live job\n');
      expect((await list(['--state', 'all'], [])).out).toBe('no instance and no live job\n');
    });
    test('says of jobs where they are', async () => {
      expect((await list([], [aJob({ id: 1 }), aJob({ id: 2 }), aJob({ id: 3 })])).out).toBe(
        'no instance\n3 jobs on workers: spawn jobs\n',
      );
      expect((await list([], [aJob({ id: 1 })], 1)).out).toBe('no instance\nmore than 1 job on workers: spawn jobs\n');
      expect((await list([], [aJob({ id: 1, instances: true })])).out).toBe('no instance and no live job\n');
    });
    test('is said of filters', async () => {
      const ran = await list(['--state', 'running'], [aJob()]);
      expect(ran.out).toBe('no instance fits\n');
      expect(ran.calls).toEqual([['instances', { state: 'running', limit: 1_000 }]]);
    });
  });

  test('jobs that have instances are not counted as jobs on workers', async () => {
    const jobs = async () => ({ jobs: [aJob({ id: 12, instances: true }), aJob({ id: 13 })] });
    const { out } = await runCli(['list'], {
      client: { instances: async () => ({ instances: [anInstance(0)] }), jobs },
      tty: true,
    });
    expect(out).toMatch(/127\.4\.0\.10\n1 job on workers: spawn jobs\n$/);
  });
});

describe('through a pipe', () => {
  test('a line an instance, tab-separated, without a header', async () => {
    const { out, calls } = await runCli(
      ['list'],
      having(anInstance(3, { spot: true }), pending, standalone({ state: 'terminated', reason: 'ttl' })),
    );
    expect(out).toBe(
      'compute-3\ti-00000000000000003\tm7i.large\trunning\tlocal-a\t127.4.0.13\tlocal\tcompute\tcompute-20260113-abc123\t3\tspot\t\n' +
        'compute-7\ti-00000000000000007\tm7i.large\tpending\tlocal-b\t\tlocal\tcompute\tcompute-20260113-abc123\t7\ton-demand\t\n' +
        'my-instance\ti-0000000000000xyz\tt3.micro\tterminated\tlocal-a\t127.4.0.77\tlocal\t\t\t\ton-demand\tttl\n',
    );
    expect(calls.map(([name]) => name)).toEqual(['instances']);
  });

  test('nothing at all when none fits, so that lines can be counted', async () => {
    expect(await runCli(['list', '--state', 'terminated'], having())).toMatchObject({ code: 0, out: '', err: '' });
  });

  test('ten thousand come page by page', async () => {
    const instances = async ({ after }: InstancesQueryInput) => {
      const from = after === undefined ? 0 : Number(after);
      const page = Array.from({ length: 1_000 }, (_, at) => anInstance(from + at));
      return from + 1_000 < 10_000 ? { instances: page, next: String(from + 1_000) } : { instances: page };
    };
    const ran = await runCli(['list'], { client: { instances } });
    expect(ran.out.split('\n')).toHaveLength(10_001);
    expect(ran.calls).toHaveLength(10);
  });
});

describe('-o json', () => {
  test('one flat array, every key always there', async () => {
    const { out } = await runCli(
      ['list', '-o', 'json'],
      having(anInstance(3, { params: { lr: '0.1' } }), standalone()),
    );
    const [member, single] = JSON.parse(out);
    expect(member).toEqual({
      instance_id: 'i-00000000000000003',
      name: 'compute-3',
      state: 'running',
      reason: null,
      message: null,
      instance_type: 'm7i.large',
      region: 'local',
      availability_zone: 'local-a',
      public_ip: '127.4.0.13',
      private_ip: '127.4.0.13',
      dns: 'compute-3.5k0zfnmq.spore.host',
      spot: false,
      created_at: '1970-01-01T00:16:40.000Z',
      launch_time: '1970-01-01T00:16:41.000Z',
      ended_at: null,
      ttl: '4h',
      ttl_remaining_seconds: 7_200,
      idle_timeout: null,
      idle_seconds: null,
      cpu_percent: null,
      job_array_id: 'compute-20260113-abc123',
      job_array_name: 'compute',
      job_array_index: 3,
      job_array_rank: 3,
      job_array_size: 8,
      job_id: 12,
      task: '12_3',
      task_state: 'running',
      owner: '1000',
      running_seconds: 7_200,
      rate: 0.1008,
      cost: 0.2016,
      generation: 1,
      tags: { 'spawn:job-array-id': 'compute-20260113-abc123', team: 'physics' },
      parameters: { lr: '0.1' },
    });
    expect(Object.keys(single)).toEqual(Object.keys(member));
    expect(single).toMatchObject({ job_id: 14, job_array_id: null, job_array_index: null, parameters: {} });
  });

  test('--json is the same, also on a terminal', async () => {
    const json = await runCli(['list', '-o', 'json'], having(anInstance(0)));
    expect(await runCli(['list', '--json'], { ...having(anInstance(0)), tty: true })).toEqual(json);
    expect((await runCli(['list', '--json'], having())).out).toBe('[]\n');
  });
});

test.each<[string[], InstancesQueryInput]>([
  [['--name', 'compute-0'], { instance: 'compute-0' }],
  [['--job-array-name', 'compute'], { arrayName: 'compute' }],
  [['--job-array-id', 'compute-20260113-abc123'], { arrayId: 'compute-20260113-abc123' }],
  [['--job-array-id', 'array-xxx'], { arrayId: 'array-xxx' }],
  [['--tag', 'array:id=array-20260127-100000'], { tag: ['array:id=array-20260127-100000'] }],
  [['--tag', 'a=', '--tag', 'b=c=d'], { tag: ['a=', 'b=c=d'] }],
  [['--state', 'shutting-down'], { state: 'shutting-down' }],
  [['--region', 'us-east-1', '--instance-type', 't3.micro'], { region: 'us-east-1', type: 't3.micro' }],
])('%j asks for %j', async (words, query) => {
  expect((await runCli(['list', ...words], having())).calls).toEqual([['instances', { ...query, limit: 1_000 }]]);
});

test('every state can be asked for', () => {
  expect(LISTED_STATES).toEqual(['all', ...InstanceState.options]);
});
