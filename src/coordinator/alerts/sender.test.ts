import { beforeEach, describe, expect, test } from 'vitest';
import { AlertsAtHand } from '../../../test/support/alerts-at-hand.ts';
import { CALLER } from '../../../test/support/ledger-at-hand.ts';
import { MAX_ATTEMPTS } from '../../core/alert-pace.ts';
import type { Sent } from '../../notify/notify.ts';

const HOUR_MS = 3_600_000;
let alerts: AlertsAtHand;

beforeEach(async () => {
  alerts = await AlertsAtHand.open();
  alerts.at.random = 0.5;
  return () => expect(alerts.errors).toEqual([]);
});

describe('a message that is not delivered', () => {
  test('is tried again later each time, under the same id, also after a restart', async () => {
    let answers: Sent[] = [
      { kind: 'later', reason: 'busy' },
      { kind: 'later', reason: 'busy', afterMs: 60_000 },
    ];
    alerts.mailbox.answer = () => answers.shift() ?? { kind: 'sent', note: 'one was refused' };
    await alerts.create();
    await alerts.run({});
    await alerts.send();
    expect(await alerts.history()).toMatchObject([{ state: 'waiting', attempts: 1, reason: 'busy' }]);
    await alerts.pass(4_999);
    expect(alerts.mailbox.letters).toHaveLength(1);
    await alerts.restart();
    await alerts.pass(1);
    expect(alerts.mailbox.letters).toHaveLength(2);
    await alerts.pass(59_999);
    expect(alerts.mailbox.letters).toHaveLength(2);
    await alerts.pass(1);
    expect(await alerts.history()).toMatchObject([{ state: 'delivered', attempts: 3, reason: 'one was refused' }]);
    expect(new Set(alerts.mailbox.letters.map(({ id }) => id)).size).toBe(1);
    answers = [];
  });

  test('is given up after so many times, which is told in the history and the events', async () => {
    alerts.mailbox.answer = () => ({ kind: 'later', reason: 'nobody there' });
    await alerts.create();
    await alerts.run({});
    await alerts.send();
    for (let i = 0; i < 30; i++) await alerts.pass(HOUR_MS);
    expect(alerts.mailbox.letters).toHaveLength(MAX_ATTEMPTS);
    expect(await alerts.history()).toMatchObject([{ state: 'failed', attempts: MAX_ATTEMPTS, reason: 'nobody there' }]);
    const { events } = await alerts.at.coordinator.events(CALLER, { after: 0, limit: 100 });
    expect(events.at(-1)).toMatchObject({
      kind: 'alertFailed',
      text: 'alert 1: not delivered to a@b.c after 15 attempts: nobody there',
    });
  });

  test('for good is not tried again', async () => {
    alerts.mailbox.answer = () => ({ kind: 'never', reason: 'no such address' });
    await alerts.create();
    await alerts.run({});
    await alerts.send();
    await alerts.pass(9 * HOUR_MS);
    expect(alerts.mailbox.letters).toHaveLength(1);
    expect(await alerts.history()).toMatchObject([{ state: 'failed', attempts: 1 }]);
  });

  test('keeps no other receiver waiting', async () => {
    let goOn = () => {};
    const slow = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    await alerts.create({ channel: { kind: 'email', to: ['slow@b.c'] } });
    await alerts.create({ channel: { kind: 'email', to: ['fast@b.c'] } });
    alerts.mailbox.answer = async ({ facts }) => {
      if (facts.alert === 1) await slow;
      return { kind: 'sent' };
    };
    for (let i = 0; i < 5; i++) await alerts.run({});
    await alerts.at.ledger.idle();
    for (let i = 0; i < 5; i++) {
      await alerts.sender.runOnce();
      await alerts.at.ledger.idle();
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    const to = (alert: number) => alerts.mailbox.letters.filter(({ facts }) => facts.alert === alert).length;
    expect([to(1), to(2)]).toEqual([2, 5]);
    goOn();
    await alerts.sender.settled();
    await alerts.send();
    expect(to(1)).toBe(5);
  });

  test('is broken off by a stop, and sent in the next life', async () => {
    await alerts.create();
    await alerts.run({});
    await alerts.at.ledger.idle();
    alerts.mailbox.send = async (channel, letter, signal) => {
      alerts.mailbox.letters.push({ ...letter, channel });
      return await new Promise<Sent>((resolve) => {
        signal.addEventListener('abort', () => resolve({ kind: 'later', reason: 'the coordinator stopped' }));
      });
    };
    await alerts.sender.runOnce();
    while (alerts.mailbox.letters.length === 0) await new Promise<void>((resolve) => setImmediate(resolve));
    await alerts.sender.stop();
    await alerts.sender.runOnce();
    expect(await alerts.history()).toMatchObject([{ state: 'waiting', attempts: 0 }]);
    alerts.mailbox.send = async (channel, letter) => {
      alerts.mailbox.letters.push({ ...letter, channel });
      return { kind: 'sent' };
    };
    await alerts.restart();
    await alerts.send();
    expect(await alerts.history()).toMatchObject([{ state: 'delivered', attempts: 1 }]);
    expect(alerts.mailbox.letters).toHaveLength(2);
  });
});

test('what is recorded only is an event', async () => {
  await alerts.create({ channel: { kind: 'event' }, events: ['completed'] });
  await alerts.run({ name: 'fit' });
  await alerts.send();
  const { events } = await alerts.at.coordinator.events(CALLER, { after: 0, limit: 100 });
  expect(events.at(-1)).toMatchObject({
    kind: 'alertRaised',
    jobId: 1,
    text: 'alert 1: job 1 (fit) completed after 0ms: 1 task',
  });
});

test('nothing is sent while what became of it cannot be written down', async () => {
  let full = false;
  alerts = await AlertsAtHand.open({ hooks: { beforeCommit: () => (full ? 'fail' : 'ok') } });
  await alerts.create();
  await alerts.run({});
  full = true;
  await alerts.at.submit({}).catch(() => {});
  await alerts.send();
  expect(alerts.mailbox.letters).toEqual([]);
  full = false;
  alerts.at.ledger.reopen();
  await alerts.send();
  expect(alerts.mailbox.letters).toHaveLength(1);
});

test('history is listed page by page, of an alert, a job or an owner', async () => {
  await alerts.create({});
  await alerts.create({ events: ['completed'] });
  for (let i = 0; i < 2; i++) await alerts.run({});
  const read = async (query: object, caller = CALLER) => {
    const { deliveries, next } = await alerts.at.coordinator.deliveries(caller, { all: '0', limit: 100, ...query });
    return { of: deliveries.map(({ alert, job }) => `${alert}/${job}`), next };
  };
  expect(await read({})).toEqual({ of: ['2/2', '1/2', '2/1', '1/1'], next: undefined });
  const first = await read({ limit: 3 });
  expect(first.of).toEqual(['2/2', '1/2', '2/1']);
  expect(await read({ limit: 3, before: first.next })).toEqual({ of: ['1/1'], next: undefined });
  expect((await read({ alert: 2 })).of).toEqual(['2/2', '2/1']);
  expect((await read({ job: 1 })).of).toEqual(['2/1', '1/1']);
  const other = { ...CALLER, owner: 'ada' };
  expect((await read({}, other)).of).toEqual([]);
  expect((await read({ all: '1' }, other)).of).toHaveLength(4);
});
