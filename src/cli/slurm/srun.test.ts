import { describe, expect, test } from 'vitest';
import { aJob, aTask, runCli, someCounts } from '../../../test/support/cli-world.ts';

const say = async (argv: readonly string[], env: Record<string, string> = {}) => {
  const { code, out, err } = await runCli(['srun', ...argv], { world: { env: { PATH: '/bin', ...env } } });
  return [code, out, err];
};

/** A task of ours on one node with two CPUs. */
const TASK = {
  ...{ SLURM_CLUSTER_NAME: 'spawn', SLURM_JOB_ID: '12', SPAWN_JOB_ID: '12', SPAWN_FENCE: '7', SLURM_NTASKS: '2' },
  ...{ SLURM_JOB_NODELIST: 'n1', SLURM_JOB_CPUS_PER_NODE: '2', SPAWN_STEP_DIR: '/nonexistent' },
};

describe('what is wrong, in the words of Slurm', () => {
  const help = 'Try "srun --help" for more information\n';
  test.each<[readonly string[], Record<string, string>, number, string]>([
    [[], {}, 1, 'srun: fatal: No command given to execute.\n'],
    [['--nosuch', 'true'], {}, 255, `srun: unrecognized option '--nosuch'\n${help}`],
    [['--array=1-2', 'true'], {}, 255, `srun: unrecognized option '--array=1-2'\n${help}`],
    [['-n', 'x', 'true'], {}, 1, 'srun: error: Invalid numeric value "x" for --ntasks.\n'],
    [['-n0', 'true'], {}, 1, 'srun: error: Invalid numeric value "0" for --ntasks.\n'],
    [['--wait=x', 'true'], {}, 1, 'srun: error: Invalid numeric value "x" for --wait.\n'],
    [['-t', 'nope', 'true'], {}, 255, 'srun: error: Invalid --time specification\n'],
    [
      ['--multi-prog', 'f'],
      {},
      255,
      'srun: error: --multi-prog: all ranks run one program, which can look at SLURM_PROCID\n',
    ],
    [['--uid=1', 'true'], {}, 255, 'srun: error: --uid only permitted by root user\n'],
    [
      ['--jobid=9', 'true'],
      {},
      1,
      'srun: error: Unable to confirm allocation for job 9: Invalid job id specified\nsrun: Check SLURM_JOB_ID environment variable. Expired or invalid job 9\n',
    ],
    [
      ['-n3', 'true'],
      TASK,
      1,
      'srun: error: Unable to create step for job 12: More processors requested than permitted\n',
    ],
    [['-N2', '-n2', 'true'], TASK, 1, 'srun: error: Only allocated 1 nodes asked for 2\n'],
    [
      ['true'],
      { ...TASK, SLURM_JOB_NODELIST: 'n[1-2]', SLURMD_NODENAME: 'n2' },
      1,
      'srun: error: Unable to create step for job 12: steps are started on its first node\n',
    ],
  ])('%j', async (argv, env, code, err) => {
    expect(await say(argv, env)).toEqual([code, '', err]);
  });
});

test('help and version ask nobody', async () => {
  expect(await say(['--version'])).toEqual([0, 'slurm 22.05.8\n', '']);
  expect((await say(['--help']))[1]).toContain('Usage: srun [options] PROGRAM [ARG…]');
});

describe('outside of a job', () => {
  /** What is sent, and what a job makes of srun that ends so. */
  async function run(argv: readonly string[], end: object) {
    const job = aJob({ size: 1, state: 'ready', counts: someCounts({ ready: 1 }) });
    const ended = { ...job, counts: someCounts({ completed: 1 }), endedAt: 2 };
    return runCli(['srun', ...argv], {
      client: {
        server: () => ({ sessions: [] }),
        putBlob: () => ({ hash: 'a'.repeat(64) }),
        submit: () => ({ job }),
        watch: async function* () {
          yield ended;
        },
        logs: async function* () {},
        tasks: () => ({ tasks: [aTask(0, { startedAt: 1, ...end })] }),
      },
    });
  }

  test('the job runs srun itself, with the options of the step', async () => {
    const ran = await run(['-n2', '-l', '-J', 'x y', '-t5', '-o', 'o-%t', './run me', '-n9'], { state: 'completed' });
    expect([ran.code, ran.err]).toEqual([0, '']);
    const { spec } = ran.calls.find(([name]) => name === 'submit')![1] as { spec: Record<string, unknown> };
    expect(spec).toMatchObject({
      run: { kind: 'argv', argv: ['spawn:srun', '--ntasks=2', '--label', '--output=o-%t', '--', './run me', '-n9'] },
      slurm: { name: 'x y', command: './run me -n9' },
      timeLimitMs: 300_000,
      gang: { tasks: 2 },
    });
    expect([spec.outputPath, spec.errorPath]).toEqual([undefined, undefined]);
  });

  test.each([
    [{ state: 'failed', exitCode: 3, process: { code: 3 } }, 3],
    [{ state: 'failed', signal: 9, exitCode: 137 }, 137],
    [{ state: 'cancelled', process: { code: 143 } }, 143],
    [{ state: 'failed' }, 1],
  ])('a task that ended as %j', async (end, code) => {
    expect((await run(['true'], end)).code).toBe(code);
  });

  test('a job that was cancelled before it started', async () => {
    const { code, err } = await run(['true'], { state: 'cancelled', startedAt: undefined });
    expect([code, err]).toEqual([
      1,
      'srun: Job has been cancelled\nsrun: error: Unable to allocate resources: Job/step already completing or completed\n',
    ]);
  });
});
