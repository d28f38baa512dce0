import { expect, it, test } from 'vitest';
import { coreJob, coreSession } from '../../test/support/core-jobs.ts';
import type { Gang } from './gang.ts';
import { GrantRange } from './grant-range.ts';
import type { JobFacts } from './job.ts';
import { couldTake, isFreeFor, isPlaced, needsOfPlace } from './place.ts';

const gang = (more: Partial<Gang>): Gang => ({ cpusPerTask: 1, memoryBytesPerTask: 0, gpusPerTask: 0, ...more });

function laneOf(facts: Partial<JobFacts>) {
  const [lane] = coreJob(1, facts).lanes;
  if (!isPlaced(lane)) throw new Error('has a share like any other');
  return lane;
}

it('finds its place where nothing is saved up for another', () => {
  const session = coreSession(1, 4);
  const lane = laneOf({ gang: gang({ tasks: 2 }) });
  const [narrow] = coreJob(2).lanes;
  const free = () => [isFreeFor([session], lane), isFreeFor([session], narrow)];
  expect([free(), couldTake([session], lane), couldTake([], lane), couldTake([], narrow)]).toEqual([
    [true, true],
    true,
    false,
    false,
  ]);
  session.reserve(lane);
  expect(free()).toEqual([true, false]);
  session.reserve(narrow);
  expect(free()).toEqual([false, true]);
  session.room.cpus = 0;
  session.reserve(undefined);
  expect(free()).toEqual([false, false]);
});

it('has its slot with its place, whatever is free beside it', () => {
  const session = coreSession(1, 2);
  const lane = laneOf({ gang: gang({ tasks: 2 }) });
  const range = new GrantRange(7, 1, 1, 0, 1);
  session.addPlace(7, needsOfPlace(session, lane, 2), 1);
  session.addGrant(range, lane, 0, 0);
  expect([session.room.cpus, session.promote(session.shares.get(lane)!), session.room.cpus]).toEqual([0, 1, 0]);
  expect([session.closeGrants(lane, 7, 1), session.room.cpus, session.isIdle]).toEqual([1, 0, false]);
  session.removePlace(7);
  expect([session.room.cpus, session.isIdle]).toEqual([2, true]);
});

test.each([
  ['of one node', [{ sessionId: 3, tasks: 8 }], '', false, 0],
  [
    'of several',
    [
      { sessionId: 3, tasks: 2 },
      { sessionId: 400, tasks: 1 },
    ],
    'a1'.repeat(31).concat('0f'),
    true,
    2,
  ],
])('a stored grant %s is laid out again as it was', (_, nodes, secret, broken, lane) => {
  const range = new GrantRange(5, 1, 1, 9, 3, lane);
  Object.assign(range, { nodes, secret, broken });
  range.start(0, 2, 1_000, 3, 4);
  const again = new GrantRange(5, 1, 1, 9, 3);
  again.unpack(range.pack());
  expect(again).toMatchObject({ nodes, secret, broken, lane, devices: undefined, running: 1 });
});
