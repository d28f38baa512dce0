import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OwnCoordinator } from '../support/own-coordinator.ts';
import { until } from '../support/until.ts';

const MODULE = `
  import { appendFileSync, existsSync } from 'node:fs';
  import { setTimeout as sleep } from 'node:timers/promises';
  import { defineHandler, Fatal } from 'spawn/handler';

  export const score = defineHandler(({ index, attempt, log }) => {
    log('scoring', index);
    if (index === 3 && attempt === 1) throw new Error('not at once');
    if (index === 4) throw new Fatal('never');
    return { index, score: index * index };
  });
  /** Each call is noted; one in a thousand takes its host with it at the first try. */
  export const risky = ({ index, attempt }) => {
    appendFileSync('calls', index + ' ' + attempt + '\\n');
    if (index % 1000 === 500 && attempt === 1) process.kill(process.pid, 'SIGKILL');
  };
  export const waits = async ({ taskId, attempt, checkpoint, progress }) => {
    const before = await checkpoint.get();
    await checkpoint.put({ seen: (before?.seen ?? 0) + 1 });
    progress(0.5, 'half way');
    appendFileSync('notes', 'start ' + taskId + ' ' + attempt + ' ' + process.pid + ' ' + JSON.stringify(before ?? null) + '\\n');
    while (!existsSync('go')) await sleep(10);
    appendFileSync('notes', 'end ' + taskId + ' ' + attempt + '\\n');
    return before?.seen ?? 0;
  };
  export const noop = () => {};
`;

let box: OwnCoordinator;
beforeEach(() => {
  box = new OwnCoordinator();
  writeFileSync(join(box.folder, 'tasks.ts'), MODULE);
});
afterEach(async () => {
  await box.close();
});

const view = (job: string) => box.json<{ tasks_completed: number }>('status', job);
const submit = (name: string, ...more: string[]) => box.submit(...more, '--handler', `./tasks.ts#${name}`);

test('a function for each task: results, logs, retries, and one that is never tried again', async () => {
  const ran = await box.run(['submit', '--array', '6', '--retries', '2', '--handler', './tasks.ts#score', '--wait']);
  expect(ran.code).toBe(100);
  expect(await view('1')).toMatchObject({ tasks_completed: 5, tasks_failed: 1 });
  expect(await box.ok('logs', '1_5')).toBe('scoring 5\n');
  expect((await box.ok('logs', '1_4')).split('\n').slice(0, 2)).toEqual(['scoring 4', 'Fatal: never']);
  const tasks = await box.json<{ index: number; attempt: number }[]>('tasks', '1');
  expect(tasks.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 2, 1, 1]);
});

test('what is asked in vain', async () => {
  const refused = async (...args: string[]) => {
    const { code, err } = await box.run(['submit', ...args]);
    return [code, err];
  };
  expect(await refused('--handler', './gone.ts')).toEqual([
    2,
    expect.stringContaining('expected a module that exists, found'),
  ]);
  expect(await refused('--handler', './tasks.ts#noop', '--command', 'true')).toEqual([
    2,
    expect.stringContaining('expected --handler alone, found --command too'),
  ]);
});

test('tasks that kill their hosts are found among thousands, and every other runs to its end', async () => {
  const job = await submit('risky', '--array', '5000', '--retries', '1');
  expect((await box.run(['wait', job])).code).toBe(0);
  expect((await view(job)).tasks_completed).toBe(5_000);
  const calls = readFileSync(join(box.folder, 'calls'), 'utf8').split('\n').slice(0, -1);
  const seconds = calls.filter((line) => line.endsWith(' 2')).map((line) => Number(line.split(' ')[0]));
  expect([...new Set(seconds)].toSorted((a, b) => a - b)).toEqual([500, 1500, 2500, 3500, 4500]);
  expect(new Set(calls.filter((line) => line.endsWith(' 1'))).size).toBe(5_000);
});

describe('kill -9', () => {
  test('of the server in the middle of many short tasks: each ends once', async () => {
    const job = await submit('noop', '--array', '300000');
    await until('some are done', async () => (await view(job)).tasks_completed > 10_000);
    const server = await box.server();
    process.kill(server.pid, 'SIGKILL');
    await box.server(server.pid);
    expect((await box.run(['wait', job])).code).toBe(0);
    expect((await view(job)).tasks_completed).toBe(300_000);
  });

  test('of the worker: its hosts die with it, and the next attempt goes on from the checkpoint', async () => {
    const job = await submit('waits', '--array', '2');
    await box.started(2);
    const hosts = box.starts().map((line) => Number(line.split(' ')[3]));
    const worker = await box.worker();
    process.kill(worker.pid, 'SIGKILL');
    await until('the hosts are dead', () => hosts.every((pid) => !existsSync(`/proc/${pid}`)));
    await until('they run again', () => box.starts().length >= 4);
    expect(
      box
        .starts()
        .slice(2)
        .every((line) => line.endsWith('{"seen":1}')),
    ).toBe(true);
    box.letGo();
    expect((await box.run(['wait', job])).code).toBe(0);
    expect(box.ends().toSorted()).toEqual(['end 1_0 2', 'end 1_1 2']);
  });

  test('of the worker in the middle of many short tasks: each ends once', async () => {
    const job = await submit('noop', '--array', '200000');
    await until('some are done', async () => (await view(job)).tasks_completed > 10_000);
    process.kill((await box.worker()).pid, 'SIGKILL');
    expect((await box.run(['wait', job])).code).toBe(0);
    expect((await view(job)).tasks_completed).toBe(200_000);
  });
});
