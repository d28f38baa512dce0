import { expect, test } from 'vitest';
import { aJob, aServer, aTask } from '../../../test/support/cli-world.ts';
import { JsonArray, jobJson, serverJson, taskJson } from './json.ts';

const flat = [jobJson(aJob()), taskJson(aTask(3)), serverJson(aServer({ counters: { staleReports: 2 } }))];

test('everything is flat, in snake_case, and null where nothing is known', () => {
  for (const object of flat) {
    for (const [key, value] of Object.entries(object)) {
      expect(key).toMatch(/^[a-z]+(_[a-z]+)*$/);
      expect(value === null || ['string', 'number', 'boolean'].includes(typeof value)).toBe(true);
    }
  }
  expect(flat[2]).toMatchObject({ count_stale_reports: 2 });
});

test('the keys are the same for a job that has just begun and one that has ended', () => {
  const ended = aJob({ reason: 'x', startedAt: 1, endedAt: 2, exitCode: 0, meanWallMs: 3, after: 'afterok:1' });
  expect(Object.keys(jobJson(ended))).toEqual(Object.keys(jobJson(aJob({ size: 1 }))));
  expect(jobJson(ended)).toMatchObject({ ended_at: '1970-01-01T00:00:00.002Z', exit_code: 0, tasks_ready: 10 });
});

test('the keys of a task are the same before and after it ran', () => {
  const ran = aTask(3, {
    outcome: 'exit 3',
    exitCode: 3,
    startedAt: 1,
    endedAt: 5,
    wallMs: 4,
    worker: 'w',
    outBytes: 9,
  });
  expect(Object.keys(taskJson(ran))).toEqual(Object.keys(taskJson(aTask(3))));
  expect(taskJson(ran)).toMatchObject({ id: '12_3', exit_code: 3, wall_ms: 4, signal: null });
});

test.each([
  [[], '[]'],
  [[[]], '[]'],
  [[[1, 2], [], [{ a: 3 }]], '[1,2,{"a":3}]'],
])('an array written in pieces %j is one document', (pages, expected) => {
  let text = '';
  const array = new JsonArray((piece) => {
    text += piece;
  });
  for (const page of pages) array.add(page);
  array.end();
  expect(JSON.stringify(JSON.parse(text))).toBe(expected);
  expect(text.endsWith('\n')).toBe(true);
});
