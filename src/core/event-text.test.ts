import { expect, test } from 'vitest';
import { EVENT_KINDS, eventText } from './event-text.ts';

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
  ['jobReleased', 12, { tasks: 2 }, '2 tasks of job 12 released'],
  [
    'jobUpdated',
    12,
    { tasks: 9, throttle: 5, memoryBytes: 2 ** 31, after: 'afterok:3', beginAt: 0, maxFailures: null },
    'job 12 updated: throttle = 5, memoryBytes = 2.0G, after = "afterok:3", beginAt = 1970-01-01T00:00:00.000Z, maxFailures = none (9 tasks)',
  ],
  ['throttleChanged', 12, { throttle: 5 }, 'throttle of job 12 set to 5'],
  ['maxFailuresReached', 12, { cancelled: 8 }, 'too many tasks of job 12 failed: 8 tasks cancelled'],
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
  ['sessionClosed', 0, { session: 3, worker: 'w', reason: 'it left' }, 'worker w is gone (session 3): it left'],
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
