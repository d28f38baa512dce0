import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { clientOf, unreliable } from '../../test/support/client-on-socket.ts';
import { delta } from '../../test/support/fake-replies.ts';
import { serveOn, socketPath } from '../../test/support/server-on-socket.ts';
import { until } from '../../test/support/until.ts';

test('a watch goes on over a restart of the server and tells nothing twice', async () => {
  const path = socketPath();
  const first = await serveOn(path);
  const watch = clientOf(path).watch('12');
  expect(await watch.next()).toEqual({ value: delta(), done: false });
  const next = watch.next();
  await first.server.close();
  expect(existsSync(path)).toBe(false);

  // As before the restart: told already. Then a change, then the end.
  const second = await serveOn(path);
  await until('the watch to come back', () => second.fake.watchers.size === 1);
  second.fake.tell(delta({ retried: 1 }));
  expect(await next).toEqual({ value: delta({ retried: 1 }), done: false });
  second.fake.tell(delta({ retried: 1, endedAt: 9 }));
  expect(await watch.next()).toEqual({ value: delta({ retried: 1, endedAt: 9 }), done: false });
  expect(await watch.next()).toEqual({ value: undefined, done: true });
});

test('a watch goes on when the link is cut midway, starts a server when there is none, and can give up', async () => {
  const { path, fake } = await serveOn(socketPath());
  const near = socketPath();
  await unreliable(near, path, (connection, bytes) => connection < 3 && bytes.includes('"retried":1'));
  fake.first = delta({ retried: 1 });
  const watch = clientOf(near).watch('12');
  expect((await watch.next()).value).toEqual(delta({ retried: 1 }));
  await watch.return();

  let started = 0;
  const onUnreachable = async () => {
    started++;
    await serveOn(`${near}2`);
  };
  const other = clientOf(`${near}2`, { onUnreachable }).watch('12');
  expect((await other.next()).value).toEqual(delta());
  expect(started).toBe(1);
  await other.return();

  const gone = await serveOn(`${near}3`);
  const last = clientOf(`${near}3`).watch('12', { reconnectForMs: 30 });
  await last.next();
  const end = last.next();
  await gone.server.close();
  await expect(end).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE' });
});

test('a watch that brings not even a ping connects again; pings keep it', async () => {
  const silent = await serveOn(socketPath());
  const watch = clientOf(silent.path, { idleMs: 20 }).watch('12');
  await watch.next();
  const next = watch.next();
  await until('a second connection', () => silent.fake.calls.length >= 2);
  silent.fake.first = delta({ endedAt: 1 });
  expect((await next).value).toEqual(delta({ endedAt: 1 }));
  await watch.return();

  const lively = await serveOn(socketPath(), { watchPingMs: 5 });
  const kept = clientOf(lively.path, { idleMs: 5_000 }).watch('12');
  await kept.next();
  await kept.return();
  await until('the end of the watch', () => lively.fake.watchers.size === 0);
  expect(lively.fake.calls).toHaveLength(1);
});

test('a stream brings messages until the server ends it; leaving it detaches', async () => {
  const { path, fake } = await serveOn(socketPath(), { streamPingMs: 5 });
  fake.replayed = ['{"type":"forget","n":4,"job":1}', '{"type":"drain","n":5}'];
  const client = clientOf(path);
  const stream = client.stream(7, 3);
  expect((await stream.next()).value).toEqual({ type: 'forget', n: 4, job: 1 });
  expect((await stream.next()).value).toEqual({ type: 'drain', n: 5 });
  expect((await stream.next()).value).toEqual({ type: 'ping' });
  for (const sink of fake.sinks) sink.close();
  const rest = await Array.fromAsync(stream);
  expect(rest.every(({ type }) => type === 'ping')).toBe(true);

  const other = client.stream(7, 5);
  await other.next();
  await other.return();
  await until('no sink', () => fake.sinks.size === 0);
});

test('a stream that falls silent or breaks is SERVER_UNREACHABLE', async () => {
  const { path, fake, server } = await serveOn(socketPath());
  await expect(clientOf(path, { idleMs: 20 }).stream(7, 0).next()).rejects.toMatchObject({
    code: 'SERVER_UNREACHABLE',
    message: `server ${path} cannot be reached: it sent nothing for 20 ms`,
  });
  const near = socketPath();
  await unreliable(near, path, (_, bytes) => bytes.includes('drain'));
  const stream = clientOf(near).stream(7, 0).next();
  await until('the sink', () => fake.sinks.size > 0);
  const broken = expect(stream).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE' });
  await until('the break', () => {
    for (const sink of fake.sinks) sink.write('{"type":"drain","n":1}');
    return fake.sinks.size === 0;
  });
  await broken;
  await server.close();
});
