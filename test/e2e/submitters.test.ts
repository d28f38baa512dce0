import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SpawnClient } from '../../src/client/client.ts';
import { unixTransport } from '../../src/client/node/unix-transport.ts';
import { readSettings } from '../../src/config/settings.ts';
import { runProgram } from '../support/run-program.ts';
import { makeSandbox, type Sandbox } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

const PROCESSES = 4;
const CLIENTS = 50;
const JOBS = 25;
const COMMANDS = 40;
const ALL = PROCESSES * CLIENTS * JOBS + COMMANDS;

const program = fileURLToPath(new URL('../support/submit-many.ts', import.meta.url));
let box: Sandbox;
let socketPath: string;
let spawn: SpawnClient;

beforeAll(async () => {
  box = makeSandbox();
  socketPath = readSettings(box.env, process.getuid!()).socketPath;
  expect((await box.spawn(['server', 'start'])).code).toBe(0);
  spawn = new SpawnClient({ transport: unixTransport(socketPath), retryForMs: 60_000 });
});
afterAll(async () => {
  spawn.close();
  await box.close();
});

/** Asks how the server is until it is told to stop; gives how long each answer took, ms. */
async function ask(stop: AbortSignal): Promise<number[]> {
  const took: number[] = [];
  while (!stop.aborted) {
    const from = performance.now();
    await spawn.server();
    took.push(performance.now() - from);
  }
  return took;
}

test('two hundred submitters, lost replies and a killed server make each job exactly once', {
  timeout: 300_000,
}, async () => {
  const stop = new AbortController();
  const answers = ask(stop.signal);
  const many = Array.from({ length: PROCESSES }, (_, group) =>
    runProgram([program, socketPath, String(group), String(CLIENTS), String(JOBS)], { cwd: box.folder, env: box.env }),
  );
  const single = Array.from({ length: COMMANDS }, (_, number) =>
    box.spawn(['submit', '--quiet', '--hold', '--name', `single-${number}`, '--', 'true']),
  );
  const liveJobs = async () => (await spawn.server()).liveJobs;
  await until('a good part of the jobs', async () => (await liveJobs()) > ALL / 3, 120_000);
  const pid = () => JSON.parse(readFileSync(join(box.dataDir, 'run', 'server.json'), 'utf8')).pid as number;
  process.kill(pid(), 'SIGKILL');

  const printed = await Promise.all(many);
  const commands = await Promise.all(single);
  stop.abort();
  const took = (await answers).toSorted((a, b) => a - b);
  const slowest = Math.round(took.at(-1)!);
  console.log(
    `GET /v1/server: ${took.length} answers, median ${took[took.length >> 1]!.toFixed(1)} ms, slowest ${slowest} ms`,
  );

  expect(printed.map(({ code, err }) => ({ code, err }))).toEqual(printed.map(() => ({ code: 0, err: '' })));
  expect(commands.map(({ code }) => code)).toEqual(commands.map(() => 0));
  const told = printed.flatMap(({ out }) =>
    out
      .trim()
      .split('\n')
      .map((line) => line.split(' ')),
  );
  commands.forEach(({ out }, number) => void told.push([`single-${number}`, out.trim()]));

  const jobs = await Array.fromAsync(spawn.allJobs({ show: 'all' }));
  expect(jobs.map(({ id }) => id)).toEqual(Array.from({ length: ALL }, (_, at) => ALL - at));
  // Each was told its own job, and there is no other.
  const found = new Map(jobs.map(({ name, id }) => [name, String(id)]));
  expect(found.size).toBe(ALL);
  expect(told.filter(([name, id]) => found.get(name!) !== id)).toEqual([]);
  expect(told).toHaveLength(ALL);
  expect((await spawn.server()).epoch).toBeGreaterThan(1);
});
