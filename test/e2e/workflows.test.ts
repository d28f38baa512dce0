import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { finished, OwnCoordinator } from '../support/own-coordinator.ts';
import { until } from '../support/until.ts';

let box: OwnCoordinator;
let folder: string;
beforeEach(() => {
  box = new OwnCoordinator();
  folder = join(box.folder, 'queue');
  mkdirSync(folder);
});
afterEach(async () => {
  await box.close();
});

const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const QUEUE = `name: night
jobs:
  - {id: report, command: cat small.txt large.txt, depends_on: [small, large]}
  - {id: fetch, command: "for n in 1 2 3; do echo row $n >in-$n.csv; done", result_paths: [in-*.csv]}
  - {id: clean, command: cat in-*.csv >clean.csv, depends_on: [fetch]}
  - {id: small, command: "wc -l <clean.csv >small.txt", depends_on: [clean], result_paths: [small.txt]}
  - id: large
    command: test -e .tried || { touch .tried; exit 7; }; wc -c <clean.csv >large.txt
    depends_on: [clean]
    retry: 1
    result_paths: [large.txt]
  - {id: broken, command: exit 3, depends_on: [fetch]}
  - {id: never, command: touch never, depends_on: [broken]}
  - {id: empty, command: 'true', depends_on: [fetch], result_paths: [nothing.bin]}
`;

describe('a queue', () => {
  test('runs what depends on what, in parallel, and keeps the results', async () => {
    const { code, out, err } = await box.run(['queue', 'run', file('night.yaml', QUEUE)]);
    expect([code, out]).toEqual([3, 'Submitted workflow 1: night, 8 jobs\n']);
    expect(err).toContain('broken: job ');
    const { jobs } = await box.json<{ jobs: { label: string; state: string }[] }>('graph', 'night');
    expect(Object.fromEntries(jobs.map(({ label, state }) => [label, state]))).toEqual({
      fetch: 'completed',
      clean: 'completed',
      small: 'completed',
      large: 'completed',
      report: 'completed',
      broken: 'failed',
      never: 'skipped',
      empty: 'failed',
    });
    expect(existsSync(join(folder, 'never'))).toBe(false);
    const results = join(folder, 'results');
    expect(readdirSync(results).toSorted()).toEqual(['fetch', 'large', 'small']);
    expect(readdirSync(join(results, 'fetch'))).toHaveLength(3);
    expect(readFileSync(join(results, 'small/small.txt'), 'utf8').trim()).toBe('3');
    const numbers = new Map(
      (await box.json<{ jobs: { label: string; id: number }[] }>('graph', '1')).jobs.map(({ label, id }) => [
        label,
        id,
      ]),
    );
    expect(await box.ok('logs', String(numbers.get('report')))).toBe('3\n18\n');
    expect(await box.ok('logs', String(numbers.get('empty')))).toContain('expected the result nothing.bin, found none');
    expect(await box.ok('retry', '--workflow', 'night')).toMatch(/^workflow 1: 2 tasks of 2 jobs /);
  });

  test('stops when one fails, and outlives its coordinator', async () => {
    const text = `on_failure: stop
jobs:
  - {id: first, command: "while [ ! -e go ]; do sleep 0.05; done"}
  - {id: fails, command: exit 4, depends_on: [first]}
  - {id: runs, command: "while [ ! -e end ]; do sleep 0.05; done; echo done"}
  - {id: waits, command: touch waited, depends_on: [runs]}
`;
    const running = finished(box.start(['queue', 'run', file('stop.yaml', text)]));
    const stateOf = async (job: string) => (await box.json<{ state: string }>('status', job)).state;
    await until('both to run', async () => {
      const { jobs } = await box.json<{ jobs: { state: string }[] }>('graph', '1').catch(() => ({ jobs: [] }));
      return jobs.filter(({ state }) => state === 'running').length === 2;
    });
    const server = await box.server();
    process.kill(server.pid, 'SIGKILL');
    await box.server(server.pid);
    file('go', '');
    await until('the failure', async () => (await stateOf('fails')) === 'failed');
    expect([await stateOf('runs'), await stateOf('waits')]).toEqual(['running', 'cancelled']);
    file('end', '');
    expect(await running).toMatchObject({ code: 4 });
    expect(await stateOf('runs')).toBe('completed');
    expect(existsSync(join(folder, 'waited'))).toBe(false);
    const [task] = await box.json<{ reason: string }[]>('tasks', 'waits');
    expect(task!.reason).toBe('another job of its workflow failed');
  });
});

test('a sweep gives each task its parameters, in commands and scripts, also after a restart', async () => {
  const path = file(
    'sweep.csv',
    `lr,seed,label\n${Array.from({ length: 40 }, (_, n) => `${n}e-3,${n},"a ""b"" ${n}"`).join('\n')}\n`,
  );
  const script = file('show.sh', 'echo "$TASK_ARRAY_INDEX $PARAM_lr $PARAM_seed [$PARAM_label]"\n');
  const submitted = await box.run(['sweep', '--param-file', path, '--max-concurrent', '3', '--hold', script]);
  expect(submitted).toMatchObject({ code: 0 });
  const server = await box.server();
  process.kill(server.pid, 'SIGKILL');
  await box.server(server.pid);
  await box.ok('release', '1');
  expect((await box.run(['wait', '1'])).code).toBe(0);
  const lines = (await box.ok('logs', '1')).trimEnd().split('\n');
  expect(lines).toEqual(Array.from({ length: 40 }, (_, n) => `[${n}] ${n} ${n}e-3 ${n} [a "b" ${n}]`));
  const [task] = await box.json<{ params: object }[]>('tasks', '1_7');
  expect(task!.params).toEqual({ lr: '7e-3', seed: '7', label: 'a "b" 7' });
  expect(await box.ok('status', '1_7')).toContain('lr=7e-3 seed=7');
});

test('a chain of sbatch is drawn', async () => {
  const first = (await box.ok('submit', '--quiet', '--', 'true')).trim();
  const second = (await box.ok('submit', '--quiet', '--after', `afterok:${first}`, '--', 'true')).trim();
  await box.ok('submit', '--quiet', '--after', `afterany:${second}`, '--array', '4', '--', 'true');
  const text = await box.ok('graph', second, '--ascii');
  expect(text.trimEnd().split('\n')).toEqual([
    expect.stringMatching(/^1 {2}true .* --\+$/),
    expect.stringMatching(/^2 {2}true .*afterok:1 +<-\+-\+$/),
    expect.stringMatching(/^3 {2}true .*\d\/4 +afterany:2 +<---\+$/),
  ]);
});
