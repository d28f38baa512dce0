import { hostname } from 'node:os';
import { describe, expect, test } from 'vitest';
import { aServer, runCli, someCounts } from '../../../../test/support/cli-world.ts';
import { inQueue, queueClient } from '../../../../test/support/queue-at-hand.ts';
import type { QueueJob, QueueQueryInput } from '../../../api/queue.ts';
import { localZone } from '../../local-zone.ts';
import { localTime } from '../clock-text.ts';

const LANE = { priority: -10, cpus: 2, memoryBytes: 209_715_200, timeLimitMs: 600_000 };
const at = (ms: number) => localTime(ms, localZone, '');
const running = inQueue(
  {
    id: 12,
    size: 1,
    counts: someCounts({ running: 1 }),
    outputPath: '%x-%j.out',
    createdAt: 990_000,
    slurm: { name: 'my job', memPer: 'cpu', ntasks: 1, cpusPerTask: 2, notes: ['--qos is recorded and has no effect'] },
  },
  [],
  [{ state: 'running', worker: 'n2', attempt: 2, rawId: 12 }],
  [LANE],
);
const array = inQueue(
  { id: 13, array: '1-5', size: 5, throttle: 2, held: true, counts: someCounts({ ready: 3, running: 1, failed: 1 }) },
  [{ indices: '3-5', reason: 'JobArrayTaskLimit' }],
  [
    { index: 1, state: 'running', worker: 'n1', attempt: 1, rawId: 1_000_000_000 },
    {
      index: 2,
      state: 'failed',
      worker: 'n1',
      attempt: 1,
      exitCode: 3,
      cause: 'exited',
      process: { code: 3 },
      rawId: 1_000_000_001,
      endedAt: 1_030_000,
    },
  ],
);
const waits = inQueue({ id: 14, size: 1, retried: 1 }, [
  { state: 'blocked', reason: 'Dependency', after: 'afterok:13' },
]);

async function show(line: string, jobs: readonly QueueJob[] = [running, array, waits], more: object = {}) {
  const client = {
    ...queueClient(jobs),
    tasks: async () => ({ tasks: [{ attempt: 1 }] }),
    server: async () => aServer({ host: hostname(), sessions: [node] }),
    ...more,
  };
  const world = { env: {}, now: () => 1_060_000 };
  return await runCli(['scontrol', ...line.split(' ')], { client, world });
}

const node = {
  id: 1,
  worker: 'n1',
  host: 'elsewhere',
  pid: 1,
  resources: { cpus: 8, memoryBytes: 16_777_216_000, gpus: 2 },
  freeCpus: 6,
  freeMemoryBytes: 16_672_358_400,
  freeGpus: 1,
  running: 1,
  leased: 0,
  connected: true,
  draining: false,
  openedAt: 1_000_000,
};

describe('show job', () => {
  test('a job that runs', async () => {
    const { code, out } = await show('-d show job 12');
    expect(code).toBe(0);
    const [first, ...lines] = out.split('\n');
    expect(first).toBe('JobId=12 JobName=my job');
    expect(lines.map((line) => line.trimStart())).toEqual(
      expect.arrayContaining([
        'Priority=4294901750 Nice=10 Account=(null) QOS=(null)',
        'JobState=RUNNING Reason=None Dependency=(null)',
        'Requeue=1 Restarts=1 BatchFlag=1 Reboot=0 ExitCode=0:0',
        'RunTime=00:01:00 TimeLimit=00:10:00 TimeMin=N/A',
        `SubmitTime=${at(990_000)} EligibleTime=${at(990_000)}`,
        `StartTime=${at(1_000_000)} EndTime=${at(1_600_000)} Deadline=N/A`,
        'NodeList=n2',
        'BatchHost=n2',
        'NumNodes=1 NumCPUs=2 NumTasks=1 CPUs/Task=2 ReqB:S:C:T=0:0:*:*',
        'TRES=cpu=2,mem=200M,node=1,billing=2',
        'JOB_GRES=(null)',
        'Nodes=n2 CPU_IDs= Mem=200 GRES=',
        'MinCPUsNode=2 MinMemoryCPU=100M MinTmpDiskNode=0',
        'Command=(null)',
        'WorkDir=/home/ada',
        'StdErr=/home/ada/my job-12.out',
        'StdIn=/dev/null',
        'StdOut=/home/ada/my job-12.out',
        'Note=--qos is recorded and has no effect',
      ]),
    );
    expect(out.endsWith('\n   \n\n')).toBe(true);
  });

  test('an array: what waits first, then each task', async () => {
    const { out } = await show('-o show job 13');
    const lines = out.trimEnd().split('\n');
    expect(lines.map((line) => line.split(' JobName')[0])).toEqual([
      'JobId=13 ArrayJobId=13 ArrayTaskId=3-5%2 ArrayTaskThrottle=2',
      'JobId=1000000000 ArrayJobId=13 ArrayTaskId=1 ArrayTaskThrottle=2',
      'JobId=1000000001 ArrayJobId=13 ArrayTaskId=2 ArrayTaskThrottle=2',
    ]);
    expect(lines[0]).toContain('JobState=PENDING Reason=JobArrayTaskLimit ');
    expect(lines[2]).toContain('JobState=FAILED Reason=NonZeroExitCode ');
    expect(lines[2]).toContain(' ExitCode=3:0 RunTime=00:00:30 ');
  });

  test.each(['show jobid=13_1', 'show jobid 13_1', 'show JobId=13_1', 'show job 13_1', 'show job=13_1'])(
    'one task: %s',
    async (line) => {
      const { out } = await show(line);
      expect(out.match(/^JobId=.*$/gm)).toEqual([
        'JobId=1000000000 ArrayJobId=13 ArrayTaskId=1 ArrayTaskThrottle=2 JobName=fit',
      ]);
    },
  );

  test('what it waits for, and how often it ran', async () => {
    const { out, calls } = await show('show job 14');
    expect(out).toContain('   JobState=PENDING Reason=Dependency Dependency=afterok:13_*(unfulfilled)\n');
    expect(out).toContain(' Restarts=1 ');
    expect(calls.map(([name]) => name)).toEqual(['queue', 'job', 'tasks']);
  });

  test('all jobs, or that there are none', async () => {
    expect((await show('show jobs')).out.match(/^JobId=/gm)).toHaveLength(5);
    expect((await show('show jobs', [])).out).toBe('No jobs in the system\n');
    const { calls } = await show('show jobs', []);
    expect(calls[0]![1]).toEqual({ ended: 300, limit: 10_000 });
  });

  test('what is not there', async () => {
    expect(await show('show job 13_99')).toMatchObject({ code: 1, out: 'Job 13_99 not found\n', err: '' });
    expect(await show('show job 99')).toMatchObject({
      code: 1,
      out: '',
      err: 'slurm_load_jobs error: Invalid job id specified\n',
    });
  });

  test('of more than a page each task comes with its page, and what waits at the end', async () => {
    const pages = [array.tasks[0]!, array.tasks[1]!].map((task, at) => ({
      ...array,
      tasks: [task],
      groups: at === 0 ? array.groups : [],
    }));
    const queue = async ({ after }: QueueQueryInput = {}) => ({
      now: 1_060_000,
      missing: [],
      jobs: [pages[after === undefined ? 0 : 1]!],
      ...(after === undefined ? { next: '13:1' } : {}),
    });
    const { out } = await show('-o show job 13', [array], { queue });
    expect(out.match(/ArrayTaskId=\S+/g)).toEqual(['ArrayTaskId=1', 'ArrayTaskId=2', 'ArrayTaskId=3-5%2']);
  });

  test('a name cannot forge another field', async () => {
    const job = { ...running.job, slurm: { name: 'x\n   JobState=COMPLETED' } };
    expect((await show('show job 12', [{ ...running, job }])).out).not.toContain('\n   JobState=COMPLETED');
  });
});

describe('nodes, the partition, the configuration', () => {
  test('a node', async () => {
    const { out } = await show('show node n1');
    const lines = out.split('\n').map((line) => line.trim());
    expect(lines).toEqual(
      expect.arrayContaining([
        'NodeName=n1 Arch=N/A CoresPerSocket=1',
        'CPUAlloc=2 CPUEfctv=8 CPUTot=8 CPULoad=N/A',
        'Gres=gpu:2',
        'RealMemory=16000 AllocMem=100 FreeMem=N/A Sockets=8 Boards=1',
        'State=MIXED ThreadsPerCore=1 TmpDisk=0 Weight=1 Owner=N/A MCS_label=N/A',
        'CfgTRES=cpu=8,mem=16000M,billing=8,gres/gpu=2',
        'AllocTRES=cpu=2,mem=100M,gres/gpu=1',
      ]),
    );
    expect((await show('-o show nodes')).out.split('\n')).toHaveLength(2);
    expect((await show('show aliases')).out).toBe('n1\n');
  });

  test.each([
    [{ connected: false }, 'State=DOWN* '],
    [{ draining: true }, 'State=MIXED+DRAIN '],
    [{ freeCpus: 0 }, 'State=ALLOCATED '],
    [{ freeCpus: 8, host: hostname() }, 'State=IDLE '],
  ])('a node with %j', async (part, state) => {
    const server = async () => aServer({ sessions: [{ ...node, ...part }] });
    expect((await show('show node', [], { server })).out).toContain(state);
  });

  test('the partition', async () => {
    const { out } = await show('show partition main');
    expect(out).toContain('PartitionName=main\n');
    expect(out).toContain('   Nodes=n1\n');
    expect(out).toContain('   State=UP TotalCPUs=8 TotalNodes=1 SelectTypeParameters=NONE\n');
    expect(out).toContain('   TRES=cpu=8,mem=16000M,node=1,billing=8,gres/gpu=2\n');
  });

  test('the configuration', async () => {
    const server = async () => aServer({ maxArraySize: 1_000 });
    const { out } = await show('show config', [], { server });
    expect(out.startsWith(`Configuration data as of ${at(1_060_000)}\n`)).toBe(true);
    expect(out).toContain('MaxArraySize            = 1001\n');
    expect(out).toContain('MinJobAge               = 300 sec\n');
    expect(out).toContain('SLURM_VERSION           = 22.05.8\n');
    expect(out).toContain('ClusterName             = spawn\n');
  });
});

describe('steps', () => {
  test('the batch step of what runs', async () => {
    expect((await show('-o show step 12')).out).toBe(
      `StepId=12.batch UserId=1000 StartTime=${at(1_000_000)} TimeLimit=UNLIMITED State=RUNNING Partition=main NodeList=n2 Nodes=1 CPUs=0 Tasks=1 Name=batch Network=(null) TRES=(null) ResvPorts=(null) CPUFreqReq=Default SrunHost:Pid=(null):0\n`,
    );
    expect((await show('show step')).out.match(/^StepId=\S+/gm)).toEqual(['StepId=12.batch', 'StepId=13_1.batch']);
  });

  test.each([
    ['show step 14', 'Job step 14. not found\n'],
    ['show step 12.7', 'Job step 12.7 not found\n'],
  ])('%s', async (line, out) => expect(await show(line)).toMatchObject({ code: 1, out }));

  test('none', async () => expect((await show('show steps', [])).out).toBe('No job steps in the system\n'));
});

describe('wait_job', () => {
  test.each([
    ['wait_job 12', 0, 'scontrol: Nodes are ready for job 12\n'],
    ['wait_job 14', 1, 'scontrol: Job 14 no longer running\n'],
    ['wait_job 99', 1, 'scontrol: Problem running job 99\n'],
  ])('%s', async (line, code, err) => expect(await show(line)).toMatchObject({ code, out: '', err }));
});
