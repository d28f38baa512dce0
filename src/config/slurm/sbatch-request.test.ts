import { describe, expect, test } from 'vitest';
import { slurmWords } from '../../../test/support/slurm-words.ts';
import { readSbatchRequest } from './sbatch-request.ts';
import type { SbatchContext } from './sbatch-values.ts';
import { readSbatchLine, readScriptOptions, readVariables } from './sbatch-words.ts';

const context: SbatchContext = {
  clock: { now: Date.UTC(2026, 10, 21, 18, 53, 45), zone: () => 0 },
  env: { XA: '1' },
  isAdmin: false,
};
const request = (line: readonly string[], env = {}, script: readonly string[] = []) =>
  readSbatchRequest([...readSbatchLine(line).given, ...readVariables(env), ...readScriptOptions(script)], context);
const values = (...line: string[]) => request(line).values;
const refused = (...line: string[]) => slurmWords(() => values(...line));
const MIB = 1_048_576;

describe('a request of sbatch', () => {
  test('holds what the options say', () => {
    expect(
      values('-J', 'x', '-t5', '-c2', '-n3', '-N', '1', '--ntasks-per-node=3', '--mem=100', '-H', '--nice'),
    ).toEqual({
      name: 'x',
      timeLimitMs: 300_000,
      cpusPerTask: 2,
      tasks: 3,
      nodes: { min: 1, max: 1 },
      tasksPerNode: 3,
      memory: { per: 'node', bytes: 100 * MIB },
      hold: true,
      nice: 100,
    });
    expect(values('--mem-per-cpu=1K', '--gres=gpu:2', '-G1', '--gpus-per-node=1', '--gpus-per-task=a:2')).toEqual({
      memory: { per: 'cpu', bytes: MIB },
      gresText: 'gpu:1',
      gres: { gpus: 2, resources: {} },
      gpus: { gpus: 1, resources: {} },
      gpusPerNode: { gpus: 1, resources: {} },
      gpusPerTask: { gpus: 2, gpuType: 'a', resources: {} },
    });
    expect(values('-o', 'none', '-e', 'b.err', '-i', 'in', '--open-mode=A', '-D', 'rel', '--exclusive')).toEqual({
      output: '/dev/null',
      error: 'b.err',
      input: 'in',
      openMode: 'append',
      directory: 'rel',
      exclusive: 'node',
    });
    expect(
      values('-d', 'afterok:7', '--kill-on-invalid-dep=YES', '--export=XA', '--export-file=f', '--signal=B:USR1'),
    ).toEqual({
      after: 'afterok:7',
      killOnInvalidDependency: true,
      exported: { base: 'none', variables: { XA: '1' }, shown: 'XA' },
      exportFile: 'f',
      signal: { number: 10, beforeMs: 60_000, toShell: true },
    });
    expect(
      values('--begin=now+60', '--deadline=now+2hours', '--mail-type=END', '--mail-user=a@b', '--comment=a b'),
    ).toEqual({
      begin: { kind: 'in', inMs: 60_000 },
      deadline: { kind: 'in', inMs: 7_200_000 },
      mailTypes: ['END'],
      mailUser: 'a@b',
      comment: 'a b',
    });
    expect(values('-p', 'p', '-A', 'a', '--qos=q', '--wckey=w', '-M', 'spawn', '-W', '-Q', '-v', '--parsable')).toEqual(
      {
        partition: 'p',
        account: 'a',
        qos: 'q',
        wckey: 'w',
        cluster: 'spawn',
        wait: true,
        quiet: true,
        verbose: true,
        parsable: true,
      },
    );
    expect(values('--test-only', '--wrap=x', '--mincpus=2', '--ntasks-per-gpu=1', '--cpus-per-gpu=2', '-V')).toEqual({
      testOnly: true,
      wrap: 'x',
      leastCpus: 2,
      tasksPerGpu: 1,
      cpusPerGpu: 2,
      shows: 'version',
    });
    expect(`${values('--array=1-9:2%3').array?.set}`).toBe('1-9:2');
    expect(values('-M', 'all')).toEqual({});
  });

  test('the later of two that contradict each other counts, the line before variables before the script', () => {
    expect(values('--requeue', '--no-requeue').requeue).toBe(false);
    expect(request(['--requeue'], { SBATCH_NO_REQUEUE: '1' }).values.requeue).toBe(true);
    expect(request([], { SBATCH_TIMELIMIT: '8' }, ['-t', '7', '-J', 'in']).values).toEqual({
      timeLimitMs: 480_000,
      name: 'in',
    });
    expect(request(['--array='], {}, ['--array=1-3']).values.array).toBeUndefined();
  });

  test('what has no effect is noted', () => {
    const {
      noted,
      notes,
      values: said,
    } = request(['-C', 'feat', '--contiguous', '-A', 'x', '-C', 'other', '--tmp=1G']);
    expect(noted).toEqual({ constraint: 'other', contiguous: '', account: 'x', tmp: '1G' });
    expect(said).toEqual({ account: 'x', constraint: 'other' });
    expect(notes).toEqual([
      '--constraint is recorded and has no effect: workers have no features',
      '--contiguous is recorded and has no effect',
      '--account is recorded and has no effect: shown by squeue and sacct',
      '--tmp is recorded and has no effect',
    ]);
  });
});

// Answers of Slurm 22.05.8.
describe('refused', () => {
  test.each([
    [['--mem=1G', '--mem-per-cpu=1G'], 'fatal: --mem, --mem-per-cpu, and --mem-per-gpu are mutually exclusive.\nrc=1'],
    [['--begin=now+2hours', '--deadline=now+1hour'], 'error: Incompatible begin and deadline time specification\nrc=1'],
    [
      ['--deadline=2001-01-01'],
      'error: Batch job submission failed: Requested time limit is invalid (missing or exceeds some limit)\nrc=1',
    ],
    [['--kill-on-invalid-dep=maybe'], 'error: Invalid --kill-on-invalid-dep specification\nrc=255'],
    [['--open-mode=x'], 'error: Invalid --open-mode specification\nrc=255'],
    [['--open-mode='], 'error: Invalid --open-mode specification\nrc=255'],
    [['--exclusive=x'], 'error: Invalid --exclusive specification\nrc=255'],
    [['--nice=-5'], 'error: Batch job submission failed: Invalid --nice value\nrc=1'],
    [['--uid=0'], 'error: --uid only permitted by root user\nrc=255'],
    [['--gid=0'], 'error: --gid only permitted by root user\nrc=255'],
    [['--core-spec=x'], 'error: Invalid numeric value "x" for --core-spec.\nrc=1'],
    [['--tmp=x'], 'error: Invalid --tmp specification\nrc=255'],
    [['--time-min=x'], 'error: Invalid --time-min specification\nrc=255'],
    [['--comment=new\nline'], 'error: Invalid --comment specification\nrc=255'],
    [['-J', 'new\nline'], 'error: Invalid --job-name specification\nrc=255'],
    [
      ['--time-min=3', '-t2'],
      "error: Batch job submission failed: Invalid time-min specification (exceeds job's time or other limits)\nrc=1",
    ],
    [['--mem=x', '--time=y'], 'error: Invalid --mem specification\nrc=255'],
  ])('%j', (line, words) => expect(refused(...line)).toBe(`sbatch: ${words}`));

  test('in several lines', () => {
    expect(refused('--reboot')).toBe(
      'sbatch: error: rebooting of nodes is only allowed for admins\nsbatch: error: Batch job submission failed: Access/permission denied\nrc=1',
    );
  });

  test('memory of a script and of the line, and of two variables', () => {
    expect(slurmWords(() => request(['--mem-per-cpu=1G'], {}, ['--mem=1G']))).toContain('mutually exclusive');
    expect(slurmWords(() => request([], { SBATCH_MEM_PER_NODE: '1', SBATCH_MEM_PER_CPU: '1' }))).toBe(
      'sbatch: fatal: SLURM_MEM_PER_CPU, SLURM_MEM_PER_GPU, and SLURM_MEM_PER_NODE are mutually exclusive.\nrc=1',
    );
    expect(request([], { SBATCH_MEM_PER_CPU: '2' }, ['--mem=1G']).values.memory).toEqual({
      per: 'cpu',
      bytes: 2 * MIB,
    });
  });

  test('an administrator may take a job forward', () => {
    const given = readSbatchLine(['--nice=-5']).given;
    expect(readSbatchRequest(given, { ...context, isAdmin: true }).values.nice).toBe(-5);
  });
});
