import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { handlersOnScript, isAlive } from '../../../test/support/handlers-on-script.ts';
import { scriptedJob } from '../../../test/support/scripted-coordinator.ts';
import { until } from '../../../test/support/until.ts';
import { decodeOutcome, outcomeText } from '../../core/outcome.ts';

test('many short tasks: each ends once, in few exchanges, and results lie where it is said', async () => {
  const { submit, coordinator } = handlersOnScript();
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
  const { submit, coordinator, started, how } = handlersOnScript({ resources: { cpus: 1, memoryBytes: 2 ** 30 } });
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
  await until('it is dead', () => !isAlive(pids[0]!));
  expect(coordinator.endOf(next)).toBeUndefined();
});

test('cancel of one that does not listen: it is killed after the grace time, also when it blocks its thread', async () => {
  const { submit, coordinator, started, how } = handlersOnScript();
  submit('stubborn', { graceMs: 100 });
  const fence = coordinator.grant(1, 0, 1);
  await until('it runs', () => started().length === 1);
  await until('it is said to have started', () => coordinator.started.has(fence));
  coordinator.send({ type: 'cancel', fences: [[fence, 1]] });
  await until('its end', () => coordinator.endOf(fence));
  expect(how(fence)).toBe('cancelled');
});

test('of many short ones a revoke gives back what has not started, and each ends or is given back', async () => {
  const { submit, coordinator, warmUp } = handlersOnScript();
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
  const { submit, coordinator, started, how, folder } = handlersOnScript();
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
  const { submit, coordinator, how } = handlersOnScript();
  submit('waits');
  const fence = coordinator.grant(1, 0, 1);
  await until('it is said to have started', () => coordinator.started.has(fence));
  coordinator.send({ type: 'limit', fences: [[fence, 1]], timeLimitMs: 50 });
  await until('its end', () => coordinator.endOf(fence));
  expect(how(fence)).toBe('time limit');
});

test("what a handler keeps from task to task is not a later one's fault: its host is replaced", async () => {
  const { submit, coordinator } = handlersOnScript({ resources: { cpus: 1, memoryBytes: 2 ** 30 } });
  submit('leaks', { memoryBytes: 400 * 2 ** 20 });
  coordinator.grant(1, 0, 60);
  await until('all ends', () => coordinator.ends.length === 60, 25_000);
  expect(coordinator.ends.filter(({ outcome }) => outcome !== 0)).toEqual([]);
});

test('a worker that ends gives back what has not started, and what runs is stopped', async () => {
  const { submit, coordinator, started, worker, done } = handlersOnScript();
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
  for (const line of started()) expect(isAlive(Number(line.split(' ')[1]))).toBe(false);
});

test('two jobs with handlers and one with commands share the slots', async () => {
  const { submit, coordinator } = handlersOnScript();
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
  const { coordinator, submit, started, how } = handlersOnScript(undefined, { leaseMs: 1_500, heartbeatMs: 300 });
  submit('waits');
  const fence = coordinator.grant(1, 0, 1);
  await until('it is said to have started', () => coordinator.started.has(fence));
  coordinator.failure = new Error('away');
  await until('it is dead', () => !isAlive(Number(started()[0]!.split(' ')[1])));
  coordinator.failure = undefined;
  await until('its end', () => coordinator.endOf(fence));
  expect(how(fence)).toBe('worker lost');
});

test('the forker of the hosts is killed: what ran is lost, and the next runs', async () => {
  const { coordinator, submit, started, how, forkers, folder } = handlersOnScript();
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
  const { coordinator, submit, logOf } = handlersOnScript();
  submit('asks');
  const fence = coordinator.grant(1, 0, 1);
  await until('its end', () => coordinator.endOf(fence));
  expect(logOf(1, fence)).toBe(
    'undefined\n{ at: 7 }\nUint8Array(3) [ 1, 2, 3 ]\nprogress: expected a number from 0 to 1, found 2\n',
  );
  expect(coordinator.endOf(fence)?.outcome).toBe(0);
});

test('to a coordinator on another machine logs and results are shipped', async () => {
  const { coordinator, submit } = handlersOnScript({}, { sameHost: false, logDir: undefined });
  submit('says');
  const fence = coordinator.grant(1, 0, 50);
  await until('all ends', () => coordinator.ends.length === 50);
  const end = coordinator.endOf(fence + 49)!;
  const bytesAt = (segment: number, offset: number, length: number) =>
    Buffer.from(coordinator.shipped.get(`1/1/${segment}`)?.subarray(offset, offset + length) ?? []).toString();
  await until('the log', () => bytesAt(end.logSegment, end.logEndOffset - 8, 8) === 'task 49\n');
  await until('the result', () => bytesAt(end.resultSegment, end.resultOffset + 32, 12) === '{"value":49}');
});

test('with the forker of Node, too', async () => {
  const { coordinator, submit, how } = handlersOnScript({ forker: 'node' });
  submit('says');
  const fence = coordinator.grant(1, 0, 50);
  await until('all ends', () => coordinator.ends.length === 50);
  expect(how(fence + 49)).toBe('exit 0');
});

test('what a handler has started dies with its host', async () => {
  const { coordinator, submit, started } = handlersOnScript();
  submit('starts', { graceMs: 50 });
  const fence = coordinator.grant(1, 0, 1);
  await until('it has', () => started().length === 1);
  const pid = Number(started()[0]);
  expect(isAlive(pid)).toBe(true);
  await until('it is said to have started', () => coordinator.started.has(fence));
  coordinator.send({ type: 'cancel', fences: [[fence, 1]] });
  await until('its end', () => coordinator.endOf(fence));
  await until('it is dead', () => !isAlive(pid));
});

test('a handler is given the parameters of its job', async () => {
  const { coordinator, submit, logOf } = handlersOnScript();
  submit('params', { params: { a: 1, b: 2 } });
  const fence = coordinator.grant(1, 0, 1);
  await until('its end', () => coordinator.endOf(fence));
  expect(logOf(1, fence)).toBe('{"a":1,"b":2}\n');
});
