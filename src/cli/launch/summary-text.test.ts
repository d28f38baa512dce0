import { beforeAll, describe, expect, test } from 'vitest';
import { aJob } from '../../../test/support/cli-world.ts';
import { array, ID, launch, launchFolder, member, members, NAME } from '../../../test/support/launch-run.ts';

beforeAll(() => launchFolder().remove);

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

  test('what starts later: why not now, and how to call it off', async () => {
    for (const part of [{ state: 'blocked' }, { state: 'held' }, { beginAt: 5 }] as const) {
      const submit = async () => ({
        job: aJob({ name: NAME, arrayId: ID, size: 8, ...part }),
        replayed: false,
        dryRun: false,
      });
      const { out } = await launch(array, { instances: [], client: { submit } });
      expect(out).toContain('\nMonitor:\n  spawn why 12\n  spawn watch 12\n  spawn cancel 12\n\n');
    }
  });

  test('more than twenty are folded on a terminal, and those that are not there yet are pending', async () => {
    const words = ['--count', '100', '--name', NAME, '--ttl', '2h'];
    const shown = async (tty: boolean) => {
      const { out } = await launch([...words, '-y', '--detach'], { size: 100, instances: members(99), tty });
      return out.slice(out.indexOf('Instances:\n')).split('\n\n')[0]!.split(/\r?\n/).slice(1);
    };
    expect(await shown(false)).toHaveLength(100);
    const lines = await shown(true);
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

  test('or a setting says so, for tutorials that were written for a cloud', async () => {
    const env = { HOME: '/', SPAWN_SERVER: 'x', SPAWN_IGNORE_UNSUPPORTED: '1' };
    const { err, code } = await launch([...array, '--ami', 'ami-1'], { world: { env } });
    expect({ code, err }).toEqual({ code: 0, err: 'spawn: note: provider local ignores --ami\n' });
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
  Type            m7i.large (2 vCPUs, 8.0G of memory), spot
  Region          local (local-a, local-b, local-c)
  Runs            python train.py
  TTL             4h, then terminated
  On completion   none
  DNS             compute-INDEX for each, compute for all

  Estimated cost  ~$1.36 (8 instances x 4h x $0.0425/hour)
  Spot cost       ~$1.36 (58% less than ~$3.23 on demand)
  Prices of       2026-06-17
`);
  });

  test('user-data comes first', async () => {
    const words = ['box', '--user-data', 'make', '--dry-run'];
    const runs = async (...more: string[]) =>
      /Runs +(.*)/.exec((await launch([...words, ...more], { size: 1 })).out)?.[1];
    expect(await runs()).toBe('user-data, then until spored complete is called inside');
    expect(await runs('--command', 'date')).toBe('user-data, then date');
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
