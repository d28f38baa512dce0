import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aDelta, aJob, deltas, type RunOptions, runCli, someCounts } from '../../../test/support/cli-world.ts';
import type { InstanceView } from '../../api/instance.ts';
import type { SubmitRequestInput } from '../../api/job.ts';
import { SpawnError } from '../../core/errors.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-launch-'));
  writeFileSync(join(folder, 'process.sh'), '#!/bin/bash\nspored complete --status success\n');
  writeFileSync(join(folder, 'grid.yaml'), 'defaults: {ttl: 2h, epochs: 5}\ngrid: {lr: [1e-3, 0.10], seed: [1, 2]}\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

const NAME = 'compute';
const ID = 'compute-20261121-ab12cd';

function member(index: number, part: Partial<InstanceView> = {}): InstanceView {
  return {
    id: `i-${String(index).padStart(17, '0')}`,
    name: `${NAME}-${index}`,
    state: 'running',
    type: 'm7i.large',
    region: 'local',
    zone: 'local-a',
    publicIp: `127.4.0.${index + 10}`,
    spot: false,
    jobId: 12,
    arrayId: ID,
    arrayName: NAME,
    index,
    rank: index,
    arraySize: 8,
    standalone: false,
    owner: 'ada',
    task: 'running',
    createdAt: 0,
    ttlMs: 0,
    idleTimeoutMs: 0,
    ranMs: 0,
    rate: 0.1,
    cost: 0,
    tags: {},
    generation: 1,
    ...part,
  };
}

const members = (size: number, of: (index: number) => Partial<InstanceView> = () => ({})) =>
  Array.from({ length: size }, (_, index) => member(index, of(index)));

interface Options extends RunOptions {
  readonly size?: number;
  readonly instances?: readonly InstanceView[];
}

async function launch(words: readonly string[], options: Options = {}) {
  const size = options.size ?? 8;
  const job = aJob({ name: NAME, arrayId: ID, size });
  const running = aDelta({ ...job, counts: someCounts({ running: size }) });
  const ran = await runCli(['launch', ...words], {
    ...options,
    world: { cwd: folder, env: { HOME: folder, SPAWN_SERVER: 'http://127.0.0.1:1' }, ...options.world },
    client: {
      putBlob: async () => ({ hash: 'd'.repeat(64) }),
      submit: async ({ dryRun }: SubmitRequestInput) => ({ job, replayed: false, dryRun: dryRun ?? false }),
      watch: deltas(aDelta({ ...job, counts: someCounts({ ready: size }) }), running),
      instances: async () => ({ instances: options.instances ?? members(size) }),
      ...options.client,
    },
  });
  const request = ran.calls.find(([name]) => name === 'submit')?.[1] as SubmitRequestInput | undefined;
  return { ...ran, spec: request?.spec, request };
}

const array = ['--count', '8', '--job-array-name', NAME, '--instance-type', 'm7i.large', '--ttl', '4h'];

describe('what is submitted', () => {
  test('one instance: no array, its name alone', async () => {
    const { spec } = await launch(['my-box', '--ttl', '1h'], { size: 1 });
    expect(spec).toEqual({
      name: 'my-box',
      env: {},
      cwd: folder,
      umask: 0o022,
      user: 'ada',
      run: { kind: 'signal' },
      instances: { region: 'local', names: '{job-array-name}', standalone: true, ttlMs: 3_600_000 },
    });
  });

  test.each([
    [['--count', '4', '--job-array-name', 'a'], '0-3', 'a', '{job-array-name}-{index}'],
    [['--array', '4', '--name', 'a'], '0-3', 'a', '{job-array-name}-{index}'],
    [['a', '--array', '1,3,7'], '1,3,7', 'a', '{job-array-name}-{index}'],
    [['--array', '0-9:3', '--job-array-name', 'a', '--name', 'w'], '0-9:3', 'a', 'w-{index}'],
    [['w', '--array', '2', '--name', 'a'], '0-1', 'a', 'w-{index}'],
    [
      ['--count', '2', '--job-array-name', 'a', '--name', 'w', '--instance-names', '{name}-x{index}'],
      '0-1',
      'a',
      'w-x{index}',
    ],
    [['--count', '1', '--job-array-name', 'a'], '0', 'a', '{job-array-name}-{index}'],
  ])('both dialects: %j', async (words, indices, name, names) => {
    const { spec } = await launch(words, { size: 1 });
    expect(spec).toMatchObject({ array: indices, name, instances: { names, standalone: false } });
  });

  test('--count 1 alone is one instance, as without it', async () => {
    expect((await launch(['--count', '1', '--name', 'a'], { size: 1 })).spec?.instances).toMatchObject({
      standalone: true,
    });
  });

  test('a name that nobody has, by chance or by the key', async () => {
    const one = await launch(['--array', '3'], { size: 3 });
    expect(one.spec?.name).toMatch(/^array-[a-z0-9]{6}$/);
    const again = async (key: string) =>
      (await launch(['--array', '3', '--idempotency-key', key], { size: 3 })).spec?.name;
    expect(await again('k')).toBe(await again('k'));
    expect(await again('k')).not.toBe(await again('l'));
    expect((await launch([], { size: 1 })).spec?.name).toMatch(/^instance-/);
  });

  test('user-data by its hash, with what the file holds', async () => {
    const { spec, calls } = await launch(['x', '--user-data', '@process.sh'], { size: 1 });
    expect(spec?.instances?.userData).toBe('d'.repeat(64));
    const [, kind, bytes] = calls.find(([name]) => name === 'putBlob')!;
    expect([kind, Buffer.from(bytes as Uint8Array).toString()]).toEqual([
      'script',
      '#!/bin/bash\nspored complete --status success\n',
    ]);
  });

  test('user-data from standard input', async () => {
    const { calls } = await launch(['x', '--user-data', '@-'], { size: 1, stdin: 'echo typed' });
    expect(Buffer.from(calls.find(([name]) => name === 'putBlob')![2] as Uint8Array).toString()).toBe('echo typed');
  });

  test('a program, or a line for the shell', async () => {
    expect((await launch(['x', '--', 'ls', '-l', '--ttl'], { size: 1 })).spec?.run).toEqual({
      kind: 'argv',
      argv: ['ls', '-l', '--ttl'],
    });
    expect((await launch(['x', '--command', 'echo $((JOB_ARRAY_INDEX + 1))'], { size: 1 })).spec?.run).toEqual({
      kind: 'shell',
      text: 'echo $((JOB_ARRAY_INDEX + 1))',
    });
  });

  test('the rest', async () => {
    const words = [
      '--spot',
      '--spot-max-price',
      '$0.5',
      '--dns',
      'd',
      '--tag',
      'a=b=c',
      '--on-complete',
      'terminate',
      '--hibernate',
    ];
    const more = [
      '--max-concurrent',
      '3',
      '--after',
      'afterok:3',
      '--retries',
      '2',
      '--log-cap',
      '1M',
      '--az',
      'us-east-1b',
    ];
    const { spec } = await launch([...array, ...words, ...more]);
    expect(spec).toMatchObject({
      throttle: 3,
      after: 'afterok:3',
      retries: 2,
      logCapBytes: 1024 ** 2,
      instances: {
        spot: true,
        spotMaxPrice: 0.5,
        dns: 'd',
        tags: { a: 'b=c' },
        onComplete: 'terminate',
        onIdle: 'hibernate',
        region: 'us-east-1',
        zone: 'us-east-1-b',
      },
    });
    const idle = ['--hibernate', '--on-idle', 'stop', '--idle-timeout', '5m'];
    expect((await launch([...array, ...idle])).spec?.instances).toMatchObject({
      onIdle: 'stop',
      idleTimeoutMs: 300_000,
    });
  });

  test('a sweep: a set of parameters a member, as they were written', async () => {
    const { spec } = await launch(['--param-file', 'grid.yaml', '--name', 's'], { size: 4 });
    expect(spec).toMatchObject({ array: '0-3', instances: { ttlMs: 7_200_000 } });
    expect(spec?.instances?.params).toEqual([
      { epochs: '5', lr: '1e-3', seed: '1' },
      { epochs: '5', lr: '1e-3', seed: '2' },
      { epochs: '5', lr: '0.10', seed: '1' },
      { epochs: '5', lr: '0.10', seed: '2' },
    ]);
    const over = await launch(['--param-file', 'grid.yaml', '--name', 's', '--ttl', '1h'], { size: 4 });
    expect(over.spec?.instances?.ttlMs).toBe(3_600_000);
  });

  test('what the coordinator finds wrong is told with the option', async () => {
    const submit = async () => {
      throw new SpawnError('BAD_REQUEST', { where: 'spec.instances.zone', expected: 'a zone', found: 'q' });
    };
    expect(await launch(array, { client: { submit } })).toMatchObject({
      code: 2,
      err: 'spawn: --az: expected a zone, found "q"\n',
    });
  });

  test('a name that is taken', async () => {
    const submit = async () => {
      throw new SpawnError('NAME_TAKEN', { what: 'instance array', name: NAME, holder: 'job 7' });
    };
    expect((await launch(array, { client: { submit } })).code).toBe(65);
  });
});

describe('what is shown', () => {
  test('the end of a launch', async () => {
    const { out, err, code } = await launch(array);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toBe(`Array Size:     8
Instance Type:  m7i.large (2 vCPUs, 8.0G of memory)
TTL:            4h

Instances:
${[0, 1, 2, 3, 4, 5, 6, 7].map((i) => `  compute-${i} → i-0000000000000000${i} (running)\n`).join('')}
Array ID:  compute-20261121-ab12cd
Job:       12

Monitor:
  spawn list --job-array-id compute-20261121-ab12cd
  spawn watch 12
  spawn connect compute-0
  spawn terminate --job-array-id compute-20261121-ab12cd

Estimated cost:  ~$3.23 (8 instances x 4h x $0.1008/hour)
Spot cost:       ~$1.36 (58% less than ~$3.23 on demand)
`);
  });

  test('one instance', async () => {
    const instances = [member(0, { name: 'my-box', standalone: true })];
    const { out } = await launch(['my-box', '--ttl', '1h'], { size: 1, instances });
    expect(out).toContain('\nInstance:\n  my-box → i-00000000000000000 (running)\n');
    expect(out).toContain('  spawn connect my-box\n');
    expect(out).not.toContain('Array');
  });

  test('more than twenty are folded, and those that are not there yet are pending', async () => {
    const words = ['--count', '100', '--name', NAME, '--ttl', '2h'];
    const { out } = await launch(words, { size: 100, instances: members(99) });
    const lines = out.slice(out.indexOf('Instances:\n')).split('\n\n')[0]!.split('\n').slice(1);
    expect(lines).toHaveLength(14);
    expect(lines.slice(9)).toEqual([
      '  compute-9  → i-00000000000000009 (running)',
      '  … 87 more',
      '  compute-97 → i-00000000000000097 (running)',
      '  compute-98 → i-00000000000000098 (running)',
      '  compute-99 → - (pending)',
    ]);
  });

  test('-o json is a flat array', async () => {
    for (const flag of [['-o', 'json'], ['--json']]) {
      const { out } = await launch([...array, ...flag]);
      const all = JSON.parse(out);
      expect(all).toHaveLength(8);
      expect(all[3]).toMatchObject({
        instance_id: 'i-00000000000000003',
        name: 'compute-3',
        instance_type: 'm7i.large',
        region: 'local',
        public_ip: '127.4.0.13',
        state: 'running',
        job_array_id: ID,
        job_array_name: NAME,
        job_array_index: 3,
        job_array_size: 8,
      });
    }
  });

  test('--quiet is the array id', async () => {
    expect(await launch([...array, '--quiet'])).toMatchObject({ code: 0, out: `${ID}\n`, err: '' });
  });

  test('notes: without a TTL, and none when it is meant', async () => {
    const words = ['--count', '2', '--name', NAME];
    expect((await launch(words, { size: 2 })).err).toBe('spawn: note: no TTL: they run until you end them\n');
    expect((await launch([...words, '--no-timeout'], { size: 2 })).err).toBe('');
  });

  test('unsupported options that are ignored are named', async () => {
    const words = [...array, '--iam-policy', 's3:FullAccess', '--ami', 'ami-1', '--ignore-unsupported'];
    expect((await launch(words)).err).toBe('spawn: note: provider local ignores --ami, --iam-policy\n');
  });

  test('the last machine of an index counts', async () => {
    const instances = [member(0, { state: 'terminated', reason: 'lost' }), member(0, { id: 'i-new', generation: 2 })];
    const { out } = await launch(['--count', '1', '--job-array-name', NAME, '--ttl', '1h'], { size: 1, instances });
    expect(out).toContain('compute-0 → i-new (running)');
    expect(out).not.toContain('lost');
  });
});

describe('--dry-run', () => {
  test('the plan with its arithmetic; nothing is launched', async () => {
    const { out, request, calls } = await launch([...array, '--spot', '--command', 'python train.py', '--dry-run']);
    expect(request?.dryRun).toBe(true);
    expect(calls.map(([name]) => name)).toEqual(['submit']);
    expect(out).toBe(`Plan: 8 instances of m7i.large; nothing is launched

  Name            compute
  Instances       compute-0 … compute-7
  Type            m7i.large (2 vCPUs, 8.0G of memory)
  Region          local (local-a, local-b, local-c)
  Runs            python train.py
  TTL             4h, then terminated
  On completion   none
  DNS             compute-INDEX for each, compute for all

  Estimated cost  ~$1.36 (8 instances x 4h x $0.042456/hour)
  Spot cost       ~$1.36 (58% less than ~$3.23 on demand)
  Prices of       2026-06-17
`);
  });

  test('as data', async () => {
    const { out } = await launch(['--param-file', 'grid.yaml', '--name', 's', '--dry-run', '-o', 'json'], { size: 4 });
    const plan = JSON.parse(out);
    expect(plan).toMatchObject({
      dry_run: true,
      name: 's',
      size: 4,
      instance_type: 't3.micro',
      ttl_ms: 7_200_000,
      estimated_per_hour: false,
    });
    expect(plan.estimated_cost).toBeCloseTo(4 * 2 * plan.rate);
    expect(plan.instances[3]).toEqual({
      job_array_index: 3,
      name: 's-3',
      instance_type: 't3.micro',
      region: 'local',
      availability_zone: 'local-a',
      parameters: { epochs: '5', lr: '0.10', seed: '2' },
    });
  });
});

describe('coming up', () => {
  const failed = (index: number): Partial<InstanceView> =>
    index === 2 ? { state: 'terminated', reason: 'launch-failed', message: 'no room left' } : {};

  test('on a terminal it is waited for, with a line that goes away', async () => {
    const { err, calls } = await launch(array, { tty: true });
    expect(err).toContain('launching compute  ────────────────────  0/8 running');
    expect(err.endsWith('\r\x1b[K')).toBe(true);
    expect(calls.map(([name]) => name)).toEqual(['submit', 'watch', 'instances']);
  });

  test('in a pipe with --wait-for-running only, in lines', async () => {
    expect((await launch(array)).calls.map(([name]) => name)).toEqual(['submit', 'instances']);
    const { err, calls } = await launch([...array, '--wait-for-running']);
    expect(calls.map(([name]) => name)).toContain('watch');
    expect(err).toBe('launching compute  0/8 running\n');
  });

  test('not when the start is put off', async () => {
    const job = aJob({ name: NAME, arrayId: ID, size: 8, state: 'held', held: true });
    const submit = async () => ({ job, replayed: false, dryRun: false });
    const { calls } = await launch([...array, '--hold'], { tty: true, client: { submit } });
    expect(calls.map(([name]) => name)).not.toContain('watch');
  });

  test('an instance that is pending a moment after its task began is looked at again', async () => {
    const answers = [members(8, (index) => (index === 5 ? { state: 'pending' } : {})), members(8)];
    const instances = async () => ({ instances: answers.shift() ?? [] });
    const { out } = await launch(array, { tty: true, client: { instances } });
    expect(out).not.toContain('pending');
  });

  test('cleanup: the launch has failed, and it says what was done', async () => {
    const instances = members(8, (index) =>
      index === 2 ? failed(2) : { state: 'terminated', reason: 'array-failed' },
    );
    const { code, err, out } = await launch([...array, '--wait-for-running'], { instances });
    expect(code).toBe(69);
    expect(err.split('\n').at(-2)).toBe(
      'spawn: launch failed: compute: 1 of 8 instances could not be started: compute-2 (no room left); 7 others terminated with it',
    );
    expect(out).toContain('compute-2 → i-00000000000000002 (terminated: launch-failed, no room left)');
  });

  test('keep: it has failed, and the others are left', async () => {
    const { code, err } = await launch([...array, '--on-failure', 'keep', '--wait-for-running'], {
      instances: members(8, failed),
    });
    expect(code).toBe(69);
    expect(err).toContain('compute-2 (no room left); the others were left as they are (--on-failure keep)\n');
  });

  test('enough run: a success with a note', async () => {
    const { code, err } = await launch([...array, '--min-viable', '7', '--wait-for-running'], {
      instances: members(8, failed),
    });
    expect(code).toBe(0);
    expect(err).toContain(
      'spawn: note: compute: 1 of 8 instances could not be started: compute-2 (no room left); enough run (--min-viable 7)\n',
    );
  });

  test('Ctrl-C says that the array goes on, and how to end it', async () => {
    let interrupt: (code: number) => void = () => {};
    const onInterrupt = (listener: (code: number) => void) => {
      interrupt = listener;
      return () => {};
    };
    const watch = async function* () {
      yield aDelta(aJob());
      interrupt(130);
    };
    const { code, err, out } = await launch(array, {
      tty: true,
      world: { onInterrupt, cwd: folder },
      client: { watch },
    });
    expect({ code, out }).toEqual({ code: 130, out: '' });
    expect(err).toContain(
      `spawn: array compute goes on; spawn watch 12 shows it, spawn terminate --job-array-id ${ID} ends it\n`,
    );
  });

  test('--wait gives the highest exit code of the tasks', async () => {
    const ended = aJob({
      name: NAME,
      arrayId: ID,
      size: 8,
      state: 'failed',
      counts: someCounts({ completed: 7, failed: 1 }),
      endedAt: 9,
      exitCode: 124,
    });
    const client = { watch: deltas(aDelta(ended)), job: async () => ended, tasks: async () => ({ tasks: [] }) };
    expect((await launch([...array, '--wait'], { client })).code).toBe(124);
    const { out } = await launch([...array, '--wait', '-o', 'json'], { client });
    expect(JSON.parse(out)).toHaveLength(8);
  });
});

describe('more than 100 instances, where somebody can answer', () => {
  const many = ['--count', '101', '--name', NAME, '--ttl', '1h'];
  const asked = (answer: string) => ({
    size: 101,
    stdin: 'terminal' as const,
    world: { cwd: folder, env: { HOME: folder, SPAWN_SERVER: 'x' }, ask: async () => answer },
  });

  test('are asked about', async () => {
    const no = await launch(many, asked(''));
    expect(no).toMatchObject({ code: 1, err: 'spawn: launch: nothing was changed\n', calls: [] });
    expect((await launch(many, asked('y'))).code).toBe(0);
  });

  test('not with -y, and not in a script', async () => {
    expect((await launch([...many, '-y'], asked(''))).code).toBe(0);
    expect((await launch(many, { size: 101 })).code).toBe(0);
  });
});
