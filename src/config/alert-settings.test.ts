import { expect, test } from 'vitest';
import { readAlertSettings } from './alert-settings.ts';

const FROM = { SPAWN_MAIL_FROM: 'spawn@example.org' };
const read = (env: Record<string, string>) => readAlertSettings(env);

test('without settings there is no mail, and nothing but the public internet', () => {
  expect(read({})).toEqual({ smtp: undefined, allow: [], sharedSecrets: new Set() });
});

test.each([
  ['smtps://mail.example.org', { host: 'mail.example.org', port: 465, tls: 'implicit' }],
  ['smtp://mail.example.org/', { host: 'mail.example.org', port: 587, tls: 'starttls' }],
  ['smtp://[::1]:2525?tls=never', { host: '::1', port: 2525, tls: 'none' }],
  ['smtp://relay?tls=never', { host: 'relay', port: 25, tls: 'none' }],
])('%s', (url, server) => {
  expect(read({ SPAWN_SMTP_URL: url, ...FROM }).smtp).toEqual({ ...server, from: 'spawn@example.org' });
});

test('a user has a password, which is in a file', () => {
  const { smtp } = read({ SPAWN_SMTP_URL: 'smtps://a%40b@h', SPAWN_SMTP_PASSWORD_FILE: '/run/pw', ...FROM });
  expect(smtp).toMatchObject({ user: 'a@b', password: { file: '/run/pw' } });
});

test.each([
  [{ SPAWN_SMTP_URL: 'smtps://h' }, 'SPAWN_MAIL_FROM'],
  [{ SPAWN_SMTP_URL: 'smtps://h', SPAWN_MAIL_FROM: 'me' }, 'SPAWN_MAIL_FROM: expected an e-mail address, found "me"'],
  [{ SPAWN_SMTP_URL: 'https://h', ...FROM }, 'SPAWN_SMTP_URL: expected smtps://'],
  [{ SPAWN_SMTP_URL: 'smtps://h/path', ...FROM }, 'SPAWN_SMTP_URL'],
  [{ SPAWN_SMTP_URL: 'smtps://h?tls=never', ...FROM }, 'SPAWN_SMTP_URL'],
  [{ SPAWN_SMTP_URL: 'mail', ...FROM }, 'SPAWN_SMTP_URL'],
  [{ SPAWN_SMTP_URL: 'smtps://ada@h', ...FROM }, 'SPAWN_SMTP_PASSWORD_FILE: expected'],
  [{ SPAWN_SMTP_URL: 'smtps://h', SPAWN_SMTP_PASSWORD_FILE: '/pw', ...FROM }, 'SPAWN_SMTP_URL: expected'],
  [{ SPAWN_SMTP_URL: 'smtps://ada@h', SPAWN_SMTP_PASSWORD_FILE: 'pw', ...FROM }, 'expected an absolute path'],
  [{ SPAWN_SMTP_URL: 'smtp://ada@h?tls=never', SPAWN_SMTP_PASSWORD_FILE: '/pw', ...FROM }, 'no user with'],
  [{ SPAWN_WEBHOOK_ALLOW: '10.0.0.0/8,private' }, 'SPAWN_WEBHOOK_ALLOW: expected addresses and ranges'],
  [{ SPAWN_SHARED_SECRETS: 'SLACK' }, 'SPAWN_SHARED_SECRETS: expected env:NAME'],
])('%j is refused', (env, message) => {
  expect(() => read(env)).toThrow(message);
});

test('a password in the URL is refused and not shown', () => {
  const refuse = () => read({ SPAWN_SMTP_URL: 'smtps://ada:hunter2@h', ...FROM });
  expect(refuse).toThrow('expected no password');
  expect(refuse).not.toThrow('hunter2');
});

test('lists are read', () => {
  const { allow, sharedSecrets } = read({
    SPAWN_WEBHOOK_ALLOW: '127.0.0.1, 10.0.0.0/8',
    SPAWN_SHARED_SECRETS: 'env:SLACK,file:/etc/spawn/hook',
  });
  expect(allow).toEqual([
    { bytes: [127, 0, 0, 1], bits: 32 },
    { bytes: [10, 0, 0, 0], bits: 8 },
  ]);
  expect([...sharedSecrets]).toEqual(['env:SLACK', 'file:/etc/spawn/hook']);
});
