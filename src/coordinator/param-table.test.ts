import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import { writeParamTable } from '../api/param-table.ts';
import { openBlobs } from '../objects/directory/blobs.ts';

let folder: string;
let at: LedgerAtHand;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-params-'));
  at = await LedgerAtHand.open({ blobs: await openBlobs(join(folder, 'blobs')) });
});
afterEach(() => rmSync(folder, { recursive: true }));

const put = async (text: string | Uint8Array) =>
  (await at.coordinator.putBlob(CALLER, 'params', Buffer.from(text))).hash;

/** A table with a row a line. */
async function table(...pieces: readonly string[]): Promise<string> {
  const stored = await Promise.all(pieces.map(async (text) => [await put(text), text.split('\n').length] as const));
  const rows = stored.reduce((sum, [, count]) => sum + count, 0);
  return await put(writeParamTable({ version: 1, rows, pieces: stored }));
}

const tasksOf = async (id: number, index?: string) =>
  (await at.coordinator.tasks(CALLER, String(id), { limit: 100, after: -1, ...(index === undefined ? {} : { index }) }))
    .tasks;

test('each task has its row, over what all have', async () => {
  const paramTable = await table('{"n":"0"}\n{"n":"1","all":"own"}', '{"n":"2"}');
  const id = await at.submit({ array: '3,5,9', params: { all: 'x' }, paramTable });
  expect((await tasksOf(id)).map(({ index, params }) => [index, params])).toEqual([
    [3, { all: 'x', n: '0' }],
    [5, { all: 'own', n: '1' }],
    [9, { all: 'x', n: '2' }],
  ]);
  expect((await tasksOf(id, '9')).map(({ params }) => params)).toEqual([{ all: 'x', n: '2' }]);
  const worker = await WorkerAtHand.join(at);
  expect(worker.told('job')[0]!.job).toMatchObject({ params: { all: 'x' }, paramTable });
});

test('without any nothing is said of them', async () => {
  const [task] = await tasksOf(await at.submit());
  expect(task).not.toHaveProperty('params');
});

test('a row that is none is left out', async () => {
  const id = await at.submit({ array: '0-1', paramTable: await table('7\n{"n":"1"}') });
  expect((await tasksOf(id)).map(({ params }) => params)).toEqual([undefined, { n: '1' }]);
});

test('a table must fit, and be stored with all its pieces', async () => {
  const two = await table('{"n":"0"}\n{"n":"1"}');
  const gone = await put(writeParamTable({ version: 1, rows: 1, pieces: [['a'.repeat(64), 1]] }));
  const plain = await put('{"n":"0"}');
  const script = (await at.coordinator.putBlob(CALLER, 'script', Buffer.from('x'))).hash;
  for (const [spec, message] of [
    [{ array: '0-2', paramTable: two }, 'spec.paramTable: expected a row for each of the 3 tasks, found "2 rows"'],
    [{ paramTable: two }, 'a row for each of the 1 tasks'],
    [{ paramTable: gone }, `a table with all its pieces stored, found "${'a'.repeat(64)} missing"`],
    [{ paramTable: plain }, 'the hash of a stored list of the pieces of a table of parameters'],
    [{ paramTable: script }, 'the hash of a stored list of the pieces of a table of parameters'],
    [{ paramTable: 'b'.repeat(64) }, 'the hash of a stored list of the pieces of a table of parameters'],
    [
      { paramTable: two, input: { type: 'range', first: 0, last: 1 } as const },
      'spec.paramTable: expected none with input',
    ],
    [{ params: { a: 'x\0y' } }, 'spec.params.a: expected no NUL byte'],
    [{ params: { a: 'x'.repeat(200_000) } }, 'spec.params.a: expected at most'],
  ] as const) {
    await expect(at.submit(spec)).rejects.toThrow(message);
  }
  expect(at.disk.content.jobs.size).toBe(0);
});

test('of one job a workflow says where it is wrong', async () => {
  const spec = { run: { kind: 'argv' as const, argv: ['true'] }, cwd: '/' };
  const { WorkflowRequest } = await import('../api/workflow.ts');
  const request = WorkflowRequest.parse({ jobs: [{ key: 'a', spec: { ...spec, params: { p: 'x\0' } } }] });
  await expect(at.coordinator.submitWorkflow(CALLER, request)).rejects.toThrow('jobs[0] (a).spec.params.p');
});
