import { describe, expect, test } from 'vitest';
import { runCli } from '../../../test/support/cli-world.ts';
import { aBudget, aCost, aCostLine } from '../../../test/support/instance-views.ts';
import type { BudgetView, CostQuery, CostReply } from '../../api/instance-money.ts';
import { SpawnError } from '../../core/errors.ts';

const [compute] = aCost().arrays;
const single: CostReply['arrays'][number] = {
  ...aCostLine({ ranMs: 3_600_000, onDemand: 0.0104, spot: 0.0031, cost: 0.0031, failed: 0.0031 }),
  jobId: 14,
  arrayId: 'one-20260114-000001',
  name: 'one',
  standalone: true,
  instances: 1,
  running: 0,
  rate: 0,
  costLimit: 10,
  members: [],
};
const two = aCost({
  total: aCostLine({ ranMs: 18_000_000, onDemand: 0.4136, spot: 0.1644, cost: 0.4063, failed: 0.0031 }),
  arrays: [compute!, single],
});
const telling = (reply: CostReply) => ({ client: { cost: async () => reply } });

describe('on a terminal', () => {
  test('a line an array, their sum, what spot saves, and of when the prices are', async () => {
    expect((await runCli(['cost'], { ...telling(two), tty: true, columns: 130 })).out).toBe(
      `ARRAY ID                 NAME     INSTANCES  RUNNING    RAN  ON-DEMAND     SPOT     COST   FAILED  AN HOUR  FORECAST   LIMIT
compute-20260113-abc123  compute          2        2  4h00m      $0.40    $0.16    $0.40    $0.00    $0.20     $0.81       -
one-20260114-000001      one              1        0  1h00m    $0.0104  $0.0031  $0.0031  $0.0031    $0.00         -  $10.00
                         total            3        2  5h00m      $0.41    $0.16    $0.41  $0.0031    $0.20         -       -
Spot instances saved $0.0073 (2% of on-demand)
All on spot instances: $0.16 (60% less)
Attempts that did not complete: $0.0031
Running time x price in USD; prices of 2026-06-17
`,
    );
  });

  test('a narrow one has the columns that tell most', async () => {
    const narrow = { ...telling(two), tty: true, columns: 80 };
    expect((await runCli(['cost'], narrow)).out.split('\n').slice(0, 2)).toEqual([
      'NAME     INSTANCES  RUNNING    RAN     COST   FAILED  AN HOUR  FORECAST   LIMIT',
      'compute          2        2  4h00m    $0.40    $0.00    $0.20     $0.81       -',
    ]);
  });

  test('--by-index: a line a member', async () => {
    expect((await runCli(['cost', '--by-index'], { ...telling(aCost()), tty: true, columns: 130 })).out).toBe(
      `ARRAY ID                 NAME       INDEX  ID                   STATE      RAN  ON-DEMAND     SPOT   COST  FAILED
compute-20260113-abc123  compute-0      0  i-00000000000000000  running  2h00m      $0.20  $0.0806  $0.20   $0.00
compute-20260113-abc123  compute-1      1  i-00000000000000001  running  2h00m      $0.20  $0.0806  $0.20   $0.00
All on spot instances: $0.16 (60% less)
Running time x price in USD; prices of 2026-06-17
`,
    );
  });

  test('the sum has a forecast when every array has one', async () => {
    const both = aCost({ arrays: [compute!, { ...single, forecast: 1 }] });
    expect((await runCli(['cost'], { ...telling(both), tty: true })).out).toMatch(/^total .* \$1\.81( +-)?$/m);
  });

  test('nothing was spent', async () => {
    const none = telling(aCost({ total: aCostLine(), arrays: [] }));
    expect((await runCli(['cost'], { ...none, tty: true })).out).toBe('no instance fits: nothing was spent\n');
    expect(await runCli(['cost'], none)).toMatchObject({ code: 0, out: '' });
  });
});

test('through a pipe: amounts that can be added up, and no sum', async () => {
  expect((await runCli(['cost'], telling(two))).out).toBe(
    'compute-20260113-abc123\tcompute\t2\t2\t14400000\t0.4032\t0.1613\t0.4032\t0\t0.2016\t0.8064\t\n' +
      'one-20260114-000001\tone\t1\t0\t3600000\t0.0104\t0.0031\t0.0031\t0.0031\t0\t\t10\n',
  );
  expect((await runCli(['cost', '--by-index'], telling(aCost()))).out.split('\n')[0]).toBe(
    'compute-20260113-abc123\tcompute-0\t0\ti-00000000000000000\trunning\t7200000\t0.2016\t0.0806\t0.2016\t0',
  );
});

test('-o json: the sum, then arrays with their members', async () => {
  const json = await runCli(['cost', '-o', 'json'], telling(two));
  const read = JSON.parse(json.out);
  expect(read).toMatchObject({ currency: 'USD', prices_of: '2026-06-17', running_seconds: 18_000, cost: 0.4063 });
  expect(read.arrays.map(({ members, ...array }: { members: unknown[] }) => array)).toEqual([
    {
      job_id: 12,
      job_array_id: 'compute-20260113-abc123',
      name: 'compute',
      standalone: false,
      instances: 2,
      running: 2,
      running_seconds: 14_400,
      on_demand: 0.4032,
      spot: 0.1613,
      cost: 0.4032,
      failed: 0,
      rate: 0.2016,
      forecast: 0.8064,
      cost_limit: null,
    },
    {
      job_id: 14,
      job_array_id: null,
      name: 'one',
      standalone: true,
      instances: 1,
      running: 0,
      running_seconds: 3_600,
      on_demand: 0.0104,
      spot: 0.0031,
      cost: 0.0031,
      failed: 0.0031,
      rate: 0,
      forecast: null,
      cost_limit: 10,
    },
  ]);
  expect(read.arrays[0].members[1]).toEqual({
    instance_id: 'i-00000000000000001',
    name: 'compute-1',
    job_array_index: 1,
    generation: 1,
    state: 'running',
    running_seconds: 7_200,
    on_demand: 0.2016,
    spot: 0.0806,
    cost: 0.2016,
    failed: 0,
  });
  expect(await runCli(['cost', '--json'], telling(two))).toEqual(json);
});

describe('what is asked for', () => {
  test.each<[string[], CostQuery]>([
    [[], {}],
    [['--tag', 'array:id=array-20260127-103000'], { tag: ['array:id=array-20260127-103000'] }],
    [['--job-array-name', 'compute', '--job', '12'], { arrayName: 'compute', job: '12' }],
    [['--job-array-id', 'array-xxx'], { arrayId: 'array-xxx' }],
    [['compute'], { job: 'compute' }],
    [['12'], { job: '12' }],
    [['i-00000000000000001'], { instance: 'i-00000000000000001' }],
  ])('%j', async (words, query) => {
    expect((await runCli(['cost', ...words], telling(aCost()))).calls).toEqual([['cost', query]]);
  });

  test('a name that is no job is that of an instance', async () => {
    const cost = async ({ job, instance }: CostQuery) => {
      if (job !== undefined) throw new SpawnError('JOB_NOT_FOUND', { ref: job });
      return instance === 'compute-1' ? aCost() : aCost({ arrays: [] });
    };
    const found = await runCli(['cost', 'compute-1'], { client: { cost } });
    expect(found.calls).toEqual([
      ['cost', { job: 'compute-1' }],
      ['cost', { instance: 'compute-1' }],
    ]);
    expect(await runCli(['cost', 'compute-9'], { client: { cost } })).toMatchObject({
      code: 66,
      out: '',
      err: 'spawn: instance "compute-9" not found\n',
    });
  });
});

describe('budget', () => {
  const client = (view: BudgetView) => ({ client: { budget: async () => view, setBudget: async () => view } });
  const none: BudgetView = { owner: '1000', period: 'total', spent: 1.5, rate: 0 };

  test('what is spent, and for how long the rest lasts', async () => {
    expect((await runCli(['budget'], client(aBudget()))).out).toBe(`Budget: $50.00 a month
  owner    1000
  spent    $12.30 (25%)
  left     $37.70, 3d03h of what runs now
  running  $0.50 an hour
  set      1970-01-01T00:00:00.000Z, 17m40s ago
`);
    const spent = aBudget({ amount: 10, period: 'total', rate: 0 });
    expect((await runCli(['budget', 'show'], client(spent))).out).toBe(`Budget: $10.00 in total
  owner  1000
  spent  $12.30 (123%)
  left   $0.00
  set    1970-01-01T00:00:00.000Z, 17m40s ago
`);
    expect((await runCli(['budget'], client(aBudget({ amount: 0, rate: 0 })))).out).toContain('  spent  $12.30\n');
    expect((await runCli(['budget'], client(none))).out).toBe('No budget\n  owner  1000\n  spent  $1.50\n');
    expect((await runCli(['budget'], client({ ...none, period: 'month', rate: 0.5 }))).out).toBe(
      'No budget\n  owner    1000\n  spent    $1.50 this month\n  running  $0.50 an hour\n',
    );
  });

  test.each<[string[], unknown[]]>([
    [
      ['set', '50'],
      ['setBudget', { amount: 50 }],
    ],
    [
      ['set', '$12.50', '--period', 'total'],
      ['setBudget', { amount: 12.5, period: 'total' }],
    ],
    [
      ['set', '0'],
      ['setBudget', { amount: 0 }],
    ],
    [['off'], ['setBudget', { amount: null }]],
    [['show'], ['budget']],
  ])('%j', async (words, call) => {
    expect((await runCli(['budget', ...words], client(none))).calls).toEqual([call]);
  });

  test.each<[string[], string | undefined]>([
    [['12'], '$12.30 is spent already: all that runs now ($0.50 an hour) ends for ever. Set it? [y/N] '],
    [
      ['0', '--period', 'total'],
      'Nothing may be spent then: all that runs now ($0.50 an hour) ends for ever. Set it? [y/N] ',
    ],
    [['12', '-y'], undefined],
    [['12.31'], undefined],
    [['1', '--period', 'total'], undefined],
  ])('set %j asks on a terminal before it ends what runs', async (words, question) => {
    const asked: string[] = [];
    const ask = async (text: string) => {
      asked.push(text);
      return 'n';
    };
    const ran = await runCli(['budget', 'set', ...words], { ...client(aBudget()), stdin: 'terminal', world: { ask } });
    expect(asked).toEqual(question === undefined ? [] : [question]);
    expect(ran.code).toBe(question === undefined ? 0 : 1);
    expect(ran.calls.some(([name]) => name === 'setBudget')).toBe(question === undefined);
  });

  test('-o json', async () => {
    expect(JSON.parse((await runCli(['budget', '-o', 'json'], client(aBudget()))).out)).toEqual({
      owner: '1000',
      currency: 'USD',
      amount: 50,
      period: 'month',
      spent: 12.3,
      left: 37.7,
      rate: 0.5,
      set_at: '1970-01-01T00:00:00.000Z',
    });
    expect(JSON.parse((await runCli(['budget', '-o', 'json'], client(none))).out)).toMatchObject({
      amount: null,
      left: null,
      set_at: null,
    });
  });
});
