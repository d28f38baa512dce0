import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { aJob, runCli, someCounts } from '../../../test/support/cli-world.ts';
import type { GraphReply } from '../../api/workflow.ts';
import { SpawnError } from '../../core/errors.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-graph-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const REPLY: GraphReply = {
  jobs: [
    aJob({ id: 3, name: 'x', state: 'completed', size: 1, workflow: { first: 3, count: 2, key: 'prep' } }),
    aJob({ id: 4, name: 'fit', state: 'running', size: 10, counts: someCounts({ completed: 4, running: 6 }) }),
  ],
  edges: [{ from: 3, to: 4, type: 'afterok' }],
  cut: false,
};

const run = (words: readonly string[], more: object = {}) =>
  runCli(['graph', ...words], {
    client: {
      graph: async () => REPLY,
      workflow: async (ref: string) => {
        if (ref === 'night') return { id: 3 };
        throw new SpawnError('WORKFLOW_NOT_FOUND', { ref });
      },
    },
    world: { cwd: folder, env: { LANG: 'C.UTF-8' } },
    ...more,
  });

test('a job, a workflow by its name, or a job by its name', async () => {
  const { out, calls } = await run(['4']);
  expect(out).toBe('3  prep  ✔ completed                   ──╮\n4  fit   ▶ running    4/10  afterok:3  ◀─╯\n');
  expect(calls).toEqual([['graph', '4']]);
  expect((await run(['night'])).calls).toEqual([
    ['workflow', 'night'],
    ['graph', '3'],
  ]);
  expect((await run(['fit'])).calls.at(-1)).toEqual(['graph', 'fit']);
  expect((await run(['4'], { world: { env: { LC_ALL: 'C' } } })).out).toContain('<-+');
  expect((await run(['4', '--ascii'])).out).toContain('<-+');
});

test('for programs', async () => {
  expect(JSON.parse((await run(['4', '-o', 'json'])).out)).toEqual({
    jobs: [
      { id: 3, label: 'prep', state: 'completed', tasks: 1, completed: 0 },
      { id: 4, label: 'fit', state: 'running', tasks: 10, completed: 4 },
    ],
    edges: [{ from: 3, to: 4, type: 'afterok', indices: null, any: false }],
    cut: false,
  });
  expect((await run(['4', '-o', 'dot'])).out).toContain('3 -> 4 [label="afterok"];');
});

test('a queue file, and a job file, before anything is submitted', async () => {
  writeFileSync(join(folder, 'q.yaml'), 'jobs:\n- {id: b, command: x, depends_on: [a]}\n- {id: a, command: x}\n');
  const queue = await run(['q.yaml']);
  expect([queue.out, queue.calls]).toEqual(['2  a             ──╮\n1  b  afterok:2  ◀─╯\n', []]);
  writeFileSync(
    join(folder, 'job.yaml'),
    'advanced:\n  stages:\n    a: {algorithm: {command: x}}\n    b: {algorithm: {command: x}, after: afterany:a}\n',
  );
  expect((await run(['job.yaml'])).out).toContain('afterany:1');
  writeFileSync(join(folder, 'wrong.yaml'), 'jobs: [{id: a}]\n');
  expect(await run(['wrong.yaml'])).toMatchObject({ code: 2, err: expect.stringContaining('wrong.yaml:1:8') });
  expect(await run(['away.yaml'])).toMatchObject({ code: 2, err: expect.stringContaining('not found') });
});
