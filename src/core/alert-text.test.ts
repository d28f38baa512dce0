import { describe, expect, test } from 'vitest';
import { bodyOf, type Notice, type NoticeJob, sentenceOf, subjectOf } from './alert-text.ts';

const JOB: NoticeJob = {
  id: 12,
  arrayId: 'sweep-20260127-0a1b2c',
  name: 'sweep',
  owner: 'ada',
  state: 'failed',
  size: 100,
  counts: { completed: 95, failed: 3, cancelled: 2 },
  startedAt: 1_000,
  endedAt: 186_000,
  exitCode: 3,
};
const of = (event: string, parts: Partial<Notice> = {}): Notice => ({ event, at: 186_000, job: JOB, ...parts });

describe('a notice is told in a sentence', () => {
  const running: NoticeJob = {
    id: 12,
    arrayId: JOB.arrayId,
    name: 'sweep',
    owner: 'ada',
    state: 'running',
    size: 100,
    counts: { running: 100 },
  };
  test.each([
    [of('start'), 'job 12 (sweep) started: 100 tasks'],
    [of('first_failure', { task: '12_4', outcome: 'exit 3' }), 'first failure of job 12 (sweep): task 12_4, exit 3'],
    [of('task_failed', { task: '12_4', outcome: 'exit 3' }), 'task 12_4 of job 12 (sweep) failed: exit 3'],
    [of('threshold', { reached: '10 failures' }), 'job 12 (sweep) has reached 10 failures'],
    [of('long_running'), 'job 12 (sweep) has run for 3m05s'],
    [of('long_running', { job: running }), 'job 12 (sweep) has run for 0ms'],
    [of('failed'), 'job 12 (sweep) failed after 3m05s: 3 failed and 2 cancelled of 100 tasks'],
    [
      of('cancelled', { job: { ...running, state: 'skipped', counts: { skipped: 100 } } }),
      'job 12 (sweep) skipped: 100 skipped of 100 tasks',
    ],
    [
      of('completed', { job: { ...JOB, state: 'completed', size: 1, counts: { completed: 1 } } }),
      'job 12 (sweep) completed after 3m05s: 1 task',
    ],
    [of('ended', { job: { ...JOB, state: 'completed', counts: {} } }), 'job 12 (sweep) completed after 3m05s: no task'],
    [of('instance_lost', { text: 'instance a (i-1) of job 12 was lost' }), 'instance a (i-1) of job 12 was lost'],
    [{ event: 'cost', at: 1, cost: { spent: 50.5, amount: 50, of: 'ada' } }, 'ada has cost $50.50, more than $50.00'],
    [
      { event: 'workflow_ended', at: 1, workflow: { first: 3, count: 4, name: 'etl' } },
      'workflow 3 (etl) ended: 4 jobs',
    ],
    [
      {
        event: 'workflow_ended',
        at: 1,
        workflow: { first: 3, count: 4, states: { completed: 3, failed: 1 }, bad: [] },
      },
      'workflow 3 ended: 3 completed and 1 failed of 4 jobs',
    ],
    [{ event: 'budget', at: 1 }, 'budget'],
  ] satisfies [Notice, string][])('%#', (notice, sentence) => {
    expect(sentenceOf(notice)).toBe(sentence);
  });
});

test('the subject tells the first, and how many more there are', () => {
  expect(subjectOf([of('start')], 1)).toBe('spawn: job 12 (sweep) started: 100 tasks');
  expect(subjectOf([of('start'), of('failed')], 1_235)).toBe(
    'spawn: job 12 (sweep) started: 100 tasks (and 1,234 more)',
  );
  expect(subjectOf([], 0)).toBe('spawn: test message');
});

test('the message tells each with what is known of it', () => {
  const notice = of('failed', {
    failed: '4,17-18',
    causes: [
      ['exit 3', 2],
      ['SIGKILL (9)', 1],
    ],
  });
  expect(bodyOf([notice], 1)).toBe(`job 12 (sweep) failed after 3m05s: 3 failed and 2 cancelled of 100 tasks.
  time:           1970-01-01T00:03:06.000Z
  array id:       sweep-20260127-0a1b2c
  owner:          ada
  state:          failed
  tasks:          95 completed, 3 failed, 2 cancelled
  exit code:      3
  failures:       exit 3: 2, SIGKILL (9): 1
  failed indices: 4,17-18
`);
  expect(bodyOf([{ event: 'budget', at: 0, text: 'it is used up' }], 22)).toBe(
    'it is used up.\n  time:           1970-01-01T00:00:00.000Z\n\n21 more of the same kind are left out.\n',
  );
  const workflow = { first: 3, count: 2, states: { completed: 1, failed: 1 }, bad: ['job 4 (fit) failed'] };
  expect(bodyOf([{ event: 'workflow_ended', at: 0, workflow }], 1)).toContain('  not completed:  job 4 (fit) failed\n');
  const good = { ...workflow, bad: [] };
  expect(bodyOf([{ event: 'workflow_ended', at: 0, workflow: good }], 1)).not.toContain('not completed');
  expect(bodyOf([], 0)).toContain('test');
});
