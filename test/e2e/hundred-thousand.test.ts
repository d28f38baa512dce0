import { afterAll, expect, it } from 'vitest';
import { SpawnClient } from '../../src/client/client.ts';
import { unixTransport } from '../../src/client/node/unix-transport.ts';
import { readSettings } from '../../src/config/settings.ts';
import { runEmptyWorker } from '../support/empty-worker.ts';
import { makeSandbox } from '../support/sandbox.ts';

const SIZE = 100_000;
const box = makeSandbox();
const stop = new AbortController();
afterAll(async () => {
  stop.abort();
  await box.close();
});

/** A thousandth fails. */
const fails = (position: number) => position % 1_000 === 7;

it('runs, lists and retries an array of 100,000', { timeout: 120_000 }, async () => {
  // No worker of its own: nothing is to be measured here but what the coordinator does.
  const env = { SPAWN_LOCAL_WORKERS: '0' };
  const submitted = await box.spawn(['submit', '--quiet', '--array', String(SIZE), '--', 'true'], { env });
  expect(submitted.code, submitted.err).toBe(0);
  const id = submitted.out.trim();
  const { socketPath } = readSettings(box.env, process.getuid!());
  const client = new SpawnClient({ transport: unixTransport(socketPath) });
  let round = 0;
  const worker = runEmptyWorker(client, 2, (position) => (round === 0 && fails(position) ? 3 : 0), stop.signal);
  worker.catch(() => {});

  const waited = await box.spawn(['wait', id]);
  expect(waited.code, waited.err).toBe(3);
  const listed = await box.spawn(['tasks', id, '--limit', String(SIZE), '-o', 'json']);
  const tasks = JSON.parse(listed.out) as { index: number; state: string; exit_code: number }[];
  expect(tasks.map(({ index }) => index)).toEqual(Array.from({ length: SIZE }, (_, index) => index));
  expect(
    tasks.every(
      ({ state, exit_code }, at) => state === (fails(at) ? 'failed' : 'completed') && exit_code === (fails(at) ? 3 : 0),
    ),
  ).toBe(true);

  round = 1;
  const retried = await box.spawn(['retry', id]);
  expect(retried.out).toContain(`${SIZE / 1_000} tasks`);
  expect((await box.spawn(['wait', id])).code).toBe(0);
  const again = await box.spawn(['tasks', id, '--limit', String(SIZE), '-o', 'json']);
  const attempts = (JSON.parse(again.out) as { attempt: number }[]).map(({ attempt }) => attempt);
  expect(attempts).toEqual(Array.from({ length: SIZE }, (_, at) => (fails(at) ? 2 : 1)));
});
