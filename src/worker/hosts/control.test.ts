import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type ScriptedCoordinator, scriptedJob } from '../../../test/support/scripted-coordinator.ts';
import { until } from '../../../test/support/until.ts';
import { workerOnScript } from '../../../test/support/worker-on-script.ts';
import { decodeOutcome, outcomeText } from '../../core/outcome.ts';

const MODULE = `
  import { appendFileSync, existsSync } from 'node:fs';
  import { setTimeout as sleep } from 'node:timers/promises';
  export const quick = () => {};
  export const value = ({ index }) => ({ index });
  /** Notes its beginning, then waits until a file is there. */
  export const waits = async ({ position, signal }) => {
    appendFileSync('started', position + ' ' + process.pid + '\\n');
    while (!existsSync('go')) await sleep(5, undefined, { signal });
  };
  export const stubborn = ({ position }) => {
    appendFileSync('started', position + ' ' + process.pid + '\\n');
    const until = Date.now() + 20_000;
    while (Date.now() < until);
  };
  export const slow = async () => { await sleep(3); };
  export const leaks = () => { (globalThis.kept ??= []).push(Buffer.alloc(20_000_000, 1)); };
  export const params = ({ params }) => console.log(JSON.stringify(params));
  export const notFunction = 7;
  export const asks = async ({ checkpoint, progress, log }) => {
    log(await checkpoint.get());
    await checkpoint.put({ at: 7 });
    log(await checkpoint.get());
    await checkpoint.put(Uint8Array.of(1, 2, 3));
    log(await checkpoint.get());
    progress(0.5, 'half');
    try { progress(2); } catch (error) { log(error.message); }
  };
`;

function setUp(changes = {}, of: Partial<ScriptedCoordinator> = {}) {
  const script = workerOnScript();
  Object.assign(script.coordinator, of);
  writeFileSync(join(script.folder, 'tasks.ts'), MODULE);
  script.start(changes);
  const { coordinator } = script;
  const submit = (name: string, more = {}, id = 1, module = './tasks.ts') => {
    const run = { kind: 'handler' as const, module, export: name };
    coordinator.send({ type: 'job', job: scriptedJob(id, '0-9999', { cwd: script.folder, ...more, run } as never) });
  };
  const started = () => script.read('started').split('\n').filter(Boolean);
  const how = (fence: number) => outcomeText(decodeOutcome(coordinator.endOf(fence)!.outcome));
  /** Makes it known that tasks of the job are short, so that many go to a host at once. */
  const warmUp = async (id = 1) => {
    const fence = coordinator.grant(id, 5_000, 200);
    await until('warm', () => coordinator.endOf(fence + 199));
    return coordinator.ends.length;
  };
  return { ...script, submit, started, how, warmUp, isAlive };
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

test('many short tasks: each ends once, in few exchanges, and results lie where it is said', async () => {
  const { submit, coordinator } = setUp();
  submit('value');
  const fence = coordinator.grant(1, 0, 5_000);
  await until('all ends', () => coordinator.ends.length === 5_000);
  expect(new Set(coordinator.ends.map((end) => end.fence)).size).toBe(5_000);
  expect(coordinator.ends.every(({ outcome, resultBytes }) => outcome === 0 && resultBytes! > 32)).toBe(true);
  expect(coordinator.endOf(fence + 4_999)?.wallUs).toBeGreaterThan(0);
  expect(coordinator.exchanges.length).toBeLessThan(500);
  expect(coordinator.held.size).toBe(0);
});

test('cancel: the signal is aborted, what has not started goes back, and the host lives on', async () => {
  const { submit, coordinator, started, how, isAlive: lives } = setUp({ resources: { cpus: 1, memoryBytes: 2 ** 30 } });
  submit('waits');
  const fence = coordinator.grant(1, 0, 5);
  await until('one runs', () => started().length === 1);
  coordinator.send({ type: 'cancel', fences: [[fence, 5]] });
  await until('its end', () => coordinator.endOf(fence));
  await until('the others', () => coordinator.returned.length === 4);
  expect([how(fence), coordinator.ends.length]).toEqual(['cancelled', 1]);
  const next = coordinator.grant(1, 7, 1);
  await until('the next runs', () => started().length === 2);
  const pids = started().map((line) => Number(line.split(' ')[1]));
  expect(pids[0]).toBe(pids[1]);
  coordinator.drop([[next, 1]]);
  await until('it is dead', () => !lives(pids[0]!));
  expect(coordinator.endOf(next)).toBeUndefined();
});

test('cancel of one that does not listen: it is killed after the grace time, also when it blocks its thread', async () => {
  const { submit, coordinator, started, how } = setUp();
  submit('stubborn', { graceMs: 100 });
  const fence = coordinator.grant(1, 0, 1);
  await until('it runs', () => started().length === 1);
  await until('it is said to have started', () => coordinator.started.has(fence));
  coordinator.send({ type: 'cancel', fences: [[fence, 1]] });
  await until('its end', () => coordinator.endOf(fence));
  expect(how(fence)).toBe('cancelled');
});

test('of many short ones a revoke gives back what has not started, and each ends or is given back', async () => {
  const { submit, coordinator, warmUp } = setUp();
  submit('slow');
  const fence = coordinator.grant(1, 0, 400);
  await until('some ended', () => coordinator.ends.length > 20);
  coordinator.send({ type: 'revoke', fences: [[fence + 30, 300]] });
  await until('all are over', () => coordinator.held.size === 0);
  expect(coordinator.returned.length).toBeGreaterThan(200);
  expect(coordinator.ends.length + coordinator.returned.length).toBe(400);
  expect(await warmUp()).toBeGreaterThan(200);
});

test('suspended, it stands still and its time limit with it; then it goes on', async () => {
  const { submit, coordinator, started, how, folder } = setUp();
  submit('waits', { timeLimitMs: 1_000 });
  const fence = coordinator.grant(1, 0, 1);
  await until('it is said to have started', () => coordinator.started.has(fence));
  const pid = Number(started()[0]!.split(' ')[1]);
  coordinator.send({ type: 'suspend', fences: [[fence, 1]] });
  await until('it is stopped', () => /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')));
  const since = performance.now();
  await until('the limit has passed', () => performance.now() - since > 1_200);
  expect(coordinator.endOf(fence)).toBeUndefined();
  coordinator.send({ type: 'resume', fences: [[fence, 1]] });
  writeFileSync(join(folder, 'go'), '');
  await until('its end', () => coordinator.endOf(fence));
  expect(how(fence)).toBe('exit 0');
  expect(coordinator.endOf(fence)!.wallUs!).toBeLessThan(1_200_000);
});

test('another time limit reaches what runs', async () => {
  const { submit, coordinator, how } = setUp();
  submit('waits');
  const fence = coordinator.grant(1, 0, 1);
  await until('it is said to have started', () => coordinator.started.has(fence));
  coordinator.send({ type: 'limit', fences: [[fence, 1]], timeLimitMs: 50 });
  await until('its end', () => coordinator.endOf(fence));
  expect(how(fence)).toBe('time limit');
});

const unusable: readonly [what: string, name: string, module: string, text: RegExp][] = [
  ['a module that is not there', 'quick', './gone.ts', /^spawn: cannot load the module .*gone\.ts: Cannot find module/],
  [
    'an export that is not there',
    'nothing',
    './tasks.ts',
    /^spawn: the module .* has no export nothing; it exports the functions asks, leaks, params, quick/,
  ],
  [
    'an export that is no function',
    'notFunction',
    './tasks.ts',
    /^spawn: the export notFunction of .* is no function, but number\n$/,
  ],
  [
    'a module with an error in it',
    'quick',
    './broken.ts',
    /^spawn: cannot load the module .*broken\.ts[\s\S]*SyntaxError/,
  ],
  ['a module that throws', 'quick', './throws.ts', /^spawn: cannot load the module [\s\S]*Error: not today/],
  [
    'a module that exits',
    'quick',
    './exits.ts',
    /^spawn: the module ended its process with exit code 4 while it was loaded\n$/,
  ],
  [
    'a module that dies',
    'quick',
    './dies.ts',
    /^spawn: its host ended while the module was loaded \(SIGKILL \(9\)\)\n$/,
  ],
  ['a module of ours that is not there', 'x', 'spawn:nothing', /^spawn: there is no module spawn:nothing; known are: /],
];

test.each(unusable)('%s: every task says so, and no host is started again and again', async (_, name, module, text) => {
  const { submit, coordinator, how, logOf, folder } = setUp();
  writeFileSync(join(folder, 'broken.ts'), 'export const quick = ((;\n');
  writeFileSync(join(folder, 'throws.ts'), "throw new Error('not today');\n");
  writeFileSync(join(folder, 'exits.ts'), 'process.exit(4);\n');
  writeFileSync(join(folder, 'dies.ts'), "process.kill(process.pid, 'SIGKILL');\n");
  submit(name, {}, 1, module);
  const fence = coordinator.grant(1, 0, 500);
  await until('all ends', () => coordinator.ends.length === 500);
  expect([how(fence), how(fence + 499)]).toEqual(['exit 126', 'exit 126']);
  for (const one of [fence, fence + 250, fence + 499]) expect(logOf(1, one)).toMatch(text);
});

test('a directory that is not there: the tasks say so', async () => {
  const { submit, coordinator, logOf } = setUp();
  submit('quick', { cwd: '/no/such/place' });
  const fence = coordinator.grant(1, 0, 3);
  await until('all ends', () => coordinator.ends.length === 3);
  expect(logOf(1, fence)).toBe('spawn: cannot enter /no/such/place: No such file or directory\n');
});

test("what a handler keeps from task to task is not a later one's fault: its host is replaced", async () => {
  const { submit, coordinator } = setUp({ resources: { cpus: 1, memoryBytes: 2 ** 30 } });
  submit('leaks', { memoryBytes: 400 * 2 ** 20 });
  coordinator.grant(1, 0, 60);
  await until('all ends', () => coordinator.ends.length === 60, 25_000);
  expect(coordinator.ends.filter(({ outcome }) => outcome !== 0)).toEqual([]);
});

test('a worker that ends gives back what has not started, and what runs is stopped', async () => {
  const { submit, coordinator, started, worker, done, isAlive: lives } = setUp();
  submit('waits');
  coordinator.grant(1, 0, 50);
  await until('two run', () => started().length === 2);
  worker.end();
  expect(await done).toBe('left');
  expect([coordinator.returned.length, coordinator.ends.length]).toEqual([48, 2]);
  expect(coordinator.ends.map(({ outcome }) => outcomeText(decodeOutcome(outcome)))).toEqual([
    'preempted',
    'preempted',
  ]);
  for (const line of started()) expect(lives(Number(line.split(' ')[1]))).toBe(false);
});

test('two jobs with handlers and one with commands share the slots', async () => {
  const { submit, coordinator } = setUp();
  submit('slow', {}, 1);
  submit('slow', {}, 2);
  coordinator.send({ type: 'job', job: scriptedJob(3, '0-9', { run: { kind: 'shell', text: 'true' } } as never) });
  coordinator.grant(1, 0, 300);
  coordinator.grant(2, 0, 300);
  const command = coordinator.grant(3, 0, 10);
  await until('all are over', () => coordinator.held.size === 0);
  expect(coordinator.ends).toHaveLength(610);
  const order = coordinator.ends.map(({ fence }) => fence);
  expect(order.indexOf(command)).toBeGreaterThan(-1);
});

test('a lease that cannot be renewed ends the host in time, and what it ran is lost', async () => {
  const { coordinator, submit, started, how, isAlive: lives } = setUp(undefined, { leaseMs: 1_500, heartbeatMs: 300 });
  submit('waits');
  const fence = coordinator.grant(1, 0, 1);
  await until('it is said to have started', () => coordinator.started.has(fence));
  coordinator.failure = new Error('away');
  await until('it is dead', () => !lives(Number(started()[0]!.split(' ')[1])));
  coordinator.failure = undefined;
  await until('its end', () => coordinator.endOf(fence));
  expect(how(fence)).toBe('worker lost');
});

test('the forker of the hosts is killed: what ran is lost, and the next runs', async () => {
  const { coordinator, submit, started, how, forkers, folder } = setUp();
  submit('waits');
  const fence = coordinator.grant(1, 0, 1);
  await until('it is said to have started', () => coordinator.started.has(fence));
  expect(started()).toHaveLength(1);
  process.kill(forkers[1]!.pid, 'SIGKILL');
  await until('its end', () => coordinator.endOf(fence));
  expect(how(fence)).toBe('worker lost');
  writeFileSync(join(folder, 'go'), '');
  const next = coordinator.grant(1, 1, 3);
  await until('the next', () => coordinator.endOf(next + 2));
  expect(how(next + 2)).toBe('exit 0');
});

test('what a handler asks of its worker: a checkpoint, and progress', async () => {
  const { coordinator, submit, logOf } = setUp();
  submit('asks');
  const fence = coordinator.grant(1, 0, 1);
  await until('its end', () => coordinator.endOf(fence));
  expect(logOf(1, fence)).toBe(
    'undefined\n{ at: 7 }\nUint8Array(3) [ 1, 2, 3 ]\nprogress: expected a number from 0 to 1, found 2\n',
  );
  expect(coordinator.endOf(fence)?.outcome).toBe(0);
});
