import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JobView, TaskView } from '../../src/api/job.ts';
import { childrenOf, isAlive } from '../../src/client/node/process-identity.ts';
import { finished, OwnCoordinator, WAITER } from '../support/own-coordinator.ts';
import { until } from '../support/until.ts';

let box: OwnCoordinator;
beforeEach(() => {
  box = new OwnCoordinator();
});
afterEach(async () => {
  await box.close();
});

const kill = (...pids: number[]) => {
  for (const pid of pids) process.kill(pid, 'SIGKILL');
};
const jobState = async (job: string) => (await box.json<JobView>('status', job)).state;

describe('kill -9', () => {
  test('of the server: it comes back, what runs neither dies nor runs twice, and a waiting command outlives it', async () => {
    const waiting = finished(box.start(['submit', '--array', '2', '--wait', '--', 'sh', '-c', WAITER]));
    const task = (await box.started(2))!;
    const server = await box.server();
    kill(server.pid);
    await box.server(server.pid);
    expect(await jobState('1')).toBe('running');
    expect(isAlive(task)).toBe(true);
    box.letGo();
    expect(await waiting).toMatchObject({ code: 0 });
    expect(box.starts()).toHaveLength(2);
    expect(box.ends().toSorted()).toEqual(['end 1_0 1', 'end 1_1 1']);
  });

  test('of the server while a task is suspended: it stands still until it is resumed, and goes on where it was', async () => {
    await box.submitWaiter('--array', '2');
    await box.started(2);
    expect(await box.ok('suspend', '1_0')).toBe('job 1: 1 task suspended\n');
    const pid = Number(
      box
        .starts()
        .find((line) => line.includes(' 1_0 '))!
        .split(' ')[3],
    );
    // The answer says that it is written down; the worker hears of it a moment later, or from the next server.
    await until('it to stand still', () => / T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')));
    const server = await box.server();
    kill(server.pid);
    await box.server(server.pid);
    box.letGo();
    const tasks = () => box.json<Record<string, unknown>[]>('tasks', '1');
    await until('the other task to end', async () => (await tasks())[1]!.state === 'completed');
    const [first, second] = await tasks();
    expect(first).toMatchObject({ state: 'running', reason: 'suspended by a user', suspended_at: expect.any(String) });
    expect(second).toMatchObject({ state: 'completed', suspended_at: null });
    expect(await box.ok('resume', '1')).toBe('job 1: 1 task resumed\n');
    expect((await box.run(['wait', '1'])).code).toBe(0);
    expect(box.ends()).toEqual(['end 1_1 1', 'end 1_0 1']);
    expect(box.starts()).toHaveLength(2);
    const [ended] = await box.json<Record<string, number>[]>('tasks', '1');
    expect(ended!.suspended_ms).toBeGreaterThan(0);
    expect(Date.parse(String(ended!.ended_at)) - Date.parse(String(ended!.started_at))).toBeGreaterThan(
      ended!.wall_ms!,
    );
  });

  test('of the server while a command talks to it: the command gets its answer', async () => {
    await box.ok('jobs');
    const server = await box.server();
    const commands = Array.from({ length: 4 }, () => box.run(['submit', '--quiet', '--', 'true']));
    kill(server.pid);
    const all = await Promise.all(commands);
    expect(all.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(new Set(all.map(({ out }) => out.trim())).size).toBe(4);
  });

  test('of the keeper: another takes the running server over', async () => {
    await box.ok('jobs');
    const [keeper, server] = [await box.keeper(), await box.server()];
    kill(keeper.pid);
    await box.keeper(keeper.pid);
    expect(await box.server()).toEqual(server);
    kill(server.pid);
    await box.server(server.pid);
    await box.ok('jobs');
  });

  test('of the keeper while it brings the server back: the new server gets another keeper', async () => {
    await box.ok('jobs');
    const [keeper, server] = [await box.keeper(), await box.server()];
    kill(server.pid);
    await until('the next server on its way up', () => childrenOf(keeper.pid).some(({ pid }) => pid !== server.pid));
    kill(keeper.pid);
    await box.keeper(keeper.pid);
    await box.server(server.pid);
    await box.ok('jobs');
  });

  test('of the worker: its tasks die and run again on the next one, long before a lease is over', async () => {
    const job = await box.submitWaiter();
    const task = (await box.started(1))!;
    const worker = await box.worker();
    kill(worker.pid);
    await until('the end of the task', () => !isAlive(task));
    await until('the end of the forker', () => !isAlive(worker.forker));
    await box.started(2);
    expect((await box.worker(worker.pid)).pid).not.toBe(worker.pid);
    box.letGo();
    await box.ok('wait', job);
    expect(box.ends()).toEqual([`end ${job}_0 2`]);
    const [view] = await box.json<TaskView[]>('tasks', job);
    expect(view).toMatchObject({ state: 'completed', attempt: 2, failures: 0 });
  });

  test('of keeper and server together: the worker brings them back, and what runs goes on', async () => {
    const job = await box.submitWaiter();
    const task = (await box.started(1))!;
    const [keeper, server] = [await box.keeper(), await box.server()];
    await box.worker();
    kill(keeper.pid, server.pid);
    await box.keeper(keeper.pid);
    await box.server(server.pid);
    expect(isAlive(task)).toBe(true);
    box.letGo();
    await box.ok('wait', job);
    expect(box.ends()).toEqual([`end ${job}_0 1`]);
  });

  test('of everything: the next command brings it back, and the job goes on', async () => {
    const job = await box.submitWaiter('--array', '3');
    await box.started(2);
    const [keeper, server, worker] = [await box.keeper(), await box.server(), await box.worker()];
    kill(keeper.pid, server.pid, worker.pid, worker.forker.pid);
    await until('the end of all', () => ![keeper, server, worker, worker.forker].some(isAlive));
    box.letGo();
    await box.ok('wait', job);
    expect(await jobState(job)).toBe('completed');
    expect(new Set(box.ends().map((line) => line.split(' ')[1]))).toEqual(
      new Set([`${job}_0`, `${job}_1`, `${job}_2`]),
    );
  });
});

describe('stop', () => {
  test('ends what runs with TERM, leaves nothing behind, and the tasks run at the next start', async () => {
    const job = await box.submit('--', 'sh', '-c', `trap 'echo term >>notes; exit 7' TERM\n${WAITER}`);
    await box.started(1);
    expect(await box.ok('server', 'stop')).toBe('stopped\n');
    expect(box.processes()).toEqual([]);
    expect(readdirSync(box.files.runDir, { recursive: true })).toEqual(['agent', 'instances']);
    expect(box.lines('notes')).toEqual([expect.stringMatching(/^start/), 'term']);
    expect((await box.run(['server', 'status'])).code).toBe(3);
    expect(await box.ok('server', 'stop')).toBe('not running\n');

    await box.ok('jobs');
    await box.started(2);
    box.letGo();
    await box.ok('wait', job);
    const [view] = await box.json<TaskView[]>('tasks', job);
    expect(view).toMatchObject({ state: 'completed', attempt: 2, failures: 0 });
  });

  test('by TERM to the keeper or the server is the same', async () => {
    for (const role of ['keeper', 'server'] as const) {
      await box.ok('jobs');
      await box.worker();
      process.kill((await box[role]()).pid, 'SIGTERM');
      await until('the end of every process', () => box.processes().length === 0);
    }
  });

  test('works when nothing answers any more', async () => {
    await box.ok('jobs');
    process.kill((await box.server()).pid, 'SIGSTOP');
    expect(await box.ok('server', 'stop')).toBe('stopped\n');
    expect(box.processes()).toEqual([]);
  });
});
