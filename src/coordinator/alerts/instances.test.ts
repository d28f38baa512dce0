import { beforeEach, expect, test } from 'vitest';
import { AlertsAtHand, Mailbox } from '../../../test/support/alerts-at-hand.ts';
import { InstancesAtHand } from '../../../test/support/fake-instances.ts';
import { monthStart } from '../../core/instance-cost.ts';
import { rateOf } from '../../core/instance-types.ts';

const RATE = rateOf('t3.micro', 'local', false);
const DAY_MS = 86_400_000;
const WHILE_MS = 120_000;
/** What an instance costs in that time. */
const COST = (RATE * WHILE_MS) / 3_600_000;

let at: InstancesAtHand;
let alerts: AlertsAtHand;
let mailbox: Mailbox;

beforeEach(async () => {
  mailbox = new Mailbox();
  at = await InstancesAtHand.open({ alerts: { notifier: mailbox } });
  alerts = new AlertsAtHand();
  alerts.at = at.at;
  return () => expect(at.errors).toEqual([]);
});

/** What was told, once the loops of the coordinator have looked and sent. */
async function look(): Promise<string[]> {
  for (const ms of [5_000, 1_000, 1_000]) {
    await at.pass(ms);
    await at.settle();
  }
  return mailbox.subjects;
}

test('cost is told once a month, of who made the alert or of one array', async () => {
  const { clock } = at.at;
  clock.pass(monthStart(monthStart(clock.nowMs) + 40 * DAY_MS) - clock.nowMs + 1_000);
  await at.settle();
  await alerts.create({ events: ['cost'], cost: { amount: COST * 1.5 } });
  await alerts.create({ events: ['cost'], cost: { amount: COST * 1.5, period: 'total' }, filter: { job: '1' } });
  await alerts.create({ events: ['cost'], cost: { amount: COST * 1.5 }, filter: { owner: 'nobody' } });
  await at.submit({ array: '0-0' });
  await at.up();
  await at.agent('compute-0').start();
  await at.pass(WHILE_MS);
  expect(await look()).toEqual([]);
  await at.pass(WHILE_MS);
  const both = (await look()).toSorted().reverse();
  expect(both).toHaveLength(2);
  expect(both[0]).toMatch(/^spawn: what 1000 runs has cost \$0\.\d+, more than \$0\.0005$/);
  expect(both[1]).toMatch(/^spawn: job 1 has cost /);
  await at.pass(WHILE_MS);
  expect(await look()).toHaveLength(2);
});

test('what happens to an instance is told to who asked, in its own words', async () => {
  await alerts.create({ events: ['instance_failed', 'ended'] });
  await at.submit({ array: '0-0', notify: [{ channel: { kind: 'event' }, events: ['instance_lost'] }] });
  await at.up();
  await at.agent('compute-0').start();
  at.provider.machines.clear();
  at.agent('compute-0').worker.disconnect();
  await at.pass(WHILE_MS);
  const told = await look();
  const { events } = await at.at.coordinator.events(
    { owner: '1000', tenant: 'local', sameHost: true, role: 'admin' },
    { after: 0, limit: 100 },
  );
  const raised = events.filter(({ kind }) => kind === 'alertRaised').map(({ text }) => text);
  expect(raised).toEqual([expect.stringMatching(/^alert: instance compute-0 \(i-[0-9a-f]+\) of job 1 was lost/)]);
  expect(told.filter((subject) => /^spawn: job 1 \(compute\) failed/.test(subject))).toHaveLength(1);
  expect(told).toHaveLength(2);
});
