import { beforeEach, describe, expect, test } from 'vitest';
import { AlertsAtHand } from '../../../test/support/alerts-at-hand.ts';
import { CALLER, WorkerAtHand } from '../../../test/support/ledger-at-hand.ts';
import type { NotifyRuleInput } from '../../api/alert.ts';
import { JobSpec } from '../../api/job-spec.ts';
import type { Caller } from '../use-cases.ts';
import { watchAlerts } from './watch.ts';

const ADA: Caller = { owner: 'ada', tenant: 'local', sameHost: false, role: 'submit', token: 2 };
const MAIL: NotifyRuleInput['channel'] = { kind: 'email', to: ['a@b.c'] };
const rule = (...events: NotifyRuleInput['events']): NotifyRuleInput => ({ channel: MAIL, events });

let alerts: AlertsAtHand;

beforeEach(async () => {
  alerts = await AlertsAtHand.open();
  return () => expect(alerts.errors).toEqual([]);
});

describe('rules of a job', () => {
  test('one message tells of the whole array', async () => {
    await alerts.run({ array: '0-9', notify: [rule('completed', 'failed')] }, 3);
    await alerts.send();
    expect(alerts.mailbox.subjects).toEqual(['spawn: job 1 (true) failed after 0ms: 3 failed of 10 tasks']);
    const [letter] = alerts.mailbox.letters;
    expect(letter!.text).toContain('failures:       exit 3: 3\n  failed indices: 0-2\n');
    expect(letter!.facts).toMatchObject({
      event: 'failed',
      total: 1,
      job: { id: 1, counts: { completed: 7, failed: 3 } },
    });
    expect(await alerts.history()).toMatchObject([{ state: 'delivered', attempts: 1, job: 1, event: 'failed' }]);
    await alerts.pass(86_400_000);
    expect(alerts.mailbox.letters).toHaveLength(1);
  });

  test('start, first failure and thresholds come once each, in order', async () => {
    const notify: NotifyRuleInput[] = [
      { ...rule('start', 'first_failure', 'threshold', 'ended'), threshold: { failures: 4 } },
      { ...rule('threshold'), threshold: { progress: 0.5 } },
    ];
    const id = await alerts.at.submit({ array: '0-9', notify });
    alerts.worker = await WorkerAtHand.join(alerts.at, { resources: { cpus: 100, memoryBytes: 2 ** 30 } });
    await alerts.worker.start(id, 0, 1);
    await alerts.send();
    for (const [positions, outcome] of [
      [[0], 3],
      [[1, 2], 3],
      [[3, 4], 3],
      [[5], 3],
      [[6, 7, 8, 9], 0],
    ] as const) {
      await alerts.worker.end(id, positions, outcome);
      await alerts.send();
    }
    expect(alerts.mailbox.subjects).toEqual([
      'spawn: job 1 (true) started: 10 tasks',
      'spawn: first failure of job 1 (true): task 1_0, exit 3',
      'spawn: job 1 (true) has reached 4 failed tasks',
      'spawn: job 1 (true) has reached 50 % of its tasks',
      'spawn: job 1 (true) failed after 0ms: 6 failed of 10 tasks',
    ]);
  });

  test('a message for each failed task comes when it is asked for', async () => {
    await alerts.run({ array: '0-3', notify: [rule('task_failed')] }, 2);
    await alerts.send();
    expect(alerts.mailbox.subjects).toEqual([
      'spawn: task 1_0 of job 1 (true) failed: exit 3',
      'spawn: task 1_1 of job 1 (true) failed: exit 3',
    ]);
  });

  test('a task that is tried again has not failed', async () => {
    await alerts.run({ array: '0-1', retries: 1, notify: [rule('task_failed', 'first_failure')] }, 2);
    await alerts.send();
    expect(alerts.mailbox.subjects).toEqual([]);
    await alerts.finish(1, 2);
    await alerts.send();
    expect(alerts.mailbox.subjects).toHaveLength(3);
  });

  test('a job that is retried tells of its next end too', async () => {
    await alerts.run({ array: '0-1', notify: [rule('ended')] }, 1);
    await alerts.at.coordinator.retry(CALLER, '1', {});
    alerts.at.clock.pass(5);
    await alerts.finish(1);
    await alerts.send();
    expect(alerts.mailbox.subjects.map((subject) => subject.split(' ')[4])).toEqual(['failed', 'completed']);
  });

  test('a job that runs long is told of once, also after a restart', async () => {
    const id = await alerts.at.submit({ notify: [{ ...rule('long_running'), longRunningMs: 60_000 }] });
    alerts.worker = await WorkerAtHand.join(alerts.at);
    await alerts.worker.start(id, 0);
    await watchAlerts(alerts.at.ledger);
    await alerts.send();
    expect(alerts.mailbox.subjects).toEqual([]);
    alerts.at.clock.pass(61_000);
    for (let i = 0; i < 2; i++) {
      await watchAlerts(alerts.at.ledger);
      await alerts.send();
      await alerts.restart();
    }
    expect(alerts.mailbox.subjects).toEqual(['spawn: job 1 (true) has run for 1m01s']);
  });

  test("Slurm's mail is sent when mail is set up", async () => {
    await alerts.run({ name: 'fit', user: 'ada', slurm: { mailType: ['BEGIN', 'END'] } });
    await alerts.run({ name: 'fit2', slurm: { mailType: ['FAIL'], mailUser: 'bob@x.org' } }, 1);
    await alerts.run({ name: 'fit3', slurm: { mailUser: 'bob@x.org' } }, 1);
    await alerts.send();
    expect(
      alerts.mailbox.letters.map(({ channel, subject }) => [channel, subject.split(' ').slice(3, 5).join(' ')]),
    ).toEqual([
      [{ kind: 'email', to: ['ada@example.org'] }, '(fit) started:'],
      [{ kind: 'email', to: ['ada@example.org'] }, '(fit) completed'],
      [{ kind: 'email', to: ['bob@x.org'] }, '(fit2) failed'],
    ]);
  });
});

describe('workflows', () => {
  const job = (key: string, parts: object = {}) => ({
    key,
    spec: JobSpec.parse({ run: { kind: 'argv', argv: ['true'] }, cwd: '/', ...parts }),
    onFailure: 'continue' as const,
  });

  test('are told of once, when their last job has ended, with what became of all of them', async () => {
    const notify = [rule('workflow_ended')];
    await alerts.create({ events: ['workflow_ended'], filter: { workflow: 'etl' } });
    await alerts.create({ events: ['workflow_ended'], filter: { workflow: 'other' } });
    await alerts.at.coordinator.submitWorkflow(CALLER, {
      name: 'etl',
      jobs: [job('a', { notify }), job('b', { notify }), job('c', { notify, after: 'afterok:@a' })],
    });
    await alerts.finish(2);
    alerts.at.evictAll();
    await alerts.send();
    expect(alerts.mailbox.subjects).toEqual([]);
    await alerts.finish(1, 1);
    await alerts.send();
    expect(alerts.mailbox.subjects).toEqual(
      Array(2).fill('spawn: workflow 1 (etl) ended: 1 completed, 1 failed and 1 skipped of 3 jobs'),
    );
    expect(alerts.mailbox.letters[0]!.text).toContain('not completed:  job 1 (a) failed, job 3 (c) skipped');
  });
});

describe('alerts', () => {
  test('are about jobs of who made them, or of whom the filter says', async () => {
    await alerts.create({ name: 'mine' }, ADA);
    await alerts.create({ events: ['completed'], filter: { owner: '*', name: 'f*t' } }, ADA);
    await alerts.create({ filter: { states: ['failed'] } });
    await alerts.run({ name: 'fat' });
    await alerts.run({ name: 'other' }, 1);
    await alerts.send();
    expect(alerts.mailbox.letters.map(({ facts }) => [facts.alert, (facts.job as { name: string }).name])).toEqual([
      [2, 'fat'],
      [3, 'other'],
    ]);
  });

  test('that name a job tell of that one, also when it has ended already', async () => {
    await alerts.run({ name: 'first' });
    const { arrayId } = await alerts.at.coordinator.job(CALLER, '1');
    alerts.at.evictAll();
    await alerts.create({ events: ['array_complete'], filter: { job: arrayId } }, ADA);
    await alerts.create({ events: ['failed'], filter: { job: '1' } });
    await alerts.create({ events: ['ended'], filter: { job: '2' } });
    await alerts.run({ name: 'second' });
    await alerts.send();
    expect(alerts.mailbox.subjects.map((subject) => subject.split(' ')[3])).toEqual(['(first)', '(second)']);
  });

  test('of which one is deleted send nothing more', async () => {
    const { id } = await alerts.create();
    await alerts.run({});
    await alerts.at.coordinator.deleteAlert(CALLER, id);
    await alerts.run({});
    await alerts.send();
    expect(alerts.mailbox.letters).toEqual([]);
    expect(await alerts.history()).toMatchObject([{ state: 'dropped', reason: 'its alert was deleted' }]);
    expect((await alerts.at.coordinator.alerts(CALLER, { all: '1', limit: 9 })).alerts).toEqual([]);
    await alerts.restart();
    expect((await alerts.create()).id).toBe(id + 1);
  });

  test('gather what is more than they may send in an hour', async () => {
    await alerts.create({ maxPerHour: 2 });
    for (let i = 0; i < 30; i++) await alerts.run({});
    await alerts.send();
    expect(alerts.mailbox.letters).toHaveLength(2);
    await alerts.pass(1_800_000);
    expect(alerts.mailbox.letters).toHaveLength(3);
    const last = alerts.mailbox.letters[2]!;
    expect(last.subject).toContain('(and 27 more)');
    expect(last.text).toContain('8 more of the same kind are left out.');
    expect(last.facts).toMatchObject({ total: 28 });
    expect((last.facts.notices as unknown[]).length).toBe(20);
  });

  test('are listed page by page, own ones or all', async () => {
    for (let i = 0; i < 3; i++) await alerts.create({}, i === 1 ? ADA : CALLER);
    const { coordinator } = alerts.at;
    const ids = async (query: object, caller = CALLER) => {
      const { alerts: list, next } = await coordinator.alerts(caller, { all: '0', limit: 1, ...query });
      return [...list.map(({ id }) => id), next];
    };
    expect(await ids({})).toEqual([3, 3]);
    expect(await ids({ before: 3 })).toEqual([1, undefined]);
    expect(await ids({ all: '1', limit: 2 })).toEqual([3, 2, 2]);
    expect(await ids({}, ADA)).toEqual([2, undefined]);
  });

  test('are changed by their owner and admins alone', async () => {
    const { id } = await alerts.create();
    const own = await alerts.create({}, ADA);
    await expect(alerts.at.coordinator.deleteAlert(ADA, id)).rejects.toMatchObject({ code: 'NOT_PERMITTED' });
    await expect(alerts.at.coordinator.deleteAlert(ADA, 99)).rejects.toMatchObject({ code: 'ALERT_NOT_FOUND' });
    await alerts.at.coordinator.deleteAlert(CALLER, own.id);
  });
});

describe('what is refused', () => {
  const HOOK = 'https://hooks.slack.com/services/T0/B0/topsecret';
  test.each([
    ['a command of one who is no admin', { channel: { kind: 'command', argv: ['true'] } }, 'NOT_PERMITTED'],
    ['a secret of the coordinator', { channel: { kind: 'slack', url: { env: 'TOKEN' } } }, 'BAD_REQUEST'],
    [
      'one as the key of a signature',
      { channel: { kind: 'webhook', url: HOOK, secret: { file: '/etc/key' } } },
      'BAD_REQUEST',
    ],
    ['another protocol', { channel: { kind: 'webhook', url: 'file:///etc/passwd' } }, 'BAD_REQUEST'],
    ['a URL with a password', { channel: { kind: 'webhook', url: 'https://a:b@example.org' } }, 'BAD_REQUEST'],
    ['a threshold without its event', { threshold: { failures: 1 } }, 'BAD_REQUEST'],
    ['its event without a threshold', { events: ['threshold'] }, 'BAD_REQUEST'],
    ['long_running without a time', { events: ['long_running'] }, 'BAD_REQUEST'],
    ['cost without an amount', { events: ['cost'] }, 'BAD_REQUEST'],
  ] as const)('%s', async (_, request, code) => {
    const refused = await alerts.create(request as object, ADA).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code });
    expect(JSON.stringify(refused)).not.toContain('topsecret');
    expect((await alerts.at.coordinator.alerts(CALLER, { all: '1', limit: 9 })).alerts).toEqual([]);
  });

  test.each([
    [[{ channel: { kind: 'slack', url: HOOK }, events: ['ended'] }], 'spec.notify[0].channel.url'],
    [[rule('ended'), rule('cost')], 'spec.notify[1].events'],
    [[rule('threshold')], 'spec.notify[0].threshold'],
  ] as const)('in a spec, %#', async (notify, where) => {
    const refused = await alerts.at.submit({ notify: notify as never }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'BAD_REQUEST', details: { where } });
    expect(JSON.stringify(refused)).not.toContain('topsecret');
  });

  test('a shared secret may be used by everybody', async () => {
    alerts = await AlertsAtHand.open({}, new Set(['env:SLACK']));
    const view = await alerts.create({ channel: { kind: 'slack', url: { env: 'SLACK' } } }, ADA);
    expect(view.channel).toEqual({ kind: 'slack', target: 'env:SLACK' });
  });

  test('a URL is given back shortened, wherever it is told of', async () => {
    await alerts.create({ channel: { kind: 'slack', url: HOOK } });
    alerts.mailbox.answer = () => ({ kind: 'never', reason: 'no' });
    await alerts.run({});
    await alerts.send();
    const { coordinator } = alerts.at;
    const told = JSON.stringify([
      await coordinator.alerts(CALLER, { all: '1', limit: 9 }),
      await alerts.history(),
      await coordinator.events(CALLER, { after: 0, limit: 100 }),
      await coordinator.deleteAlert(CALLER, 1),
    ]);
    expect(told).toContain('https://hooks.slack.com/…');
    expect(told).not.toContain('topsecret');
    // What is left of it in the store after the delete.
    expect(JSON.stringify([...alerts.at.disk.content.alerts.values()])).not.toContain('topsecret');
  });
});
