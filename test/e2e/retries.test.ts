import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeSandbox, type Sandbox } from '../support/sandbox.ts';

let at: Sandbox;

beforeAll(() => {
  at = makeSandbox();
});
afterAll(() => at.close());

async function submit(...args: string[]): Promise<{ code: number; id: string; reason: string; canary?: string }> {
  const { code, out, err } = await at.spawn(['submit', '--wait', '-o', 'json', ...args]);
  expect(err).not.toContain('internal error');
  return { code, ...JSON.parse(out) };
}

/** When each attempt of a task started, epoch ms, as the task itself saw it. */
function starts(name: string): number[] {
  return readFileSync(join(at.folder, name), 'utf8').trim().split('\n').map(Number);
}

function numberedFiles(prefix: string): string[] {
  return readdirSync(at.folder).filter((file) => file.startsWith(prefix));
}

test('a delay doubles, and its jitter keeps to its bounds', async () => {
  const script = 'date +%s%3N >>backoff; [ $SPAWN_ATTEMPT -ge 4 ] || exit 75';
  const retries = ['--retries', '5', '--retry-delay', '200ms', '--retry-backoff', 'exponential'];
  const { code } = await submit(...retries, '--retry-jitter', '50%', '--retry-on', '75', '--command', script);
  expect(code).toBe(0);
  const times = starts('backoff');
  expect(times.length).toBe(4);
  const gaps = times.slice(1).map((time, n) => time - times[n]!);
  // Half of 200, 400 and 800 ms at least; a busy machine makes them longer.
  for (const [n, gap] of gaps.entries()) expect(gap).toBeGreaterThanOrEqual(100 * 2 ** n);
});

test('a shell whose command was killed exited with 137: another end than the signal', async () => {
  const shell = `sh -c 'kill -9 $$'; exit $?`;
  const own = 'kill -9 $$';
  const tried = async (command: string, retryOn: string) => {
    const { id } = await submit('--retries', '2', '--retry-on', retryOn, '--command', command);
    const { out } = await at.spawn(['tasks', String(id), '-o', 'json']);
    const [task] = JSON.parse(out);
    return [task.attempt, task.reason];
  };
  expect(await tried(shell, 'SIGKILL')).toEqual([1, 'exit 137 is not retried']);
  expect(await tried(shell, 'exit=137')).toEqual([3, null]);
  expect(await tried(own, 'exit=137')).toEqual([1, 'SIGKILL (9) is not retried']);
  expect(await tried(own, 'SIGKILL')).toEqual([3, null]);
});

test('a canary that fails keeps the rest from running, until it is retried and passes', async () => {
  writeFileSync(join(at.folder, 'input'), 'broken');
  const command = 'touch ran-$JOB_ARRAY_INDEX; ! grep -q broken input';
  const job = await submit('--array', '200', '--canary', '4', '--command', command);
  expect(job).toMatchObject({ code: 1, canary: 'failed', reason: 'canary failed: 4 of 4 did not complete' });
  expect(numberedFiles('ran-').length).toBe(4);
  writeFileSync(join(at.folder, 'input'), 'good');
  expect((await at.spawn(['retry', String(job.id)])).code).toBe(0);
  expect((await at.spawn(['wait', String(job.id)])).code).toBe(0);
  expect(numberedFiles('ran-').length).toBe(200);
});

test('a job begins at its time and is ended at its deadline, its processes with it', async () => {
  const before = Date.now();
  const command = 'date +%s%3N >began; trap "echo term >>ended; exit 0" TERM; sleep 100 & wait';
  const job = await submit('--begin', '1s', '--deadline', '3s', '--command', command);
  expect(job).toMatchObject({ code: 1, state: 'cancelled', reason: 'deadline passed' });
  expect(starts('began')[0]).toBeGreaterThanOrEqual(before + 1_000);
  expect(readFileSync(join(at.folder, 'ended'), 'utf8')).toBe('term\n');
});
