import { constants } from 'node:os';
import { expect, test } from 'vitest';
import type { GangMessage, MemberEndMessage, MemberMessage } from '../api/gang.ts';
import { Members } from './members.ts';
import { Occupancy } from './occupancy.ts';
import { Outbox } from './outbox.ts';
import type { StepPlaces } from './step-places.ts';

const { SIGSTOP, SIGCONT } = constants.signals;

/** Places for steps that do what a test says. */
class ScriptedPlaces implements StepPlaces {
  readonly calls: unknown[] = [];
  admitting = () => Promise.resolve({ address: 'here', port: 7 });
  releasing = () => Promise.resolve();

  admit({ fence }: MemberMessage, devices: readonly number[]) {
    this.calls.push(['admit', fence, [...devices]]);
    return this.admitting();
  }

  release(fence: number) {
    this.calls.push(['release', fence]);
    return this.releasing();
  }

  gangReady({ fence }: GangMessage) {
    this.calls.push(['ready', fence]);
  }

  signal(fence: number, signal: number) {
    this.calls.push(['signal', fence, signal]);
  }

  close() {
    this.calls.push(['close']);
    return Promise.resolve();
  }
}

const member = (fence: number, more: Partial<MemberMessage> = {}): MemberMessage => ({
  ...{ type: 'member', n: 1, fence, rank: 1, job: 4, position: 0, attempt: 1, secret: 'ab'.repeat(32) },
  ...{ cpus: 2, memoryBytes: 100, gpus: 1, whole: false, tasks: 2, nodes: [] },
  ...more,
});
const over = (fence: number, count = 1): MemberEndMessage => ({ type: 'memberEnd', n: 2, fences: [[fence, count]] });
const settled = () => new Promise((resolve) => setImmediate(resolve));

function setUp(steps: StepPlaces | undefined = new ScriptedPlaces()) {
  const outbox = new Outbox();
  const occupancy = new Occupancy({ cpus: 4, memoryBytes: 1_000, gpus: 2, named: { disk: 2 } });
  const lines: string[] = [];
  let changes = 0;
  const members = new Members({
    ...{ steps, occupancy, outbox },
    resourcesOf: () => ({ disk: 1 }),
    onChange: () => {
      changes++;
    },
    log: (line) => lines.push(line),
  });
  outbox.membersHeld = () => members.fences();
  const said = () => outbox.take(1, 0, 0, () => []).members;
  const needs = { cpus: 4, memoryBytes: 0, gpuShares: 0, named: new Map() };
  return { members, outbox, occupancy, lines, said, fitsAll: () => occupancy.fits(needs), changes: () => changes };
}

test('holds its share until its steps are gone, and says where they go', async () => {
  const places = new ScriptedPlaces();
  const { members, outbox, said, fitsAll } = setUp(places);
  members.take(member(9));
  expect([members.count, fitsAll()]).toEqual([1, false]);
  await settled();
  expect([outbox.urgent, said()]).toEqual([true, [{ fence: 9, address: 'here', port: 7 }]]);
  const gone = Promise.withResolvers<void>();
  places.releasing = () => gone.promise;
  members.take(over(8, 3));
  expect([members.count, members.fences()]).toEqual([1, []]);
  gone.resolve();
  await settled();
  expect([members.count, fitsAll(), places.calls]).toEqual([
    0,
    true,
    [
      ['admit', 9, [0]],
      ['release', 9],
    ],
  ]);
  members.take(over(9));
  await members.close();
  expect(places.calls.at(-1)).toEqual(['close']);
});

test('told again it answers the same, once', async () => {
  const places = new ScriptedPlaces();
  const { members, said, outbox } = setUp(places);
  members.take(member(9));
  members.take(member(9));
  await settled();
  expect(said()).toHaveLength(1);
  members.take(member(9));
  expect([said(), places.calls.length, members.count]).toEqual([[{ fence: 9, address: 'here', port: 7 }], 1, 1]);
  outbox.resync = true;
  expect(outbox.take(2, 0, 0, () => []).heldMembers).toEqual([9]);
});

test('of a whole worker it has everything', async () => {
  const { members, occupancy } = setUp();
  members.take(member(9, { whole: true }));
  expect([occupancy.isOpen, occupancy.members]).toEqual([false, 1]);
  members.take(over(9));
  await settled();
  expect([occupancy.isOpen, occupancy.members]).toEqual([true, 0]);
});

test('without a place for steps it fails, and keeps its share until it is over', async () => {
  const places = new ScriptedPlaces();
  places.admitting = () => Promise.reject(new Error('no port is free'));
  const { members, said, lines } = setUp(places);
  members.take(member(9));
  await settled();
  expect([said(), lines, members.count]).toEqual([
    [{ fence: 9, failed: 'no port is free' }],
    ['no place for the steps of job 4: no port is free'],
    1,
  ]);
  const none = setUp(undefined as never);
  const bare = new Members({ ...none, steps: undefined, resourcesOf: () => ({}), onChange: () => {}, log: () => {} });
  bare.take(member(3));
  await settled();
  expect([none.said(), bare.count]).toEqual([[{ fence: 3, failed: 'this worker starts no steps' }], 0]);
});

test('over while its place is made it says nothing, and one that cannot be ended is free all the same', async () => {
  const places = new ScriptedPlaces();
  const made = Promise.withResolvers<{ address: string; port: number }>();
  places.admitting = () => made.promise;
  places.releasing = () => Promise.reject(new Error('busy'));
  const { members, said, lines } = setUp(places);
  members.take(member(9));
  members.take(over(9));
  await settled();
  expect(places.calls).toEqual([['admit', 9, [0]]]);
  made.resolve({ address: 'here', port: 1 });
  await settled();
  expect([said(), members.count, lines]).toEqual([
    undefined,
    0,
    ['the steps of an attempt could not be ended: Error: busy'],
  ]);
});

test('signals, suspends and resumes what runs of its steps', async () => {
  const places = new ScriptedPlaces();
  const { members } = setUp(places);
  members.take(member(9));
  const fences: [number, number][] = [[5, 10]];
  members.pass({ type: 'signal', n: 3, fences, signal: 10, mainOnly: false, steps: true });
  members.pass({ type: 'signal', n: 4, fences, signal: 12, mainOnly: true });
  members.pass({ type: 'suspend', n: 5, fences });
  members.pass({ type: 'resume', n: 6, fences: [[9, 1]] });
  members.pass({ type: 'resume', n: 7, fences: [[10, 1]] });
  expect(places.calls.slice(1)).toEqual([10, SIGSTOP, SIGCONT].map((signal) => ['signal', 9, signal]));
});

test('where the others are is passed on while the task is here', () => {
  const places = new ScriptedPlaces();
  const { members, outbox } = setUp(places);
  const gang = (fence: number): GangMessage => ({ type: 'gang', n: 1, fence, secret: 'ab'.repeat(32), nodes: [] });
  members.take(gang(5));
  outbox.held.add(5, 1);
  members.take(gang(5));
  expect(places.calls).toEqual([['ready', 5]]);
});

test('a worker that goes fails its members, each once, and makes no place for those that wait', async () => {
  const { members, said } = setUp();
  members.take(member(9, { whole: true }));
  members.take(member(10));
  await settled();
  said();
  members.giveUp();
  members.giveUp();
  const failed = 'the worker goes';
  expect(said()).toEqual([9, 10].map((fence) => ({ fence, failed })));
  members.take(over(9));
  await settled();
  expect(members.count).toBe(0);
});

test('waits for what of the gang before is still being ended, and leaks nothing', async () => {
  const places = new ScriptedPlaces();
  const gone = Promise.withResolvers<void>();
  places.releasing = () => gone.promise;
  const { members, occupancy, said } = setUp(places);
  members.take(member(1, { whole: true }));
  await settled();
  said();
  members.take(over(1));
  for (const fence of [2, 3]) members.take(member(fence, { whole: true }));
  members.take(over(2));
  members.admitWaiting();
  await settled();
  expect([said(), members.fences(), members.count]).toEqual([undefined, [3], 1]);
  gone.resolve();
  await settled();
  expect([said(), members.fences(), members.count]).toEqual([[{ fence: 3, address: 'here', port: 7 }], [3], 1]);
  members.take(over(3));
  await settled();
  expect(occupancy.fits(occupancy.idle.whole)).toBe(true);
});

test('for which the worker has too few devices fails at once, and takes nothing', async () => {
  const { members, occupancy, said } = setUp();
  members.take(member(9, { gpus: 3 }));
  await settled();
  expect([said(), members.count]).toEqual([[{ fence: 9, failed: '30000 shares of 2 idle devices' }], 0]);
  expect(occupancy.fits(occupancy.idle.whole)).toBe(true);
});

test('told to a worker that goes it fails at once', () => {
  const { members, outbox, said } = setUp();
  outbox.draining = true;
  members.take(member(9));
  expect([said(), members.count]).toEqual([[{ fence: 9, failed: 'the worker goes' }], 0]);
});
