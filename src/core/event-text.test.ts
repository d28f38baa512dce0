import { expect, test } from 'vitest';
import { EVENT_KINDS, eventText } from './event-text.ts';

const ONE = { instance: 'i-0', name: 'a-3', index: 3 };

const TOLD: readonly [kind: string, jobId: number, detail: Record<string, unknown>, text: string][] = [
  [
    'jobSubmitted',
    12,
    { name: 'sweep', size: 1_000, owner: 'ann' },
    'job 12 (sweep) was submitted by ann: 1,000 tasks',
  ],
  ['jobEnded', 12, { state: 'failed', exitCode: 3 }, 'job 12 ended failed, exit code 3'],
  ['jobCancelled', 12, { tasks: 1 }, '1 task of job 12 cancelled'],
  ['jobRetried', 12, { tasks: 2 }, '2 tasks of job 12 retried'],
  ['jobRequeued', 12, { tasks: 2 }, '2 tasks of job 12 requeued'],
  ['jobHeld', 12, { tasks: 2 }, '2 tasks of job 12 held'],
  ['jobSuspended', 12, { tasks: 2 }, '2 tasks of job 12 suspended'],
  ['jobResumed', 12, { tasks: 1 }, '1 task of job 12 resumed'],
  [
    'gangBroken',
    12,
    { worker: 'w', index: 3, reason: 'is gone' },
    'worker w had a part in a gang, index 3 of job 12, and is gone: the attempt is stopped and lost',
  ],
  ['jobSignalled', 12, { tasks: 2, signal: 10, scope: 'all' }, 'SIGUSR1 (10) sent to 2 tasks of job 12'],
  ['jobReleased', 12, { tasks: 2 }, '2 tasks of job 12 released'],
  [
    'jobUpdated',
    12,
    { tasks: 9, throttle: 5, memoryBytes: 2 ** 31, after: 'afterok:3', beginAt: 0, maxFailures: null },
    'job 12 updated: throttle = 5, memoryBytes = 2.0G, after = "afterok:3", beginAt = 1970-01-01T00:00:00.000Z, maxFailures = none (9 tasks)',
  ],
  ['throttleChanged', 12, { throttle: 5 }, 'throttle of job 12 set to 5'],
  ['workflowStopped', 12, { cancelled: 2 }, 'job 12 failed and stops its workflow: 2 tasks cancelled'],
  ['maxFailuresReached', 12, { cancelled: 8 }, 'too many tasks of job 12 failed: 8 tasks cancelled'],
  [
    'minSuccessMissed',
    12,
    { needed: 95, cancelled: 8 },
    'too few tasks of job 12 can still succeed: 95 are needed, 8 tasks cancelled',
  ],
  ['jobPlanned', 12, { parts: 1_000, plan: 11 }, 'job 12 has 1,000 parts: job 11 found them'],
  ['deadlineChanged', 12, { deadlineAt: 1_000 }, 'deadline of job 12 set to 1970-01-01T00:00:01.000Z'],
  ['deadlineChanged', 12, { deadlineAt: null }, 'job 12 has no deadline any more'],
  ['deadlinePassed', 12, { cancelled: 3 }, 'the deadline of job 12 passed: 3 tasks cancelled'],
  ['canaryPassed', 12, { tasks: 3 }, '3 tasks that job 12 tried first completed: the others follow'],
  [
    'canaryFailed',
    12,
    { tasks: 3, notCompleted: 1, cancelled: 97 },
    '1 task of 3 that job 12 tried first did not complete: 97 tasks cancelled',
  ],
  ['jobsPruned', 0, { jobs: 2, tasks: 2_000 }, '2 ended jobs with 2,000 tasks removed for ever'],
  ['sessionOpened', 0, { session: 3, worker: 'w', host: 'node7' }, 'worker w on node7 connected (session 3)'],
  ['sessionOpened', 0, { session: 3, worker: 'node7', host: 'node7' }, 'worker node7 connected (session 3)'],
  ['sessionResumed', 0, { session: 3, worker: 'w', host: 'node7' }, 'another agent on node7 goes on for w (session 3)'],
  ['sessionClosed', 0, { session: 3, worker: 'w', reason: 'it left' }, 'worker w is gone (session 3): it left'],
  ['instanceRunning', 12, ONE, 'instance a-3 (i-0) of job 12 runs'],
  ['instanceStopped', 12, { ...ONE, reason: 'idle' }, 'instance a-3 (i-0) of job 12 stopped: idle'],
  ['instanceHibernated', 12, ONE, 'instance a-3 (i-0) of job 12 hibernated'],
  [
    'instanceTerminated',
    12,
    { ...ONE, reason: 'completed', message: 'all done' },
    'instance a-3 (i-0) of job 12 ended: completed (all done)',
  ],
  [
    'instanceLaunchFailed',
    12,
    { ...ONE, message: 'no space' },
    'instance a-3 (i-0) of job 12 could not be started: no space',
  ],
  [
    'instanceCompleted',
    12,
    { ...ONE, status: 'success' },
    'instance a-3 (i-0) of job 12 said that it is complete: success',
  ],
  ['instanceAsked', 12, { ...ONE, verb: 'stop' }, 'stop of instance a-3 (i-0) of job 12 was asked for'],
  ['instanceExtended', 12, { ...ONE, ttlLeftMs: 60_000 }, 'instance a-3 (i-0) of job 12 has 1m00s until its TTL ends'],
  [
    'instanceInterruptNotice',
    12,
    { ...ONE, noticeMs: 5_000 },
    'instance a-3 (i-0) of job 12 will be interrupted in 5.0s',
  ],
  ['instanceTtlWarning', 12, { ...ONE, text: 'ends soon' }, 'instance a-3 (i-0) of job 12: ends soon'],
  ['instanceCostWarning', 12, { ...ONE, text: 'dear' }, 'instance a-3 (i-0) of job 12: dear'],
  ['instanceIdleWarning', 12, { ...ONE, text: 'idle' }, 'instance a-3 (i-0) of job 12: idle'],
  ['instanceInterruptWarning', 12, { ...ONE, text: 'taken' }, 'instance a-3 (i-0) of job 12: taken'],
  ['memberLost', 12, { ...ONE, replaced: true }, 'instance a-3 (i-0) of job 12 was lost and is replaced'],
  ['memberInterrupted', 12, { ...ONE, replaced: false }, 'instance a-3 (i-0) of job 12 was interrupted'],
  ['arrayReady', 12, { running: 8 }, 'all members of job 12 have run: 8 instances now'],
  ['arrayFailed', 12, { why: 'a task failed' }, 'job 12 failed as a whole: a task failed'],
  ['arrayResized', 12, { from: 8, to: 12 }, 'job 12 was resized from 8 to 12'],
  ['arrayCompleted', 12, { cost: 1.5 }, 'the last instance of job 12 ended: $1.50 in all'],
  ['costLimitNearlyUsedUp', 12, { spent: 0.8, limit: 1 }, 'job 12 has cost $0.80 of its cost limit of $1.00'],
  ['costLimitReached', 12, { by: 'cost-limit' }, 'job 12 has used up its cost limit'],
  ['costLimitReached', 12, { by: 'budget' }, "job 12 has used up its owner's budget"],
  ['budgetSet', 0, { owner: 'ann', amount: null }, 'the budget of ann was removed'],
  ['budgetSet', 0, { owner: 'ann', amount: 5, period: 'month' }, 'the budget of ann is $5.00 a month'],
  [
    'budgetNearlyUsedUp',
    0,
    { owner: 'ann', amount: 5, spent: 4, period: 'total' },
    'ann has spent $4.00 of $5.00 in all',
  ],
  ['budgetUsedUp', 0, { owner: 'ann', amount: 5, period: 'month' }, 'the budget of ann is used up: $5.00 a month'],
  ['orphanReaped', 0, { instance: 'i-0' }, 'instance i-0, of which nothing is known, was ended'],
  [
    'alertCreated',
    0,
    { alert: 3, by: 'ann', kind: 'slack', target: 'https://hooks.slack.com/…' },
    'alert 3 made by ann: slack to https://hooks.slack.com/…',
  ],
  ['alertDeleted', 0, { alert: 3, by: 'ann' }, 'alert 3 deleted by ann'],
  ['alertRaised', 12, { alert: 3, text: 'job 12 (a) completed' }, 'alert 3: job 12 (a) completed'],
  [
    'alertFailed',
    12,
    { target: 'a@b', attempts: 2, reason: 'no such user' },
    'alert: not delivered to a@b after 2 attempts: no such user',
  ],
  ['tokenCreated', 0, { name: 'ci', role: 'submit', owner: 'ci', by: '0' }, 'token ci (submit) created for ci by 0'],
  ['tokenRevoked', 0, { name: 'ci', by: '0' }, 'token ci revoked by 0'],
];

test.each(TOLD)('%s of job %d, %j', (kind, jobId, detail, text) => {
  expect(eventText(kind, jobId, detail)).toBe(text);
});

test('every kind is told above', () => {
  expect([...new Set(TOLD.map(([kind]) => kind))].toSorted()).toEqual([...EVENT_KINDS].toSorted());
});

test('a detail that is missing, or a kind of a newer release, makes no harm', () => {
  expect(eventText('jobCancelled', 12, {})).toBe('no task of job 12 cancelled');
  expect(eventText('jobFrozen', 12, {})).toBe('jobFrozen of job 12');
  expect(eventText('moonRose', 0, {})).toBe('moonRose');
});
