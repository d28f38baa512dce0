import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { delta } from '../../../test/support/fake-replies.ts';
import { serveOn, socketPath } from '../../../test/support/server-on-socket.ts';
import { until } from '../../../test/support/until.ts';

async function watch(path: string): Promise<{ reply: IncomingMessage; text: () => string; retried: () => number[] }> {
  const sent = request({ socketPath: path, path: '/v1/jobs/12/watch', agent: false }).end();
  sent.on('error', () => {});
  onTestFinished(() => void sent.destroy());
  const [reply] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  reply.setEncoding('utf8');
  reply.on('data', (chunk: string) => {
    text += chunk;
  });
  return {
    reply,
    text: () => text,
    retried: () =>
      [...text.matchAll(/^event: job\ndata: (.*)\n\n/gm)].map(([, data]) => JSON.parse(data ?? '').retried),
  };
}

test('it tells the first delta at once and ends after the one of the end', async () => {
  const { path, fake } = await serveOn(socketPath());
  const { reply, text, retried } = await watch(path);
  expect(reply.headers['content-type']).toBe('text/event-stream; charset=utf-8');
  await until('the first delta', () => retried().length === 1);
  const last = delta({ state: 'completed', endedAt: 5_000, exitCode: 0, retried: 1 });
  fake.tell(last);
  await once(reply, 'end');
  expect(text()).toContain(`event: job\ndata: ${JSON.stringify(last)}\n\n`);
  await until('no listener', () => fake.watchers.size === 0);
});

test('a job that ended before is told once', async () => {
  const { path, fake } = await serveOn(socketPath());
  fake.first = delta({ endedAt: 5_000 });
  const { reply, retried } = await watch(path);
  await once(reply, 'end');
  expect(retried()).toEqual([0]);
});

test('many changes of one moment become one, and the last of them is never lost', async () => {
  const { path, fake } = await serveOn(socketPath(), { watchEveryMs: 40 });
  const { retried } = await watch(path);
  for (let i = 1; i <= 1_000; i++) fake.tell(delta({ retried: i }));
  await until('the newest', () => retried().at(-1) === 1_000);
  expect(retried().length).toBeLessThanOrEqual(3);
});

test('the end does not wait for its turn', async () => {
  const { path, fake } = await serveOn(socketPath(), { watchEveryMs: 600_000 });
  const { reply, retried } = await watch(path);
  fake.tell(delta({ retried: 1 }));
  fake.tell(delta({ retried: 2, endedAt: 5_000 }));
  await once(reply, 'end');
  expect(retried()).toEqual([0, 2]);
});

test('a quiet watch sends comments', async () => {
  const { path } = await serveOn(socketPath(), { watchPingMs: 5 });
  const { text } = await watch(path);
  await until('a comment', () => text().includes('\n\n: ping\n\n'));
});

test('a reader that goes away is no longer told', async () => {
  const { path, fake } = await serveOn(socketPath());
  const { reply } = await watch(path);
  expect(fake.watchers.size).toBe(1);
  reply.destroy();
  await until('no listener', () => fake.watchers.size === 0);
});
