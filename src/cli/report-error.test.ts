import { expect, test } from 'vitest';
import { SpawnError } from '../core/errors.ts';
import { reportError } from './report-error.ts';

function report(error: unknown): { code: number; lines: string[] } {
  const lines: string[] = [];
  const code = reportError(error, { stderr: { write: (text: string) => lines.push(text) }, env: {} } as never);
  return { code, lines: lines.join('').trimEnd().split('\n') };
}

const expected = 'no field of this name';
const OLDER = expect.stringMatching(
  /^spawn: the coordinator is of an older release than this command\. spawn server stop /,
);

test.each([
  [new SpawnError('ROUTE_NOT_FOUND', { method: 'GET', path: '/v1/jobs/1/why' }), 76],
  [new SpawnError('BAD_REQUEST', { where: 'body.spec.user', expected, found: 'ada' }), 2],
])('what a server of an older release does not know is told with what to do: %s', (error, code) => {
  expect(report(error)).toEqual({ code, lines: [`spawn: ${error.message}`, OLDER] });
});

test.each([
  new SpawnError('BAD_REQUEST', { where: 'job.json: spec.cpu', expected, found: 2 }),
  new SpawnError('BAD_REQUEST', { where: 'body.spec.cpus', expected: 'a number', found: 'x' }),
])('what a person typed wrong is not: %s', (error) => {
  expect(report(error).lines).toEqual([`spawn: ${error.message}`]);
});
