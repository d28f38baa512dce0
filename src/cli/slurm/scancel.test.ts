import { beforeEach, describe, expect, test } from 'vitest';
import type { WorkerAtHand } from '../../../test/support/ledger-at-hand.ts';
import { SlurmAtHand } from '../../../test/support/slurm-at-hand.ts';

let slurm: SlurmAtHand;
beforeEach(async () => {
  slurm = await SlurmAtHand.open();
});

const states = () => slurm.say('squeue -h -r -t all -o "%i %t" -S i');

// Answers of Slurm 22.05.8, with the numbers of these jobs.
describe('ids', () => {
  beforeEach(async () => {
    await slurm.submit({ array: '1-9', hold: true });
  });

  test.each([
    ['1_2', '', '1_[1,3-9]'],
    ['1_[3-4,6]', '', '1_[1-2,5,7-9]'],
    ['1_[8,50]', '', '1_[1-7,9]'],
    ['-v 1_1', '! scancel: Terminating job 1_1\n', '1_[2-9]'],
    ['1_99', '', '1_[1-9]'],
    ['99', '', '1_[1-9]'],
    [
      '-v 99',
      '! scancel: Terminating job 99\n! scancel: error: Kill job error on job id 99: Invalid job id specified\n',
      '1_[1-9]',
    ],
    ['abc', '! scancel: error: Invalid job id abc\nrc=1\n', '1_[1-9]'],
    ['-Q abc', '! scancel: error: Invalid job id abc\nrc=1\n', '1_[1-9]'],
    ['1_x', '! scancel: error: Invalid job id 1_x\nrc=1\n', '1_[1-9]'],
    [
      '1_[x]',
      "! scancel: error: _parse_single_range: Invalid range: `x'\n! scancel: error: Invalid job id 1_[x]\nrc=1\n",
      '1_[1-9]',
    ],
    ['99 1 abc', '! scancel: error: Invalid job id abc\nrc=1\n', '1_[1-9]'],
    ['1.batch', '! scancel: error: Invalid job id 1.batch\nrc=1\n', '1_[1-9]'],
    ['1.0', '! scancel: error: Kill job error on job step id 1.0: Invalid job id specified\nrc=1\n', '1_[1-9]'],
    ['1_*', '', ''],
    [
      '1_1 1_2 1_3 --verbose',
      '! scancel: Terminating job 1_1\n! scancel: Terminating job 1_2\n! scancel: Terminating job 1_3\n',
      '1_[4-9]',
    ],
    ['', '! scancel: error: No job identification provided\nrc=1\n', '1_[1-9]'],
    ['-s NOPE 1', '! Unknown job signal: NOPE\nrc=1\n', '1_[1-9]'],
    [
      '-t nope',
      '! Invalid job state specified: nope\n! Valid job states are PENDING, RUNNING, and SUSPENDED\nrc=1\n',
      '1_[1-9]',
    ],
    ['-u nosuchuser', '! scancel: error: Invalid user name: nosuchuser\nrc=1\n', '1_[1-9]'],
    ['-n nosuch', '', '1_[1-9]'],
    ['-n arr 1_[2-3]', '', '1_[1,4-9]'],
    ['-t R 1', '', '1_[1-9]'],
    ['-w n9 1', '', '1_[1-9]'],
    ['-b -s USR1 99', '! scancel: error: Kill job error on job id 99: Invalid job id specified\nrc=1\n', '1_[1-9]'],
    [
      '-s USR1 1_2',
      '! scancel: error: Kill job error on job id 1_[2]: Job can not be altered now, try again later\nrc=228\n',
      '1_[1-9]',
    ],
    ['-s KILL 1_2', '', '1_[1,3-9]'],
    ['-u root -p main -q normal', '', ''],
    ['-A none', '', '1_[1-9]'],
  ])('scancel %s', async (words, answer, left) => {
    expect(await slurm.say(`scancel ${words}`.trim())).toBe(answer);
    expect(await slurm.say('squeue -h -o %i')).toBe(left === '' ? '' : `${left}\n`);
  });

  test('of what has ended are told with -v alone', async () => {
    await slurm.say('scancel 1');
    expect(await slurm.say('scancel 1')).toBe('');
    expect(await slurm.say('scancel -v 1')).toBe(
      '! scancel: Terminating job 1\n! scancel: error: Kill job error on job id 1: Job/step already completing or completed\n',
    );
    expect(await slurm.say('scancel -s TERM 1')).toBe(
      '! scancel: error: Kill job error on job id 1: Invalid job id specified\nrc=1\n',
    );
  });

  test.each([
    [{ SCANCEL_STATE: 'R' }, '1', ''],
    [
      { SCANCEL_STATE: 'nope' },
      '1',
      '! Unrecognized SCANCEL_STATE value: nope\n! Valid job states are PENDING, RUNNING, and SUSPENDED\nrc=1\n',
    ],
    [{ SCANCEL_NAME: 'x' }, '1', ''],
    [{ SCANCEL_FULL: '1' }, '99', '! scancel: error: Unrecognized SCANCEL_FULL value: 1\n'],
    [
      { SCANCEL_BATCH: 'true' },
      '99',
      '! scancel: error: Kill job error on job id 99: Invalid job id specified\nrc=1\n',
    ],
    [
      { SCANCEL_VERBOSE: 'true' },
      '99',
      '! scancel: Terminating job 99\n! scancel: error: Kill job error on job id 99: Invalid job id specified\n',
    ],
  ])('with %j', async (env, ids, answer) => {
    slurm.env = env;
    expect(await slurm.say(`scancel ${ids}`)).toBe(answer);
    slurm.env = {};
    expect(await slurm.say('squeue -h -o %i')).toBe('1_[1-9]\n');
  });
});

describe('what runs', () => {
  let worker: WorkerAtHand;
  beforeEach(async () => {
    await slurm.submit({ array: '1-4' });
    worker = await slurm.worker();
    await worker.start(1, 0, 1);
  });

  const signals = () => worker.told('signal').map(({ signal, mainOnly }) => [signal, mainOnly]);

  test('is spared where what waits is meant', async () => {
    expect(await slurm.say('scancel -t PENDING 1')).toBe('');
    expect(await states()).toBe('1_1 R\n1_2 R\n1 CA\n');
  });

  test('is met where what runs is meant, and its waiting tasks are not', async () => {
    const { calls } = await slurm.run(['scancel', '-t', 'RUNNING', '-n', 'arr']);
    expect(calls.map(([name, ...args]) => [name, ...args.slice(0, 2)]).at(-1)).toEqual([
      'cancel',
      '1_[1-2]',
      { state: 'running' },
    ]);
    expect(await states()).toBe('1_1 CG\n1_2 CG\n1_3 PD\n1_4 PD\n');
  });

  test('gets signals: its shell alone with -b, all of it with -f', async () => {
    expect(await slurm.say('scancel -v -b -s USR1 1_1')).toBe('! scancel: Signal 10 to batch job 1_1\n');
    expect(await slurm.say('scancel 1_2 -v --full --signal USR2')).toBe('! scancel: Signal 12 to full job 1_2\n');
    expect(await slurm.say('scancel -v -b 1_1')).toBe('! scancel: Terminating batch job 1_1\n');
    expect(await slurm.say('scancel -v -f 1_2')).toBe('! scancel: Terminating full job 1_2\n');
    expect(signals()).toEqual([
      [10, true],
      [12, false],
      [9, true],
    ]);
  });

  test('hears nothing of signals that there are not', async () => {
    expect(await slurm.say('scancel -b -s 99 1_1')).toBe('');
    expect(await slurm.say('scancel -s 99 77')).toBe(
      '! scancel: error: Kill job error on job id 77: Invalid job id specified\nrc=1\n',
    );
    expect(signals()).toEqual([]);
  });

  test('gets what srun started signalled where nothing else is said', async () => {
    expect(await slurm.say('scancel -s USR1 1_1')).toBe('');
    expect(worker.told('signal')).toMatchObject([{ signal: 10, mainOnly: false, steps: true }]);
  });

  test('is cancelled in one go, however many ids there are', async () => {
    const { calls } = await slurm.run(['scancel', '1_1', '1_3', '1_[2-9]', '1_7']);
    expect(calls.map(([name, ref]) => [name, ref])).toEqual([
      ['cancel', '1_[1-9]'],
      ['job', '1'],
      ['cancel', '1_[1-4]'],
    ]);
    expect(await states()).toBe('1_1 CG\n1_2 CG\n1 CA\n');
  });

  test('is found by its node and by the number of its task', async () => {
    await slurm.say('scancel -w n1');
    expect(await states()).toBe('1_1 CG\n1_2 CG\n1_3 PD\n1_4 PD\n');
    expect(await slurm.say('scancel -v 1000000003')).toBe('! scancel: Terminating job 1000000003\n');
    expect(await slurm.say('squeue -h -t PD -o %i')).toBe('1_3\n');
  });

  test('belongs to its owner', async () => {
    slurm.caller = { ...slurm.caller, owner: 'ada', role: 'submit' };
    const denied = (id: string) => `! scancel: error: Kill job error on job id ${id}: Access/permission denied\n`;
    expect(await slurm.say('scancel 1')).toBe(`${denied('1')}rc=210\n`);
    expect(await slurm.say('scancel -p main')).toBe(`${denied('1_[3-4]')}${denied('1_1')}${denied('1_2')}rc=210\n`);
    expect(await states()).toBe('1_1 R\n1_2 R\n1_3 PD\n1_4 PD\n');
    expect(await slurm.say('squeue -h --me')).toBe('');
    slurm.caller = { ...slurm.caller, owner: '0' };
    expect(await slurm.say('squeue -h --me -o %i')).toBe('1_[3-4]\n1_1\n1_2\n');
  });
});

describe('-i', () => {
  const question = (id: string) => `Cancel job_id=${id} name=arr partition=main [y/n]? `;
  beforeEach(async () => {
    await slurm.submit({ array: '1-4' });
    const worker = await slurm.worker();
    await worker.start(1, 0, 1);
  });

  test('asks for each until there is an answer', async () => {
    const answer = await slurm.say('scancel -i 1', { stdin: 'n\n\nx\nYes\ny\n' });
    expect(answer).toBe([question('1_1'), ...Array(3).fill(question('1_2')), question('1_[3-4]')].join(''));
    expect(await states()).toBe('1_1 R\n1_2 CG\n1 CA\n');
  });

  test('shows names that would steer the terminal as they are', async () => {
    await slurm.submit({ slurm: { name: 'a\u202eb' } });
    expect(await slurm.say('scancel -i 2', { stdin: 'n\n' })).toBe(
      'Cancel job_id=2 name=a\u00b7b partition=main [y/n]? ',
    );
  });

  test('cancels nothing more at the end of the input', async () => {
    expect(await slurm.say('scancel -i -u root', { stdin: 'y\n' })).toBe(question('1_1') + question('1_2'));
    expect(await states()).toBe('1_1 CG\n1_2 R\n1_3 PD\n1_4 PD\n');
  });
});

test('what is submitted after the listing is not touched, whatever its name', async () => {
  await slurm.submit({ hold: true });
  const { queue } = slurm.at.coordinator;
  slurm.at.coordinator.queue = async (...args) => {
    const reply = await queue(...args);
    slurm.at.coordinator.queue = queue;
    await slurm.submit({ hold: true });
    return reply;
  };
  await slurm.say('scancel -n arr');
  expect(await states()).toBe('1 CA\n2 PD\n');
});

test('a task that ends between the listing and the cancel is no error', async () => {
  await slurm.submit();
  const worker = await slurm.worker();
  await worker.start(1, 0);
  const { cancel } = slurm.at.coordinator;
  slurm.at.coordinator.cancel = async (...args) => {
    await worker.end(1, [0]);
    return cancel(...args);
  };
  expect(await slurm.say('scancel -n arr')).toBe('');
  expect(await states()).toBe('1 CD\n');
});
