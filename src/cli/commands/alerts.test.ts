import { describe, expect, test } from 'vitest';
import { runCli } from '../../../test/support/cli-world.ts';
import { ALERT, DELIVERY } from '../../../test/support/fake-replies.ts';

const HOOK = 'https://hooks.slack.com/services/T0/B0/secret';
const create = (...words: string[]) =>
  runCli(['alerts', 'create', ...words], { client: { createAlert: () => ALERT }, world: { env: { SLACK: HOOK } } });
const sent = async (...words: string[]) => (await create(...words)).calls.map(([, request]) => request);

describe('alerts create', () => {
  test('as the documents say it', async () => {
    const ran = await create(
      'slack',
      '--webhook',
      HOOK,
      '--event',
      'array_complete',
      '--filter',
      'array:id=array-20260127-103000',
    );
    expect(ran).toMatchObject({ code: 0, out: 'alert 3: slack to https://hooks.slack.com/…, ended\n' });
    expect(ran.err).toContain('the URL was on a command line');
    expect(ran.calls).toEqual([
      [
        'createAlert',
        { channel: { kind: 'slack', url: HOOK }, events: ['array_complete'], filter: { job: 'array-20260127-103000' } },
      ],
    ]);
    const cost = await runCli(['alerts', 'create', 'cost', '--threshold', '50.00'], {
      client: { createAlert: () => ({ ...ALERT, channel: { kind: 'event', target: 'spawn events' } }) },
    });
    expect(cost.err).toContain('it is recorded');
    expect(cost.calls).toEqual([
      ['createAlert', { channel: { kind: 'event' }, events: ['cost'], filter: {}, cost: { amount: 50 } }],
    ]);
  });

  test.each([
    [
      ['slack', '--webhook', 'file:/run/hook'],
      { channel: { kind: 'slack', url: { file: '/run/hook' } }, events: ['ended'] },
    ],
    [['slack', '--webhook', 'env:SLACK'], { channel: { kind: 'slack', url: HOOK } }],
    [
      [
        'email',
        '--to',
        'a@b.c',
        '--to',
        'd@e.f',
        '--event',
        'failed,first-failure',
        '--event',
        'start',
        '--name',
        'me',
      ],
      { channel: { kind: 'email', to: ['a@b.c', 'd@e.f'] }, events: ['failed', 'first_failure', 'start'], name: 'me' },
    ],
    [
      [
        'webhook',
        '--webhook',
        'https://h/',
        '--secret',
        'file:/k',
        '--filter',
        'name=fit-*',
        '--filter',
        'owner=*',
        '--filter',
        'state=failed,cancelled',
      ],
      {
        channel: { kind: 'webhook', url: 'https://h/', secret: { file: '/k' } },
        filter: { name: 'fit-*', owner: '*', states: ['failed', 'cancelled'] },
      },
    ],
    [
      ['command', '--after', '12h', '--max-per-hour', '5', '--', 'notify-send', '-u', 'low'],
      {
        channel: { kind: 'command', argv: ['notify-send', '-u', 'low'], timeLimitMs: 60_000 },
        events: ['long_running'],
        longRunningMs: 43_200_000,
        maxPerHour: 5,
      },
    ],
    [['email', '--to', 'a@b.c', '--threshold', '10'], { events: ['threshold'], threshold: { failures: 10 } }],
    [['email', '--to', 'a@b.c', '--threshold', '5%'], { threshold: { failedPart: 0.05 } }],
    [['email', '--to', 'a@b.c', '--threshold', 'progress=50%'], { threshold: { progress: 0.5 } }],
    [
      ['cost', '--threshold', '$5', '--period', 'total', '--to', 'a@b.c'],
      { channel: { kind: 'email', to: ['a@b.c'] }, events: ['cost'], cost: { amount: 5, period: 'total' } },
    ],
    [['cost', '--threshold', '5', '--webhook', HOOK], { channel: { kind: 'slack', url: HOOK } }],
    [['cost', '--threshold', '5', '--webhook', 'https://h/'], { channel: { kind: 'webhook', url: 'https://h/' } }],
  ])('%j', async (words, request) => {
    expect(await sent(...words)).toMatchObject([request]);
  });

  test.each([
    [['slack'], '--webhook: expected a URL'],
    [['slack', '--webhook', 'env:NOPE'], '--webhook: expected a URL in the variable NOPE'],
    [['slack', '--webhook', 'file:hook'], 'file: and an absolute path'],
    [['slack', '--webhook', HOOK, '--secret', 'file:/k'], '--secret: expected none'],
    [['webhook', '--webhook', HOOK, '--secret', 'hunter2'], '--secret: expected env:NAME or file:PATH'],
    [['email'], '--to: expected an address'],
    [['email', '--to', 'a@b.c', '--webhook', HOOK], '--webhook: expected none'],
    [['slack', '--webhook', HOOK, '--to', 'a@b.c'], '--to: expected none'],
    [['email', '--to', 'a@b.c', '--event', 'complted'], 'did you mean "completed"?'],
    [['email', '--to', 'a@b.c', '--filter', 'arry:id=1'], 'did you mean "array:id"?'],
    [['email', '--to', 'a@b.c', '--filter', 'name='], '--filter: expected name=VALUE'],
    [['email', '--to', 'a@b.c', '--filter', 'state=done'], '--filter: expected completed'],
    [['email', '--to', 'a@b.c', '--threshold', '0'], '--threshold: expected 10 (failed tasks)'],
    [['email', '--to', 'a@b.c', '--threshold', '200%'], '--threshold'],
    [['email', '--to', 'a@b.c', '--period', 'month'], '--period: expected alerts create cost'],
    [['email', '--to', 'a@b.c', '--', 'true'], '--: expected nothing'],
    [['command'], '--: expected a command'],
    [['cost'], '--threshold: expected an amount in USD'],
    [['cost', '--threshold', '5%'], '--threshold: expected an amount in USD'],
    [['pager'], 'expected slack, email, webhook, command, cost, found "pager"'],
    [[], 'found nothing'],
  ])('%j is refused', async (words, message) => {
    const ran = await create(...words);
    expect(ran).toMatchObject({ code: 2, out: '', calls: [] });
    expect(ran.err).toContain(message);
    expect(ran.err).not.toContain('hunter2');
    expect(ran.err).not.toContain('secret"');
  });
});

test.each([
  [['list', '--to', 'a@b.c'], '--to with create only'],
  [['create', 'email', '--to', 'a@b.c', '--all'], '--all with list and history only'],
  [['list', '3'], 'expected nothing more'],
  [['list', '--limit', '3'], '--limit with history only'],
  [['test'], 'expected the number of an alert, found nothing'],
  [['delete', 'mine'], 'expected the number of an alert, found "mine"'],
  [['history', '--', 'x'], '-- with create command only'],
  [['make'], 'expected create, list, test, delete, history'],
])('%j is refused', async (words, message) => {
  const ran = await runCli(['alerts', ...words], { client: {} });
  expect(ran).toMatchObject({ code: 2, calls: [] });
  expect(ran.err).toContain(message);
});

test('list shows page after page', async () => {
  const alerts = ({ before }: { before?: number }) =>
    before === undefined
      ? { alerts: [{ ...ALERT, name: 'a\tb', threshold: { failures: 2 }, events: ['threshold', 'ended'] }], next: 3 }
      : { alerts: [{ ...ALERT, id: 1, filter: {}, pending: 2 }] };
  const ran = await runCli(['alerts', 'list', '-a'], { client: { alerts: alerts as never } });
  expect(ran.calls).toEqual([
    ['alerts', { all: '1' }],
    ['alerts', { all: '1', before: 3 }],
  ]);
  expect(
    ran.out
      .split('\n')
      .slice(0, 2)
      .map((line) => line.split('\t')),
  ).toEqual([
    ['3', 'a\\tb', '1000', 'slack', 'https://hooks.slack.com/…', 'threshold (2 failed tasks), ended', 'job=12', '0'],
    ['1', '', '1000', 'slack', 'https://hooks.slack.com/…', 'ended', 'own jobs', '2'],
  ]);
  const json = await runCli(['alerts', 'list', '-o', 'json'], { client: { alerts: () => ({ alerts: [ALERT] }) } });
  expect(JSON.parse(json.out)).toMatchObject([{ id: 3, channel: 'slack', filter: { job: '12' }, threshold: null }]);
});

test('history stops at its limit', async () => {
  const deliveries = () => ({
    deliveries: [DELIVERY, DELIVERY, { ...DELIVERY, alert: undefined, state: 'failed', reason: 'no' }],
    next: 1,
  });
  const ran = await runCli(['alerts', 'history', '3', '-n', '5'], { client: { deliveries: deliveries as never } });
  expect(ran.calls.map(([, query]) => query)).toEqual([
    { all: '0', alert: 3, limit: 5 },
    { all: '0', alert: 3, limit: 5, before: 1 },
  ]);
  const lines = ran.out.trim().split('\n');
  expect(lines).toHaveLength(5);
  expect(lines[2]).toMatch(/\t-\t12\tended\t.*\tfailed\t1\tspawn: job 12 \(sweep\) completed: 10 tasks: no$/);
});

test.each([
  [{}, 0, 'delivered: slack to https://hooks.slack.com/…\n'],
  [
    { state: 'failed', reason: 'no such hook' },
    1,
    'not delivered after 1 attempt: slack to https://hooks.slack.com/…: no such hook\n',
  ],
  [{ state: 'waiting', reason: 'busy', nextAt: 9e15 }, 1, /^not delivered yet: .*: busy; tried again in /],
  [{ state: 'waiting', attempts: 0 }, 1, /tried again now\n$/],
] as const)('test tells what became of it: %j', async (parts, code, out) => {
  const ran = await runCli(['alerts', 'test', '3'], { client: { testAlert: () => ({ ...DELIVERY, ...parts }) } });
  expect(ran.code).toBe(code);
  if (typeof out === 'string') expect(ran.out).toBe(out);
  else expect(ran.out).toMatch(out);
});

test('delete says what is not sent any more', async () => {
  const ran = await runCli(['alerts', 'delete', '3'], { client: { deleteAlert: () => ({ ...ALERT, pending: 4 }) } });
  expect(ran.calls).toEqual([['deleteAlert', 3]]);
  expect(ran.out).toBe(
    'deleted alert 3: slack to https://hooks.slack.com/…; what it had not sent is not sent any more (4)\n',
  );
});
