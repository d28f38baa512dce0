import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { verifySignature } from '../../src/client/verify-signature.ts';
import { PAIRS } from '../support/certificates.ts';
import { OwnCoordinator } from '../support/own-coordinator.ts';
import { PostOffice } from '../support/post-office.ts';
import { Receiver } from '../support/receiver.ts';
import { until } from '../support/until.ts';

const KEY = 'the-key-of-all-signatures';
const PASSWORD = 'the-password-of-ada';
const HOOK = 'T0/B0/the-secret-path';

interface Message {
  readonly alert: number | null;
  readonly event: string;
  readonly state: string;
  readonly attempts: number;
}

let box: OwnCoordinator;
let receiver: Receiver;
let office: PostOffice;

beforeEach(async () => {
  box = new OwnCoordinator();
  receiver = new Receiver(true);
  office = new PostOffice({ secure: true }, PASSWORD);
  await Promise.all([receiver.start(), office.start()]);
  const file = (name: string, text: string) => {
    writeFileSync(join(box.folder, name), text, { mode: 0o600 });
    return join(box.folder, name);
  };
  Object.assign(box.env, {
    NODE_EXTRA_CA_CERTS: file('ca.pem', PAIRS.a.cert),
    SPAWN_WEBHOOK_ALLOW: '127.0.0.0/8,::1',
    SPAWN_SMTP_URL: `smtps://ada@localhost:${office.port}`,
    SPAWN_SMTP_PASSWORD_FILE: file('password', PASSWORD),
    SPAWN_MAIL_FROM: 'spawn@example.org',
  });
  file('key', KEY);
  file('hook', receiver.url('localhost', `/services/${HOOK}`));
});
afterEach(async () => {
  await box.close();
  await Promise.all([receiver.kill(), office.kill()]);
});

const history = () => box.json<Message[]>('alerts', 'history');

test('what a killed coordinator had begun to send is sent by the next one, under the same id, and no secret is left anywhere', async () => {
  const key = `file:${join(box.folder, 'key')}`;
  await box.ok(
    'alerts',
    'create',
    'webhook',
    '--webhook',
    receiver.url(),
    '--secret',
    key,
    '--event',
    'completed,failed',
  );
  await box.ok('alerts', 'create', 'email', '--to', 'bob@example.org', '--event', 'failed');
  await box.ok('alerts', 'create', 'slack', '--webhook', `file:${join(box.folder, 'hook')}`);
  // Nobody answers: it is not known whether it was taken.
  receiver.answer = () => {};
  await box.submit('--name', 'fit', '--array', '4', '--', 'sh', '-c', 'exit $((SPAWN_ORDINAL == 2))');
  await until('both to be asked', () => receiver.received.length >= 2);
  const server = await box.server();
  process.kill(server.pid, 'SIGKILL');
  receiver.answer = (_, reply) => reply.end('ok');
  await box.server(server.pid);
  await until('all to be delivered', async () => {
    const all = await history();
    return all.length === 3 && all.every(({ state }) => state === 'delivered');
  });

  const hooks = receiver.received.filter(({ path }) => path === '/hook');
  expect(hooks.length).toBe(2);
  expect(new Set(hooks.map(({ headers }) => headers['spawn-delivery'])).size).toBe(1);
  for (const { headers, body } of hooks) {
    expect(await verifySignature({ headers, body, secret: KEY })).toBe(true);
    expect(JSON.parse(body)).toMatchObject({
      event: 'failed',
      job: { name: 'fit', counts: { completed: 3, failed: 1 } },
    });
  }
  expect(office.mails.map(({ to, user, secure }) => [to, user, secure])).toEqual([[['bob@example.org'], 'ada', true]]);
  expect(office.mails[0]!.text).toContain('failed indices: 2');
  const posts = receiver.received.filter(({ path }) => path === `/services/${HOOK}`);
  expect(new Set(posts.map(({ headers }) => headers['spawn-delivery'])).size).toBe(1);

  const told = [
    await box.ok('alerts', 'list'),
    await box.ok('alerts', 'history', '-o', 'json'),
    await box.ok('events'),
    await box.ok('alerts', 'test', '3'),
  ];
  const kept = [...filesIn(box.dataDir).map((path) => readFileSync(path, 'latin1')), ...commandLines(), ...told];
  for (const secret of [KEY, PASSWORD, HOOK, 'the-secret-path']) {
    expect(kept.filter((text) => text.includes(secret))).toEqual([]);
  }
});

test('a job tells by its own spec, and a command of yours by its environment', async () => {
  const script = 'echo "$SPAWN_ALERT_EVENT $SPAWN_ALERT_NAME $SPAWN_ALERT_STATE" >>"$0"';
  await box.ok(
    'alerts',
    'create',
    'command',
    '--event',
    'start,completed',
    '--',
    'sh',
    '-c',
    script,
    join(box.folder, 'told'),
  );
  await box.submit('--name', 'mine', '--', 'true');
  await until('both', () => box.lines('told').length === 2);
  expect(box.lines('told').toSorted()).toEqual(['completed mine completed', expect.stringMatching(/^start mine /)]);
  const refused = await box.run([
    'alerts',
    'create',
    'webhook',
    '--webhook',
    'https://example.org/',
    '--secret',
    'file:/nope',
  ]);
  expect(refused).toMatchObject({ code: 78, out: '' });
  expect(refused.err).toContain('file /nope, found no such file');
});

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true);
}

function commandLines(): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      return /^\d+$/.test(pid) ? [readFileSync(`/proc/${pid}/cmdline`, 'utf8')] : [];
    } catch {
      return [];
    }
  });
}
