import { beforeEach, describe, expect, test } from 'vitest';
import { CALLER } from '../../../test/support/ledger-at-hand.ts';
import { SlurmAtHand } from '../../../test/support/slurm-at-hand.ts';
import { encodeOutcome } from '../../core/outcome.ts';

let slurm: SlurmAtHand;
beforeEach(async () => {
  process.env.TZ = 'UTC';
  slurm = await SlurmAtHand.open();
});

const HEADER = '             JOBID PARTITION     NAME     USER ST       TIME  NODES NODELIST(REASON)\n';

// Answers of Slurm 22.05.8, with the numbers of these jobs.
describe('an array that waits', () => {
  beforeEach(async () => {
    await slurm.submit({
      array: '5-1024',
      throttle: 4,
      hold: true,
      slurm: { uid: 65_534, group: 'nogroup', gid: 65_534 },
    });
  });

  test.each([
    ['-j 1', `${HEADER}      1_[5-1024%4]      main      arr     root PD       0:00      1 (JobHeldUser)\n`],
    [
      '-h -j 1 -o [%20i][%.20i][%-20i][%5i]',
      '[1_[5-1024%4]        ][        1_[5-1024%4]][%-20i][1_[5-]\n! squeue: error: Invalid job format specification: -\n',
    ],
    [
      '-h --start',
      '      1_[5-1024%4]      main      arr     root PD                 N/A      1 (null)               (JobHeldUser)\n',
    ],
    [
      '-h -o %A|%F|%K|%t|%r|%L|%Q|%p|%S|%e|%N|%B',
      '1|1|5-1024%4|PD|JobHeldUser|UNLIMITED|0|0.00000000000000|N/A|N/A||n/a\n',
    ],
    [
      '-h -o %a|%b|%c|%d|%f|%g|%G|%h|%H|%n|%q|%v|%w|%W|%x|%X|%Y|%z|%O|%m|%k|%E|%s',
      '(null)|N/A|1|0|(null)|nogroup|65534|OK|*||normal|(null)|(null)|(null)||N/A|(null)|*:*:*|0|0|(null)|(null)|\n',
    ],
    [
      '-j 1 -O jobid,nope',
      'JOBID               \n1                   \n! squeue: error: Invalid job format specification: nope\n',
    ],
    [
      '-h -O State:9,ReasonList:.15,tres-alloc:40',
      'PENDING    (JobHeldUser)cpu=1,node=1,billing=1                  \n',
    ],
    ['-h -j 1_7 -o "%i %A %K"', '1_7 1 7\n'],
    ['-h -j 1_7,1_8 -o "%i %A %K"', '1_[7-8] 1 7-8\n'],
    ['-h -j 1_9999', ''],
    ['-h -j 1,99 -o %i', '1_[5-1024%4]\n'],
    ['-j 99', '! slurm_load_jobs error: Invalid job id specified\nrc=1\n'],
    ['-j abc', '! squeue: error: Invalid job id: abc\nrc=1\n'],
    ['-h -j ""', ''],
    ['-h -t R', ''],
    ['-h -u root -o %i', '1_[5-1024%4]\n'],
    ['-h -u nosuchuser', '! squeue: error: Invalid user: nosuchuser\n! \n'],
    ['-h -n arr,x -o %j', 'arr\n'],
    ['-h -n none', ''],
    ['-h -p nosuch', ''],
    ['-h -A x', ''],
    ['-h -q normal -o %t', 'PD\n'],
    ['-w n9', '! squeue: error: Invalid node name n9\nrc=1\n'],
    ['-h -S nope', '! squeue: error: Invalid sort specification: o\nrc=1\n'],
    ['-i x', '! squeue: error: --iterate=x\n! \nrc=1\n'],
    [
      '-l -o %i',
      '! squeue: fatal: Options -o(--format) and -l(--long) are mutually exclusive. Please remove one and retry.\nrc=1\n',
    ],
    ['-o %i -O jobid', '! squeue: error: -O (--Format) is incompatible with -o (--format)\nrc=1\n'],
    ['-s', '         STEPID     NAME PARTITION     USER      TIME NODELIST\n'],
  ])('squeue %s', async (words, answer) => expect(await slurm.say(`squeue ${words}`)).toBe(answer));

  test.each([
    [{ SQUEUE_FORMAT: '%t' }, 'PD\n'],
    [{ SQUEUE_FORMAT2: 'state:8' }, 'PENDING \n'],
    [{ SQUEUE_STATES: 'R' }, ''],
    [{ SQUEUE_NAMES: 'x' }, ''],
    [{ SQUEUE_FORMAT: '%i|%K', SLURM_BITSTR_LEN: '5' }, '1_[5...%4]|5...%4\n'],
    [{ SQUEUE_FORMAT: '%V', SLURM_TIME_FORMAT: '%Y-%j' }, '2023-318\n'],
    [
      { SQUEUE_FORMAT: '%V', SLURM_TIME_FORMAT: 'x' },
      "2023-11-14T22:13:20\n! squeue: error: invalid SLURM_TIME_FORMAT = 'x'\n",
    ],
    [{ SQUEUE_FORMAT: '%i', SLURM_TIME_FORMAT: 'x' }, '1_[5-1024%4]\n'],
  ])('with %j', async (env, answer) => {
    slurm.env = env;
    expect(await slurm.say('squeue -h')).toBe(answer);
  });

  test('is a line for each task with -r', async () => {
    const { out, calls } = await slurm.run(['squeue', '-h', '-r', '-o', '%i %K']);
    const lines = out.split('\n');
    expect([lines.length, lines[0], lines.at(-2)]).toEqual([1_021, '1_5 5', '1_1024 1024']);
    expect(calls).toHaveLength(1);
  });

  test('has a date above it with -l', async () => {
    expect(await slurm.say('squeue -l')).toBe(
      'Tue Nov 14 22:13:20 2023\n             JOBID PARTITION     NAME     USER    STATE       TIME TIME_LIMI  NODES NODELIST(REASON)\n      1_[5-1024%4]      main      arr     root  PENDING       0:00 UNLIMITED      1 (JobHeldUser)\n',
    );
  });

  test('is shown again and again with -i, until a person has enough', async () => {
    let stop = (_: number) => {};
    let rounds = 0;
    const answer = await slurm.say('squeue -i 5 -o %i', {
      world: {
        onInterrupt: (listener) => {
          stop = listener;
          return () => {};
        },
        pause: async (ms) => {
          expect(ms).toBe(5_000);
          rounds++;
          if (rounds === 2) stop(130);
        },
      },
    });
    const round = 'Tue Nov 14 22:13:20 2023\nJOBID\n1_[5-1024%4]\n\n';
    expect(answer).toBe(`${round}${round}rc=130\n`);
  });
});

test('groups of an array that wait for different things are one line', async () => {
  await slurm.submit({ array: '1-12', throttle: 2 });
  const worker = await slurm.worker();
  await worker.start(1, 0, 1);
  const rows = () => slurm.say('squeue -h -j 1 -o "%i %t %r %R"');
  expect(await rows()).toBe('1_[3-12%2] PD JobArrayTaskLimit (JobArrayTaskLimit)\n1_1 R None n1\n1_2 R None n1\n');
  await slurm.at.coordinator.hold(CALLER, '1_7', {});
  expect(await rows()).toBe(
    '1_[3-12] PD JobArrayTaskLimit,JobHeldUser (JobArrayTaskLimit,JobHeldUser)\n1_1 R None n1\n1_2 R None n1\n',
  );
  expect(await slurm.say('squeue -h -t PD --array-unique -o "%i %r"')).toBe(
    '1_[3-6,8-12%2] JobArrayTaskLimit\n1_7 JobHeldUser\n',
  );
  expect(await slurm.say('squeue -h -s -o "%i %j %N"')).toBe('1_1.batch batch n1\n1_2.batch batch n1\n');
  expect(await slurm.say('squeue -h -s1_2.batch -o %i')).toBe('1_2.batch\n');
  expect(await slurm.say('squeue -h -w n1 -o %A')).toBe('1000000000\n1000000001\n');
  expect(await slurm.say('squeue -h -j 1000000001 -o %i')).toBe('1_2\n');
});

test('what has ended is shown for five minutes', async () => {
  await slurm.submit({ array: '1-3', timeLimitMs: 600_000 });
  const plain = await slurm.submit({ name: 'plain', hold: true });
  const worker = await slurm.worker();
  await worker.start(1, 0, 1);
  slurm.at.clock.pass(61_000);
  await worker.end(1, [0], encodeOutcome({ kind: 'exited', code: 3 }));
  await worker.start(1, 2);
  await slurm.at.coordinator.cancel(CALLER, String(plain), {});
  const all = () => slurm.say('squeue -h -t all -o "%i %t %M %L %R" -S i');
  expect(await all()).toBe(
    '1_1 F 0:00 10:00 (NonZeroExitCode)\n1_2 R 1:01 8:59 n1\n1_3 R 0:00 10:00 n1\n2 CA 0:00 UNLIMITED \n',
  );
  expect(await slurm.say('squeue -h -t F,CA -O state:10,exit_code:5')).toBe('CANCELLED 0    \nFAILED    768  \n');
  slurm.at.clock.pass(301_000);
  expect(await all()).toBe('1_2 R 6:02 3:58 n1\n1_3 R 5:01 4:59 n1\n');
});

test('of tasks cancelled before they started one line is left, and only when no other waits', async () => {
  const id = await slurm.submit({ array: '1-5', hold: true });
  const all = () => slurm.say('squeue -h -t all -o "%i %T %r"');
  await slurm.at.coordinator.cancel(CALLER, `${id}_3`, {});
  expect(await all()).toBe('1_[1-2,4-5] PENDING JobHeldUser\n');
  expect(await slurm.say('squeue -h -t all -j 1_3')).toBe('');
  await slurm.at.coordinator.cancel(CALLER, String(id), {});
  expect(await all()).toBe('1_[1-5] CANCELLED JobHeldUser\n');
  expect(await slurm.say('squeue -h -r -t CA -j 1_3,1_4 -o %i')).toBe('1_3\n1_4\n');
});

test('others than waiting tasks of an array that runs are kept under its number', async () => {
  await slurm.submit({ array: '1-5' });
  const worker = await slurm.worker(1);
  await worker.start(1, 0);
  await slurm.at.coordinator.cancel(CALLER, '1_[2-5]', {});
  expect(await slurm.say('squeue -h -t all -o "%i %T"')).toBe('1 CANCELLED\n1_1 RUNNING\n');
  expect(await slurm.say('squeue -h -t all -j 1_3')).toBe('');
});

test('dependencies name arrays as such, whether they are listed or not', async () => {
  await slurm.submit({ array: '1-3', hold: true, name: 'first' });
  await slurm.submit({ after: 'afterok:1', name: 'second' });
  expect(await slurm.say('squeue -h -n second -o "%r %E"')).toBe('Dependency afterok:1_*(unfulfilled)\n');
  expect(await slurm.say('squeue -h -o "%i %E" -S i')).toBe('1_[1-3] (null)\n2 afterok:1_*(unfulfilled)\n');
});

test('files are looked up where they are asked for', async () => {
  await slurm.submit({ array: '1-3', cwd: '/home/ada', outputPath: 'out-%A_%a', errorPath: '/var/%x' });
  const worker = await slurm.worker(1);
  await worker.start(1, 0);
  expect(await slurm.say('squeue -h -O stdout:22,stderr:10,stdin')).toBe(
    '/home/ada/out-1_%a    /var/arr  /dev/null           \n/home/ada/out-1_1     /var/arr  /dev/null           \n',
  );
});

test('data are Slurm’s, as JSON and as YAML', async () => {
  await slurm.submit({
    array: '1-3',
    throttle: 2,
    hold: true,
    cwd: '/w',
    memoryBytes: 200 * 2 ** 20,
    slurm: { name: 'a "b"', memPer: 'cpu', uid: 0, gid: 0, group: 'root' },
  });
  const { out } = await slurm.run(['squeue', '--json']);
  expect(out).toContain('"type": "openapi\\/v0.0.38"');
  expect(out.endsWith('}')).toBe(true);
  const [job] = (JSON.parse(out) as { jobs: Record<string, unknown>[] }).jobs;
  expect(job).toMatchObject({
    array_job_id: 1,
    array_task_id: null,
    array_max_tasks: 2,
    array_task_string: '1-3%2',
    job_id: 1,
    job_state: 'PENDING',
    name: 'a "b"',
    memory_per_cpu: 200,
    memory_per_node: null,
    state_reason: 'JobHeldUser',
    submit_time: 1_700_000_000,
    current_working_directory: '/w',
    tres_req_str: 'cpu=1,mem=200M,node=1,billing=1',
  });
  const yaml = (await slurm.run(['squeue', '--yaml'])).out;
  expect(yaml).toContain('%YAML 1.1\n--- !!map\n!!str meta: !!map\n  !!str plugin: !!map\n');
  expect(yaml).toContain('!!str errors: !!seq []\n!!str jobs: !!seq\n- !!map\n  !!str account: !!null null\n');
  expect(yaml).toContain('  !!str name: !!str "a \\"b\\""\n');
  expect(yaml.endsWith('  !!str current_working_directory: !!str /w\n...\n')).toBe(true);
});

test('any number of ids is asked for', async () => {
  await slurm.submit({ array: '1-9' });
  const ids = Array.from({ length: 5_000 }, (_, n) => n + 1).join();
  const { out, calls } = await slurm.run(['squeue', '-h', '-o', '%i', '-j', ids]);
  expect([out, calls.length]).toEqual(['1_[1-9]\n', 3]);
  const tasks = Array.from({ length: 5_000 }, (_, n) => `1_${n * 2 + 1}`).join();
  expect((await slurm.run(['squeue', '-h', '-o', '%i', '-j', tasks])).out).toBe('1_[1,3,5,7,9]\n');
});

test('a word that is no option is refused with how it is written', async () => {
  const { code, out, err } = await slurm.run(['squeue', '-j', '1', 'extra']);
  expect([code, err]).toEqual([1, 'squeue: error: Unrecognized option: extra\n']);
  expect(out).toMatch(/^Usage: squeue /);
});
