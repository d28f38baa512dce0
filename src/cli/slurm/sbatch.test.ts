import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aJob, aServer, type RunOptions, runCli } from '../../../test/support/cli-world.ts';
import type { JobView, SubmitRequestInput } from '../../api/job.ts';
import { SpawnError } from '../../core/errors.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-sbatch-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const HASH = 'a'.repeat(64);
const SCRIPT = '#!/bin/sh\n#SBATCH -J in --comment="two words"\n#SBATCH -t 7\necho\n#SBATCH -t 9\n';
const ENV = { PATH: '/bin', HOME: '/home/ada' };

/** A coordinator that takes every job. */
function coordinator(job: Partial<JobView> = {}, more: RunOptions['client'] = {}): NonNullable<RunOptions['client']> {
  const blobs: Record<string, Uint8Array> = {};
  return {
    putBlob: async (kind: string, bytes: Uint8Array) => {
      blobs[kind] = bytes;
      return { hash: HASH, size: bytes.length };
    },
    submit: async ({ dryRun = false }: SubmitRequestInput) => ({ job: aJob(job), replayed: false, dryRun }),
    ...more,
  };
}

/** @param env what is in the environment besides */
async function sbatch(words: readonly string[], options: RunOptions = {}, env: Record<string, string> = {}) {
  const ran = await runCli(['sbatch', ...words], {
    client: coordinator(),
    ...options,
    world: { cwd: folder, ...options.world, env: { ...ENV, ...env } },
  });
  const called = (name: string) => ran.calls.filter(([method]) => method === name).map((call) => call.slice(1));
  const blob = (kind: string) => {
    const call = called('putBlob').find(([given]) => given === kind);
    return call === undefined ? undefined : new TextDecoder().decode(call[1] as Uint8Array);
  };
  const request = called('submit')[0]?.[0] as SubmitRequestInput | undefined;
  return { ...ran, blob, request, spec: request?.spec };
}

const fails = async (words: readonly string[], options: RunOptions = {}) => {
  const { code, out, err, request } = await sbatch(words, options);
  expect([out, request]).toEqual(['', undefined]);
  return `${err}rc=${code}`;
};

const file = (name: string, text: string | Uint8Array = SCRIPT) => {
  writeFileSync(join(folder, name), text);
  return name;
};

describe('the script', () => {
  test('is a file with arguments, sent as it is now, its options first', async () => {
    const ran = await sbatch(['-c', '1', '--export=ALL,B=2', file('a.sh'), 'a b', '-t', '99', '']);
    expect(ran).toMatchObject({ code: 0, out: 'Submitted batch job 12\n', err: '' });
    expect(ran.blob('script')).toBe(SCRIPT);
    expect(ran.blob('env')).toBe('HOME=/home/ada\0PATH=/bin\0');
    expect(ran.spec).toMatchObject({
      run: { kind: 'script', hash: HASH, name: 'a.sh', args: ['a b', '-t', '99', ''] },
      cwd: folder,
      umask: 0o022,
      user: 'ada',
      env: { B: '2', SLURM_EXPORT_ENV: 'ALL,B=2', SLURM_GET_USER_ENV: '1' },
      envSnapshot: HASH,
      timeLimitMs: 420_000,
      outputPath: 'slurm-%j.out',
      invalidDependency: 'wait',
      slurm: { name: 'in', comment: 'two words', command: `${join(folder, 'a.sh')} a b -t 99 ` },
    });
  });

  test('is what comes on standard input, or the command of --wrap', async () => {
    const stdin = await sbatch([], { stdin: '#!/bin/sh\nexit 0\n' });
    expect(stdin.spec).toMatchObject({ run: { name: 'sbatch' }, slurm: { name: 'sbatch' } });
    expect(stdin.spec!.slurm).not.toHaveProperty('command');
    const wrapped = await sbatch(['--wrap', 'a  b "c"\n#SBATCH -t 7']);
    expect(wrapped.blob('script')).toBe(
      '#!/bin/sh\n# This script was created by sbatch --wrap.\n\na  b "c"\n#SBATCH -t 7\n',
    );
    expect(wrapped.spec).toMatchObject({ slurm: { name: 'wrap' } });
    expect(wrapped.spec).not.toHaveProperty('timeLimitMs');
  });

  test('without a folder is looked for in PATH too', async () => {
    file('onpath.sh');
    const ran = await sbatch(['onpath.sh'], { world: { cwd: '/' } }, { PATH: `/nowhere:${folder}` });
    expect(ran.spec).toMatchObject({ cwd: '/', slurm: { command: join(folder, 'onpath.sh') } });
    expect((await sbatch(['./onpath.sh'], { world: { cwd: '/' } }, { PATH: folder })).code).toBe(1);
  });

  test.each([
    [['nosuch.sh'], 'sbatch: error: Unable to open file nosuch.sh\nrc=1'],
    [['-'], 'sbatch: error: Unable to open file -\nrc=1'],
    [['/'], 'sbatch: error: Batch script is empty!\nrc=1'],
    [['--wrap', 'x', 't.sh'], 'sbatch: error: Script arguments not permitted with --wrap option\nrc=1'],
    [['--nosuch'], `sbatch: unrecognized option '--nosuch'\nTry "sbatch --help" for more information\nrc=255`],
    [['--wrap', 'x', '-Q', '-v'], "sbatch: error: don't specify both --verbose (-v) and --quiet (-Q)\nrc=1"],
    [['--wrap', 'x', '--export-file=nosuch'], 'sbatch: error: Could not open user environment file nosuch\nrc=1'],
  ])('%j is refused as Slurm does', async (words, text) => expect(await fails(words)).toBe(text));

  test.each([
    ['', 'sbatch: error: Batch script is empty!\nrc=1'],
    ['#!/bin/sh\r\n', expect.stringContaining('DOS line breaks')],
    ['echo\n', expect.stringContaining('does not look like a batch script')],
    ['#!/bin/sh\n#SBATCH --comment="open\n', expect.stringContaining('fatal: stdin: line 2: Unmatched `"`')],
    ['#!/bin/sh\n#SBATCH -J "a\u001bb"\n', 'sbatch: error: Invalid --job-name specification\nrc=255'],
  ])('standard input of %j is refused', async (stdin, text) => expect(await fails([], { stdin })).toEqual(text));

  test('that is too long, or has too many arguments, is refused', async () => {
    const stdin = new Uint8Array(17 * 1_048_576).fill(35);
    expect(await fails([], { stdin })).toContain('Pathname of a file, directory or other');
    expect(await fails([file('t.sh'), 'x'.repeat(1_048_576)])).toContain('Pathname of a file, directory or other');
  });
});

describe('values', () => {
  test('of the line count more than variables, these more than the script', async () => {
    const env = { SBATCH_TIMELIMIT: '8', SBATCH_JOB_NAME: 'env', SBATCH_COMMENT: 'e' };
    const { spec } = await sbatch(['-J', 'line', file('a.sh')], {}, env);
    expect(spec).toMatchObject({ timeLimitMs: 480_000, slurm: { name: 'line', comment: 'two words' } });
  });

  test('that are shown never hold control characters', async () => {
    file('new\nline\u001b.sh', '#!/bin/sh\n');
    const { spec } = await sbatch(['new\nline\u001b.sh', 'a\nb\u0007']);
    expect(spec).toMatchObject({
      run: { name: 'new·line·.sh', args: ['a\nb\u0007'] },
      slurm: { name: 'new·line·.sh', command: `${folder}/new·line·.sh a·b·` },
    });
    for (const option of ['comment', 'account', 'mail-user', 'partition', 'wckey', 'qos', 'reservation', 'nodelist']) {
      expect(await fails([`--${option}=a\nb`, '--wrap=x'])).toContain(`Invalid --${option} specification`);
    }
  });

  test('--chdir is where tasks run, and where it was submitted is kept', async () => {
    const { spec } = await sbatch(['-D', 'sub', '--wrap=pwd']);
    expect(spec).toMatchObject({ cwd: join(folder, 'sub'), slurm: { submitDir: folder } });
  });
});

describe('the environment', () => {
  const of = async (words: readonly string[], env: Record<string, string> = {}) => {
    const ran = await sbatch(['--wrap=x', ...words], {}, env);
    return { env: ran.spec!.env, snapshot: ran.blob('env')?.split('\0').slice(0, -1) };
  };
  const back = { SPAWN_DATA_DIR: '/home/ada/.local/share/spawn' };

  test('is all of it but what another task was told; own variables of Slurm go with it', async () => {
    const outer = {
      SLURM_JOB_ID: '7',
      SLURM_ARRAY_TASK_ID: '1',
      SLURM_STEP_ID: '0',
      SLURM_EXPORT_ENV: 'NONE',
      SPAWN_FENCE: '5',
    };
    const { env, snapshot } = await of([], { ...outer, SLURM_TIME_FORMAT: 'relative', SPAWN_DATA_DIR: 'own' });
    expect(env).toEqual({});
    expect(snapshot).toEqual(
      ['HOME=/home/ada', 'PATH=/bin', `SPAWN_DATA_DIR=${folder}/own`, 'SLURM_TIME_FORMAT=relative'].sort(),
    );
  });

  test.each([
    ['NONE', {}],
    ['XA,NEW=5,NOSUCH', { XA: '1', NEW: '5' }],
    ['NIL', {}],
  ])('of --export=%s is that of a login and finds the coordinator', async (text, variables) => {
    const { env, snapshot } = await of([`--export=${text}`], { XA: '1' });
    expect(snapshot).toBeUndefined();
    expect(env).toEqual({ ...back, SLURM_EXPORT_ENV: text, SLURM_GET_USER_ENV: '1', ...variables });
  });

  test('where the coordinator and the shims are, in each way to say it', async () => {
    const said = async (env: Record<string, string>) => (await of(['--export=NONE'], env)).env;
    expect(await said({ XDG_DATA_HOME: '/d', XDG_RUNTIME_DIR: '/r' })).toMatchObject({
      SPAWN_DATA_DIR: '/d/spawn',
      SPAWN_RUNTIME_DIR: '/r/spawn',
    });
    expect(await said({ SPAWN_DATA_DIR: 'd', SPAWN_RUNTIME_DIR: 'r', SPAWN_SHIMS: '/s' })).toMatchObject({
      SPAWN_RUNTIME_DIR: `${folder}/r`,
      SPAWN_SHIMS: '/s',
    });
    const remote = await said({ SPAWN_SERVER: 'http://h:1', SPAWN_TOKEN: 'secret' });
    expect(remote).toEqual({ SPAWN_SERVER: 'http://h:1', SLURM_EXPORT_ENV: 'NONE', SLURM_GET_USER_ENV: '1' });
  });

  test.each([
    [['--gpus=2', '--cpus-per-gpu=3'], { SLURM_GPUS: '2', SLURM_CPUS_PER_GPU: '3' }],
    [['--gpus-per-node=a100:2'], { SLURM_GPUS_PER_NODE: 'a100:2' }],
    [['-n2', '--gpus-per-task=1'], { SLURM_GPUS_PER_TASK: '1' }],
    [['--gres=gpu:1'], {}],
  ])('tells what was asked of GPUs with %j, and nothing of those of an outer task', async (words, variables) => {
    const outer = { SLURM_GPUS: '9', SLURM_GPUS_PER_NODE: '9', SLURM_GPUS_PER_TASK: '9', SLURM_CPUS_PER_GPU: '9' };
    const client = coordinator({}, { server: async () => aServer({ sessions: [] }) });
    const { spec, blob } = await sbatch(['--wrap=x', ...words], { client }, outer);
    expect(spec!.env).toEqual(variables);
    expect(blob('env')).not.toContain('SLURM_');
  });

  test('of --export-file is what the file says', async () => {
    file('envf', 'XA=9\0NEW=a\nb\0odd\0=x\0');
    const { env, snapshot } = await of(['--export-file=envf', '--export=XB'], { XA: '1', XB: '2' });
    expect(snapshot).toBeUndefined();
    expect(env).toEqual({ ...back, XA: '9', NEW: 'a\nb', SLURM_EXPORT_ENV: 'XB', SLURM_GET_USER_ENV: '1' });
  });
});

describe('the answer', () => {
  const out = async (...words: string[]) => (await sbatch([...words, '--wrap=x'])).out;

  test('is one line', async () => {
    expect(await out('--parsable')).toBe('12\n');
    expect(await out('--parsable', '-M', 'smp')).toBe('12;smp\n');
    expect(await out('-M', 'all')).toBe('Submitted batch job 12\n');
    expect(await out('-Q', '--parsable')).toBe('');
  });

  test('has notes before it for a person, none for a program', async () => {
    const words = ['-A', 'x', '-p', 'nosuch', '--wrap=x'];
    expect((await sbatch(words)).err).toBe('');
    const notes =
      'sbatch: --account is recorded and has no effect: shown by squeue and sacct\n' +
      'sbatch: --partition is recorded and has no effect: the only partition is main\n';
    expect((await sbatch(words, { tty: true })).err).toBe(notes);
    const verbose = await sbatch(['-v', ...words]);
    expect(verbose.err).toMatch(/^sbatch: defined options\n(?:.*\n)*sbatch: account {13}: x\n/);
    expect(verbose.err.endsWith(notes)).toBe(true);
    expect((await sbatch(['-p', 'other,main', '--wrap=x'], { tty: true })).err).toBe('');
    expect(verbose.spec!.slurm!.notes).toHaveLength(2);
  });

  test('of the coordinator in Slurm’s words', async () => {
    const submit = () => Promise.reject(new SpawnError('DEPENDENCY_UNKNOWN_JOB', { ref: '99' }));
    const ran = await sbatch(['-d', 'afterok:99', '--wrap=x'], { client: coordinator({}, { submit }) });
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.err).toMatch(/^sbatch: error: Batch job submission failed: Job dependency problem\n/);
  });
});

describe('what the coordinator alone knows', () => {
  const session = {
    connected: true,
    draining: false,
    freeCpus: 2,
    worker: 'n1',
    resources: { cpus: 4, memoryBytes: 2 ** 33 },
  };
  const server = async () => aServer({ maxArraySize: 1_000, sessions: [session] as never });
  const asked = (words: readonly string[], more: RunOptions['client'] = {}) =>
    sbatch([...words, '--wrap=x'], { client: coordinator({}, { server, ...more }) });

  test('is asked of arrays, and of what needs more than one CPU', async () => {
    expect((await asked(['-a', '1-1000%5'])).spec).toMatchObject({ array: '1-1000', throttle: 5 });
    const large = await asked(['-a', '1-1001']);
    expect(large).toMatchObject({ code: 1, out: '' });
    expect(large.err).toContain('the largest index is 1000; submit --array=1-1000 and');
    expect((await asked(['-c', '5'])).err).toContain('CPU count per node can not be satisfied');
    expect((await asked(['-c', '4'])).calls.map(([name]) => name)).toContain('server');
    expect((await asked([])).calls.map(([name]) => name)).not.toContain('server');
  });

  test('--test-only tells where it would start, and changes nothing', async () => {
    const ran = await asked(['--test-only', '-c', '3'], { jobs: async () => ({ jobs: [aJob({ id: 41 })] }) });
    expect(ran).toMatchObject({ code: 0, out: '', request: { dryRun: true } });
    expect(ran.err).toMatch(
      /^sbatch: Job 42 to start at [-\d]+T[:\d]+ using 1 processors on nodes n1 in partition main\n$/,
    );
    const refused = await asked(['--test-only', '-c', '5']);
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.err).toContain('allocation failure: Requested node configuration is not available\n');
  });
});
