import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { scriptedJob } from '../../test/support/scripted-coordinator.ts';
import { until } from '../../test/support/until.ts';
import { FORKERS, workerOnScript } from '../../test/support/worker-on-script.ts';
import type { JobForWorker, Resources } from '../api/session.ts';
import type { Gpu } from '../core/gpu-list.ts';
import { decodeOutcome, outcomeText } from '../core/outcome.ts';

/** Says what it has, and runs until the file `go` is there. */
const WAITS = 'echo "$SAY $CUDA_VISIBLE_DEVICES" >>"$OUT/ran"; until [ -e "$OUT/go" ]; do sleep 0.02; done';

function setUp(offer: Partial<Resources>, more = {}) {
  const script = workerOnScript();
  const { coordinator, folder } = script;
  const gpus = Array.from(
    { length: offer.gpus ?? 0 },
    (_, id): Gpu => ({ id: String(id + 4), vendor: 'nvidia', uuid: '', name: '', memoryBytes: 0 }),
  );
  script.start({ resources: { cpus: 8, memoryBytes: 2 ** 30, ...offer }, gpus, ...more });
  const job = (id: number, text: string, changes: Partial<JobForWorker> = {}) => {
    const env = { OUT: folder, SAY: `job${id}` };
    coordinator.send({ type: 'job', job: scriptedJob(id, text, { cpus: 0.5, env, ...changes }) });
  };
  return {
    ...script,
    job,
    ran: () => script.read('ran').split('\n').filter(Boolean).toSorted(),
    go: () => writeFileSync(join(folder, 'go'), ''),
    howOf: async (fence: number) => {
      const end = await until('the end', () => coordinator.endOf(fence));
      return outcomeText(decodeOutcome(end.outcome));
    },
  };
}

describe('devices', () => {
  test('no two that run at once have the same; what waited gets those that came free', async () => {
    const { coordinator, job, ended, read } = setUp({ gpus: 2 });
    const alone = 'mkdir "$OUT/$D" || echo clash >>"$OUT/clashes"; echo $D >>"$OUT/used"; sleep 0.01; rmdir "$OUT/$D"';
    job(1, `D=$CUDA_VISIBLE_DEVICES; ${alone}`, { gpus: 1 });
    coordinator.grant(1, 0, 40);
    await ended(40);
    expect(read('clashes')).toBe('');
    expect(new Set(read('used').split('\n'))).toEqual(new Set(['4', '5', '']));
  });

  test('fractions share one, and whole ones stay free for who wants them', async () => {
    const { coordinator, job, ran, go, ended } = setUp({ gpus: 3 });
    job(1, WAITS, { gpus: 0.5 });
    job(2, WAITS, { gpus: 2 });
    job(3, WAITS, { gpus: 0.25 });
    coordinator.grant(1, 0, 2);
    coordinator.grant(2, 0, 1);
    coordinator.grant(3, 0, 1);
    await until('three to start', () => ran().length === 3);
    expect(ran()).toEqual(['job1 4', 'job1 4', 'job2 5,6']);
    go();
    await ended(4);
    expect(ran()[3]).toMatch(/^job3 [456]$/);
  });

  test('four halves run at once on two devices', async () => {
    const { coordinator, job, ran, go, ended } = setUp({ gpus: 2 });
    job(1, WAITS, { gpus: 0.5 });
    coordinator.grant(1, 0, 6);
    await until('four to start', () => ran().length === 4);
    expect(ran()).toEqual(['job1 4', 'job1 4', 'job1 5', 'job1 5']);
    go();
    await ended(6);
  });

  test('who asked for none sees none', async () => {
    const { coordinator, job, logOf, ended } = setUp({ gpus: 2 });
    job(1, 'echo "[$CUDA_VISIBLE_DEVICES] $SPAWN_GPUS"', { env: { CUDA_VISIBLE_DEVICES: '4' } });
    const fence = coordinator.grant(1, 0, 1);
    await ended(1);
    expect(logOf(1, fence)).toBe('[] \n');
  });

  test('more than there are: the task says so and fails, and the next runs', async () => {
    const { coordinator, job, howOf, logOf } = setUp({ gpus: 2, named: { license: 1 } });
    job(1, 'true', { gpus: 3 });
    job(2, 'true', { resources: { license: 2 } });
    job(3, 'echo $CUDA_VISIBLE_DEVICES', { gpus: 2 });
    const [one, two, three] = [1, 2, 3].map((id) => coordinator.grant(id, 0, 1));
    expect([await howOf(one!), await howOf(two!), await howOf(three!)]).toEqual(['exit 126', 'exit 126', 'exit 0']);
    expect(logOf(1, one!)).toBe('spawn: this worker has too few of: gpus\n');
    expect(logOf(2, two!)).toBe('spawn: this worker has too few of: license\n');
    expect(logOf(3, three!)).toBe('4,5\n');
  });
});

test('named amounts and slots bound what runs at once', async () => {
  const { coordinator, job, ran, go, ended } = setUp({ named: { license: 1 }, slots: 3 });
  job(1, WAITS, { resources: { license: 0.5 } });
  job(2, WAITS);
  coordinator.grant(1, 0, 4);
  coordinator.grant(2, 0, 4);
  await until('three to start', () => ran().length === 3);
  expect(ran().map((line) => line.trim())).toEqual(['job1', 'job1', 'job2']);
  go();
  await ended(8);
});

describe('lanes', () => {
  const lane = { lane: 1, cpus: 2, memoryBytes: 2 ** 20 * 300, gpus: 0, resources: { license: 1 }, timeLimitMs: 0 };
  const SAYS = 'echo $SPAWN_CPUS/$SPAWN_MEMORY_BYTES/$SPAWN_RESOURCES/$SLURM_MEM_PER_NODE';

  test('have needs of their own; those that come later disturb nothing', async () => {
    const { coordinator, job, ran, go, ended, logOf, howOf } = setUp({ named: { license: 1 } });
    job(1, `${SAYS}; ${WAITS}`);
    const first = coordinator.grant(1, 0, 1);
    await until('the first to start', () => ran().length === 1);
    const { env, ...rest } = { env: { OUT: 'elsewhere' }, lanes: [lane, { ...lane, lane: 2, resources: {} }] };
    job(1, `${SAYS}; ${WAITS}`, { ...rest, env });
    const second = coordinator.grant(1, 1, 1, 1, 1);
    const third = coordinator.grant(1, 2, 1, 1, 1);
    const fourth = coordinator.grant(1, 3, 1, 1, 2);
    await until('all but the one that lacks a license', () => ran().length === 3);
    expect(coordinator.ends).toEqual([]);
    go();
    await ended(4);
    const memory = lane.memoryBytes;
    expect([first, second, third, fourth].map((fence) => logOf(1, fence))).toEqual([
      '0.5///\n',
      `2/${memory}/license=1/300\n`,
      `2/${memory}/license=1/300\n`,
      `2/${memory}//300\n`,
    ]);
    expect(await howOf(first)).toBe('exit 0');
  });

  test('one that nobody described: its tasks go back, and the rest goes on', async () => {
    const { coordinator, job, ended, lines } = setUp({});
    job(1, 'true');
    const fence = coordinator.grant(1, 0, 3, 1, 7);
    const known = coordinator.grant(1, 3, 1);
    await ended(1);
    await until('them back', () => coordinator.returned.length === 3);
    expect(coordinator.returned).toEqual([fence, fence + 1, fence + 2]);
    expect(coordinator.endOf(known)?.outcome).toBe(0);
    expect(lines.join()).toContain('job 1 has no lane 7 here');
  });

  test('of short tasks none runs beside more than there is room for', async () => {
    const { coordinator, job, ended, read } = setUp({ cpus: 2 });
    const noted = 'echo + >>"$OUT/noted"; i=0; while [ $i -lt 300 ]; do i=$((i+1)); done; echo - >>"$OUT/noted"';
    job(1, noted, { cpus: 1, lanes: [{ ...lane, resources: {}, memoryBytes: 0 }] });
    for (let round = 0; round < 6; round++) {
      coordinator.grant(1, round * 40, 30);
      await ended(round * 35 + 10);
      coordinator.grant(1, round * 40 + 30, 5, 1, 1);
      await ended(round * 35 + 35);
    }
    let [atOnce, most] = [0, 0];
    for (const [sign] of read('noted').matchAll(/[+-]/g)) {
      atOnce += sign === '+' ? 1 : -1;
      most = Math.max(most, atOnce);
    }
    expect(most).toBe(2);
  });
});

describe.each(FORKERS)('with the %s forker', (forker) => {
  test('another time limit reaches what runs and what waits', async () => {
    const { coordinator, job, ran, howOf, go } = setUp({ cpus: 1 }, { forker });
    job(1, WAITS, { cpus: 1, graceMs: 100 });
    const fence = coordinator.grant(1, 0, 4);
    await until('the first to start', () => ran().length === 1);
    coordinator.send({ type: 'limit', fences: [[fence, 2]], timeLimitMs: 50 });
    expect([await howOf(fence), await howOf(fence + 1)]).toEqual(['time limit', 'time limit']);
    await until('the third to start', () => coordinator.started.has(fence + 2));
    go();
    expect([await howOf(fence + 2), await howOf(fence + 3)]).toEqual(['exit 0', 'exit 0']);
  });

  test('a task that uses more memory than it asked for is ended as out of memory', async () => {
    const { coordinator, job, howOf } = setUp({}, { forker });
    const hog = 'const all = []; setInterval(() => all.push(Buffer.alloc(16 * 2 ** 20, 1)), 5)';
    job(1, '', {
      run: { kind: 'argv', argv: [process.execPath, '-e', hog] },
      memoryBytes: 150 * 2 ** 20,
      graceMs: 500,
    });
    expect(await howOf(coordinator.grant(1, 0, 1))).toBe('out of memory');
  }, 30_000);

  test('files get a copy of the output; what cannot be opened is said in the log', async () => {
    const { coordinator, job, folder, howOf, logOf, read } = setUp({}, { forker, host: 'node7.example.org' });
    const says = 'echo out; echo err >&2';
    job(1, says, { cwd: folder, outputPath: 'logs/%x-%A_%3a@%N', errorPath: 'logs/job-%A_007@%N' });
    job(2, says, { cwd: folder, outputPath: `${folder}/%u.out`, errorPath: '%j.err', user: 'anna' });
    job(3, says, { cwd: folder, outputPath: '/dev/null/%a' });
    const [one, two, three] = [1, 2, 3].map((id) => coordinator.grant(id, 7, 1));
    expect([await howOf(one!), await howOf(two!), await howOf(three!)]).toEqual(['exit 0', 'exit 0', 'exit 126']);
    expect(read('logs/job-1_007@node7').split('\n').toSorted()).toEqual(['', 'err', 'out']);
    expect([read('anna.out'), read('1000000007.err')]).toEqual(['out\n', 'err\n']);
    expect(logOf(1, one!).length).toBe(8);
    expect(logOf(3, three!)).toBe('spawn: cannot open the output file /dev/null/7: Not a directory\n');
  });

  test('each reads from a file of its own; one that is missing is said in the log', async () => {
    const { coordinator, job, folder, howOf, logOf } = setUp({}, { forker });
    writeFileSync(join(folder, 'in-7'), 'seven\n');
    job(1, 'cat', { cwd: folder, inputPath: 'in-%a' });
    job(2, 'cat', { cwd: folder, inputPath: `${folder}/%x/missing` });
    const [one, none, two] = [coordinator.grant(1, 7, 1), coordinator.grant(1, 8, 1), coordinator.grant(2, 0, 1)];
    expect([await howOf(one), await howOf(none), await howOf(two)]).toEqual(['exit 0', 'exit 126', 'exit 126']);
    expect(logOf(1, one)).toBe('seven\n');
    expect(logOf(1, none)).toBe('spawn: cannot open the input file in-8: No such file or directory\n');
    expect(logOf(2, two)).toMatch(/^spawn: cannot open the input file .*\/missing: No such file or directory\n$/);
  });

  test('append goes on where a file ends', async () => {
    const { coordinator, job, folder, ended, read } = setUp({ slots: 1 }, { forker });
    job(1, 'echo again', { cwd: folder, outputPath: 'kept' });
    job(2, 'echo more', { cwd: folder, outputPath: 'kept', openMode: 'append' });
    coordinator.grant(1, 0, 2);
    await ended(2);
    expect(read('kept')).toBe('again\n');
    coordinator.grant(2, 0, 2);
    await ended(4);
    expect(read('kept')).toBe('again\nmore\nmore\n');
  });

  test('a signal comes before the time limit', async () => {
    const { coordinator, job, howOf, logOf } = setUp({}, { forker });
    const signal = { number: 10, beforeMs: 60_000, mainOnly: false };
    const text = 'trap "echo soon; exit 4" USR1; echo ready; while :; do sleep 0.02; done';
    job(1, text, { timeLimitMs: 60_500, signal });
    const fence = coordinator.grant(1, 0, 1);
    expect(await howOf(fence)).toBe('exit 4');
    expect(logOf(1, fence)).toMatch(/^ready\n(?:.+\n)?soon\n$/);
  });

  test('a signal reaches what runs, the main process of it or all, and nothing that waits', async () => {
    const { coordinator, job, folder, howOf, ran, read, go } = setUp({ cpus: 1 }, { forker });
    const child = 'trap "echo child >>told" USR1; echo up >>child; while [ ! -e go ]; do sleep 0.02; done';
    const text = `sh -c '${child}' & trap "echo main >>told" USR1; ${WAITS}; wait`;
    job(1, text, { cpus: 1, cwd: folder });
    const fence = coordinator.grant(1, 0, 2);
    await until('the first to start', () => ran().length === 1 && read('child') === 'up\n');
    const told = () => read('told').split('\n').slice(0, -1).toSorted();
    coordinator.send({ type: 'signal', fences: [[fence, 2]], signal: 10, mainOnly: true });
    await until('the main process to be told', () => told().length === 1);
    coordinator.send({ type: 'signal', fences: [[fence, 2]], signal: 10, mainOnly: false });
    await until('all to be told', () => told().length === 3);
    expect(told()).toEqual(['child', 'main', 'main']);
    go();
    expect([await howOf(fence), await howOf(fence + 1)]).toEqual(['exit 0', 'exit 0']);
    expect(told().length).toBe(3);
  });

  test('a task sees as many CPUs as it asked for, or all where the forker binds nothing', async () => {
    const { coordinator, job, ended, logOf, forkers } = setUp({}, { forker });
    job(1, 'nproc', { cpus: 0.5 });
    const fence = coordinator.grant(1, 0, 60);
    await ended(60);
    const seen = forkers[0]!.capabilities.affinity ? 1 : availableParallelism();
    expect(new Set(Array.from({ length: 60 }, (_, i) => logOf(1, fence + i)))).toEqual(new Set([`${seen}\n`]));
  });
});
