import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OwnInstances } from '../support/instances.ts';
import { hasProgram, requireOr } from '../support/require.ts';

/** The programs of the documents that asked for instance arrays, run as they stand. */
describe('workloads on instance arrays', () => {
  let own: OwnInstances;

  beforeAll(() => {
    own = new OwnInstances();
  });
  afterAll(() => own.close());

  async function runs(...args: string[]): Promise<string> {
    const { code, out, err } = await own.launched(...args);
    expect({ code, err: code === 0 ? '' : err + out }).toEqual({ code: 0, err: '' });
    return out + err;
  }

  requireOr('jq', hasProgram('jq'))('the loop that waits for peers', async () => {
    await runs(...array('peers', 4), '--user-data', '@wait-for-peers.sh', '--on-complete', 'terminate');
    const peers = [0, 1, 2, 3].map((index) => own.read<Record<string, unknown>[]>(`peers-${index}.json`));
    for (const each of peers) {
      expect(each).toEqual(peers[0]);
      expect(each.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
      expect(Object.keys(each[0]!)).toEqual(['index', 'instance_id', 'ip', 'private_ip', 'dns']);
    }
    expect(new Set(peers[0]!.map(({ ip }) => ip)).size).toBe(4);
    expect(peers[0]![2]!.dns).toMatch(/^peers-2\.[0-9a-z]+\.spore\.host$/);
  });

  requireOr('jq', hasProgram('jq'))('the timed wait, checked with jq empty', async () => {
    await runs(...array('timed', 3), '--command', 'bash timed-wait.sh');
    const { out } = await own.run(['logs', 'timed-2']);
    expect(out).toContain('peers: 3');
  });

  requireOr('jq', hasProgram('jq'))('a leader and its workers', async () => {
    await runs(...array('team', 5), '--user-data', '@leader-worker.sh');
    const { total, ranks } = own.read<{ total: number; ranks: [number, string][] }>('total.json');
    expect(total).toBe(1 + 4 + 9 + 16);
    const listed = await own.list('--job-array-name', 'team');
    const addresses = new Map(listed.map((each) => [each.job_array_index, each.private_ip]));
    expect(ranks).toEqual([1, 2, 3, 4].map((rank) => [rank, addresses.get(rank)]));
  });

  requireOr('Open MPI with a compiler', hasProgram('mpirun') && hasProgram('mpicc'))(
    'an MPI job whose ranks start in their own instances',
    async () => {
      execFileSync('mpicc', ['-o', 'hello', 'hello.c'], { cwd: own.folder });
      await runs(...array('mpi', 4), '--user-data', '@mpi.sh', '--dns', 'mpi-cluster');
      const lines = own.text('mpi.out').trim().split('\n').toSorted();
      expect(lines).toEqual([0, 1, 2, 3].map((rank) => `rank ${rank} of 4 on mpi-${rank} sum 6`));
    },
  );

  test('the hundred CSV files of the tutorial', { timeout: 240_000 }, async () => {
    const input = join(own.buckets, 'my-data/input');
    mkdirSync(input, { recursive: true });
    const texts = Array.from({ length: 100 }, (_, n) => `id,name\n${n},file number ${n}\n`);
    texts.forEach((text, n) => {
      writeFileSync(join(input, `file-${String(n).padStart(3, '0')}.csv`), text);
    });
    await runs(
      ...['--instance-type', 'c7i.large', '--array', '100', '--ttl', '2h', '--name', 'file-processor'],
      ...['--iam-policy', 's3:FullAccess', '--ignore-unsupported', '--on-complete', 'terminate'],
      ...['--user-data', '@process.sh', ...own.aws],
    );
    const output = join(own.buckets, 'my-data/output');
    const names = readdirSync(output).toSorted();
    expect(names).toHaveLength(100);
    expect(names.map((name) => readFileSync(join(output, name), 'utf8'))).toEqual(
      texts.map((text) => text.toUpperCase()),
    );
    const gone = await own.reached('file-processor', 'terminated', 100);
    expect(gone.every(({ job_array_size: size }) => size === 100)).toBe(true);
  });

  test('chunks of files by START and END', async () => {
    const data = join(own.buckets, 'data');
    mkdirSync(data, { recursive: true });
    for (let n = 0; n < 400; n++) {
      writeFileSync(join(data, `file-${String(n).padStart(5, '0')}.csv`), `first ${n}\nsecond ${n}\n`);
    }
    await runs('--array', '4', '--name', 'chunks', '--user-data', '@chunked.sh', ...own.aws);
    const results = readdirSync(join(own.buckets, 'results')).toSorted();
    expect(results).toHaveLength(400);
    results.forEach((name, n) => {
      expect(readFileSync(join(own.buckets, 'results', name), 'utf8')).toBe(`second ${n}\nfirst ${n}\n`);
    });
  });

  requireOr('python3', hasProgram('python3'))('a hundred Monte Carlo simulations', { timeout: 240_000 }, async () => {
    await runs(
      ...['--instance-type', 't3.medium', '--array', '100', '--ttl', '30m', '--name', 'monte-carlo', '--spot'],
      ...['--on-complete', 'terminate', ...own.aws],
      ...['--user-data', '#!/bin/bash\npython3 simulate.py\nspored complete --status success\n'],
    );
    const results = join(own.buckets, 'my-simulations/results');
    const found = readdirSync(results).map(
      (name) => JSON.parse(readFileSync(join(results, name), 'utf8')) as { simulation_id: number; mean: number },
    );
    expect(found.map((each) => each.simulation_id).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 100 }, (_, n) => n),
    );
    const mean = found.reduce((sum, each) => sum + each.mean, 0) / 100;
    // A mean of a million values of deviation 15 is within 0.075 of 100 but once in two million runs; these are seeded anyway.
    expect(Math.abs(mean - 100)).toBeLessThan(0.075);
  });

  requireOr('python3', hasProgram('python3'))('sweep.py with params.json', async () => {
    const params = [0.1, 0.2, 0.5].flatMap((lr) => [2, 4].map((layers) => ({ lr, layers })));
    writeFileSync(join(own.folder, 'params.json'), JSON.stringify(params));
    await runs(...array('sweep', 6), '--command', 'python3 sweep.py --task-id $JOB_ARRAY_INDEX');
    params.forEach((each, n) => {
      const { params: used, loss } = own.read<{ params: unknown; loss: number }>(`results-${n}.json`);
      expect(used).toEqual(each);
      expect(loss).toBeCloseTo(1 / (each.lr * each.layers), 5);
    });
  });

  requireOr('POV-Ray', hasProgram('povray'))(
    'ranges of frames, and one frame an index',
    { timeout: 240_000 },
    async () => {
      mkdirSync(join(own.buckets, 'my-bucket'), { recursive: true });
      writeFileSync(join(own.buckets, 'my-bucket/scene.pov'), own.text('scene.pov'));
      await runs(...array('ranges', 3), '--user-data', '@render.sh', ...own.aws);
      await runs(
        '--array',
        '12',
        '--name',
        'frames',
        '--command',
        'povray +Iscene.pov +Oone-$JOB_ARRAY_INDEX.png +W32 +H24 -D +K$JOB_ARRAY_INDEX',
      );
      for (let frame = 0; frame < 12; frame++) {
        const ranged = readFileSync(join(own.buckets, `my-bucket/output/frame-${String(frame).padStart(4, '0')}.png`));
        expect(ranged.subarray(1, 4).toString()).toBe('PNG');
        // The picture's data, without the time that the renderer notes in the file.
        expect(pixels(ranged)).toEqual(pixels(readFileSync(join(own.folder, `one-${frame}.png`))));
      }
    },
  );

  requireOr("Debian's torch for Python", hasTorch())(
    'ranks that meet at MASTER_ADDR',
    { timeout: 240_000 },
    async () => {
      await runs(...array('ddp', 4), '--command', '/usr/bin/python3 rendezvous.py');
      for (let rank = 0; rank < 4; rank++) {
        const { sum, size, host, master } = own.read<Record<string, unknown>>(`rendezvous-${rank}.json`);
        expect({ sum, size, host }).toEqual({ sum: 10, size: 4, host: `ddp-${rank}` });
        expect((master as string[])[1]).toBe('29500');
      }
    },
  );

  requireOr('python3', hasProgram('python3'))('a head and its workers', async () => {
    await runs(...array('ray-cluster', 4), '--user-data', '@head-and-workers.sh');
    const squares = own.read<{ n: number; square: number; by: number }[]>('squares.json');
    expect(squares.map(({ n }) => n).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, n) => n));
    expect(squares.every(({ n, square }) => square === n * n)).toBe(true);
    expect([...new Set(squares.map(({ by }) => by))].toSorted()).toEqual([1, 2, 3]);
  });

  test('a pool that drains a queue, each item once', async () => {
    const fill =
      'if [ $JOB_ARRAY_INDEX = 0 ]; then seq 1 200 | spored queue push work - && touch filled; fi; until [ -f filled ]; do sleep 0.05; done; exec bash drain.sh';
    await runs(...array('drain', 4), '--command', fill);
    const items = [0, 1, 2, 3].flatMap((index) => own.lines(`done-${index}.txt`));
    expect(items.map((line) => Number(line.split(' ')[0])).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 200 }, (_, n) => n + 1),
    );
  });

  test('an index that counts from one', async () => {
    await runs(
      ...array('genomics', 3),
      '--instance-type',
      'r7i.4xlarge',
      '--command',
      'echo chr$((JOB_ARRAY_INDEX + 1)) > chr-$JOB_ARRAY_INDEX',
    );
    expect([0, 1, 2].map((index) => own.text(`chr-${index}`).trim())).toEqual(['chr1', 'chr2', 'chr3']);
  });

  test('user-data with and without a first line that names a shell', async () => {
    const body =
      'echo "Result: $((TASK_ARRAY_INDEX * 2)) of $TASK_ARRAY_SIZE" > out-NAME-$TASK_ARRAY_INDEX\nspored complete --status success\n';
    await runs('--array', '2', '--name', 'with', '--user-data', `#!/bin/bash\n${body.replace('NAME', 'with')}`);
    await runs('--array', '2', '--name', 'without', '--user-data', body.replace('NAME', 'without'));
    for (const name of ['with', 'without']) {
      expect([0, 1].map((index) => own.text(`out-${name}-${index}`))).toEqual(['Result: 0 of 2\n', 'Result: 2 of 2\n']);
    }
  });
});

function array(name: string, count: number): string[] {
  return ['--count', `${count}`, '--job-array-name', name, '--ttl', '30m'];
}

function hasTorch(): boolean {
  try {
    execFileSync('/usr/bin/python3', ['-c', 'import torch.distributed'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** The IDAT chunks of a PNG. */
function pixels(png: Buffer): Buffer {
  const chunks: Buffer[] = [];
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') chunks.push(png.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  return Buffer.concat(chunks);
}
