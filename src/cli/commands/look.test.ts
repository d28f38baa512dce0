import { describe, expect, test } from 'vitest';
import { aFailure, aJob, aServer, aSummary, aTask, runCli, someCounts } from '../../../test/support/cli-world.ts';
import type { JobsQueryInput, TasksQueryInput } from '../../api/job.ts';

describe('jobs', () => {
  const pages = [{ jobs: [aJob({ id: 3 }), aJob({ id: 2 })], next: 2 }, { jobs: [aJob({ id: 1, command: 'a\tb' })] }];
  const jobs = async ({ before }: JobsQueryInput) => pages[before === undefined ? 0 : 1];

  test('through a pipe: a line a job from every page', async () => {
    const { out, calls } = await runCli(['jobs', '--all', '--name', 'fit'], { client: { jobs } });
    const line = (id: number, command: string) =>
      `${id}\tfit\tready\t10\t0\t0\t0\t1970-01-01T00:16:40.000Z\t${command}\n`;
    expect(out).toBe(line(3, 'run.sh') + line(2, 'run.sh') + line(1, 'a\\tb'));
    expect(calls).toEqual([
      ['jobs', { show: 'all', name: 'fit', limit: 1_000 }],
      ['jobs', { show: 'all', name: 'fit', limit: 1_000, before: 2 }],
    ]);
  });

  test('on a terminal: a table', async () => {
    const { out } = await runCli(['jobs'], { client: { jobs: async () => pages[1] }, tty: true });
    expect(out).toBe(
      'JOB  NAME  STATE  TASKS  DONE  RUNNING  FAILED    AGE  COMMAND\n' +
        '  1  fit   ready     10     0        0       0  1m00s  a\\tb\n',
    );
  });

  test('-o json: one array', async () => {
    const { out } = await runCli(['jobs', '-o', 'json'], { client: { jobs } });
    expect(JSON.parse(out).map(({ id }: { id: number }) => id)).toEqual([3, 2, 1]);
  });

  test('nothing to list', async () => {
    const none = { jobs: async () => ({ jobs: [] }) };
    expect((await runCli(['jobs'], { client: none })).out).toBe('');
    expect((await runCli(['jobs', '-o', 'json'], { client: none })).out).toBe('[]\n');
    expect((await runCli(['jobs'], { client: none, tty: true })).out).toBe(
      'no live job (spawn jobs --all shows those that ended)\n',
    );
  });
});

describe('tasks', () => {
  const all = Array.from({ length: 25_000 }, (_, index) => aTask(index));
  const tasks = async (_: string, { after = -1, limit }: TasksQueryInput) => {
    const page = all.slice(Number(after) + 1, Number(after) + 1 + Number(limit));
    const last = page.at(-1)?.index ?? 0;
    return last < all.length - 1 ? { tasks: page, next: last } : { tasks: page };
  };

  test('pages through all of them', async () => {
    const { out, calls } = await runCli(['tasks', '12', '-o', 'jsonl'], { client: { tasks } });
    const ids = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).index);
    expect(ids).toEqual(all.map(({ index }) => index));
    expect(calls).toHaveLength(3);
  });

  test('--limit ends after so many', async () => {
    const { out, calls } = await runCli(['tasks', '12', '-o', 'json', '--limit', '10001'], { client: { tasks } });
    expect(JSON.parse(out)).toHaveLength(10_001);
    expect(calls.map(([, , query]) => (query as TasksQueryInput).limit)).toEqual([10_000, 1]);
  });

  test.each([
    [['12_7'], { index: '7' }],
    [['12', '--index', '1-3,9'], { index: '1-3,9' }],
    [['12', '--state', 'failed,cancelled'], { state: 'failed,cancelled' }],
  ])('%j asks for %j', async (words, query) => {
    const one = {
      tasks: async () => ({ tasks: [aTask(7, { state: 'failed', outcome: 'exit 3', wallMs: 12.4, attempt: 1 })] }),
    };
    const { out, calls } = await runCli(['tasks', ...words], { client: one });
    expect(calls[0]![2]).toMatchObject(query);
    expect(out).toBe('12_7\tfailed\t1\texit 3\t12\t\t\t\t\n');
  });

  test.each([
    [
      ['12', '--state', 'faild'],
      '--state: expected blocked, ready, leased, running, completed, failed, cancelled, skipped, found "faild"; did you mean "failed"?',
    ],
    [
      ['12', '--state', 'failed,'],
      '--state: expected blocked, ready, leased, running, completed, failed, cancelled, skipped, found ""',
    ],
    [['12_7', '--index', '1'], 'tasks: expected a whole job with --index, found tasks of job 12'],
    [['12', '--limit', '0'], '--limit: expected a whole number from 1 to 1000000000, found "0"'],
  ])('refuses %j', async (words, message) => {
    expect(await runCli(['tasks', ...words])).toMatchObject({ code: 2, err: `spawn: ${message}\n`, calls: [] });
  });
});

describe('status', () => {
  const failed = aJob({ counts: someCounts({ failed: 2, ready: 8 }) });
  const client = {
    summary: async () => aSummary(failed, { failures: [aFailure()] }),
    tasks: async (_: string, { index }: TasksQueryInput) => ({
      tasks: index === '7' ? [aTask(7)] : index === '99' ? [] : [aTask(1), aTask(2)],
    }),
    server: async () => aServer({ liveJobs: 1 }),
    jobs: async () => ({ jobs: [failed] }),
  };

  test('of a job, with what failed', async () => {
    const { out, calls } = await runCli(['status', 'fit'], { client });
    expect(out).toContain('Failures\n  2  exit 3  [1,5]  No such file: <path>\n');
    expect(calls).toEqual([['summary', 'fit']]);
    const json = JSON.parse((await runCli(['status', 'fit', '-o', 'json'], { client })).out);
    expect(json).toMatchObject({ id: 12, tasks_failed: 2, failures: [{ cause: 'exit', exit_code: 3, signal: null }] });
  });

  test('of a task', async () => {
    expect((await runCli(['status', '12_7'], { client })).out).toMatch(/^Task 12_7\n/);
    const { out } = await runCli(['status', '12_7', '-o', 'json'], { client });
    expect(JSON.parse(out)).toMatchObject({ id: '12_7', state: 'ready' });
  });

  test('of a task that is not there, or of several', async () => {
    expect(await runCli(['status', '12_99'], { client })).toMatchObject({
      code: 66,
      err: 'spawn: task "12_99" not found\n',
    });
    expect(await runCli(['status', '12_[1-2]'], { client })).toMatchObject({
      code: 2,
      err: 'spawn: status: expected one task, found several; see: spawn tasks "12_[1-2]"\n',
    });
  });

  test('of the coordinator', async () => {
    expect((await runCli(['status'], { client })).out).toContain('    12  fit  ready  2/10, 2 failed\n');
    expect(JSON.parse((await runCli(['status', '-o', 'json'], { client })).out)).toMatchObject({
      running: true,
      live_jobs: 1,
    });
  });
});
