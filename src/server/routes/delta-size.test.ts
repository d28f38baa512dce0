import { expect, onTestFinished, test } from 'vitest';
import { clientOf } from '../../../test/support/client-on-socket.ts';
import { LedgerAtHand, WorkerAtHand } from '../../../test/support/ledger-at-hand.ts';
import { socketPath } from '../../../test/support/server-on-socket.ts';
import { until } from '../../../test/support/until.ts';
import { GRID_MS } from '../../coordinator/grid.ts';
import { createServer } from '../server.ts';

test('what a watcher of a million tasks is told of a change is as large as the change', async () => {
  const at = await LedgerAtHand.open();
  const server = await createServer(at.coordinator, { version: '1', timing: { closeGraceMs: 50 } });
  const path = socketPath();
  await server.listenUnix(path);
  onTestFinished(() => server.close());
  const client = clientOf(path);
  const worker = await WorkerAtHand.join(at);
  const id = String(await at.submit({ array: '0-999999', cpus: 1 }));

  const stop = new AbortController();
  const grid: { cells: number; bytes: number }[] = [];
  const jobs: { completed: number; bytes: number }[] = [];
  const readGrid = async () => {
    for await (const delta of client.watchGrid(id, 1_024, { signal: stop.signal })) {
      grid.push({ cells: delta.changed.length, bytes: JSON.stringify(delta).length });
    }
  };
  const readJob = async () => {
    for await (const delta of client.watch(id, { signal: stop.signal })) {
      jobs.push({ completed: delta.counts.completed, bytes: JSON.stringify(delta).length });
    }
  };
  const reading = Promise.allSettled([readGrid(), readJob()]);
  await until('the first of both', () => grid.length === 1 && jobs.length > 0);
  expect(grid[0]).toMatchObject({ cells: 1_024 });
  for (let round = 1; round <= 5; round++) {
    await worker.end(Number(id), [[...worker.held.values()][0]!.position]);
    await until(`change ${round} of the grid`, () => {
      at.clock.pass(GRID_MS);
      return grid.length > round;
    });
  }
  await until('the last of the job', () => jobs.at(-1)?.completed === 5);
  stop.abort();
  await reading;
  expect(Math.max(...grid.slice(1).map(({ cells }) => cells))).toBeLessThan(64);
  expect(Math.max(...grid.slice(1).map(({ bytes }) => bytes))).toBeLessThan(2_000);
  expect(Math.max(...jobs.map(({ bytes }) => bytes))).toBeLessThan(300);
});
