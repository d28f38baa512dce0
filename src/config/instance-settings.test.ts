import { expect, test } from 'vitest';
import { readIgnoreUnsupported, readInstanceSettings, readSandboxSetting } from './instance-settings.ts';

test('nothing set means the usual', () => {
  expect(readInstanceSettings({})).toEqual({ domain: 'spore.host', dnsListen: undefined, retentionMs: 604_800_000 });
});

test('each is read', () => {
  const env = { SPAWN_DNS_DOMAIN: 'lab.example', SPAWN_DNS_LISTEN: '127.0.0.9:5300', SPAWN_INSTANCE_RETENTION: '1h' };
  expect(readInstanceSettings(env)).toEqual({
    domain: 'lab.example',
    dnsListen: { host: '127.0.0.9', port: 5300 },
    retentionMs: 3_600_000,
  });
  expect(readInstanceSettings({ SPAWN_DNS_LISTEN: 'off' }).dnsListen).toBe('off');
});

test.each([
  ['SPAWN_DNS_DOMAIN', 'a_b.c', 'SPAWN_DNS_DOMAIN: expected a domain such as spore.host'],
  ['SPAWN_DNS_DOMAIN', 'a..b', 'SPAWN_DNS_DOMAIN: expected a domain such as spore.host'],
  ['SPAWN_DNS_LISTEN', '53', 'SPAWN_DNS_LISTEN: expected HOST:PORT'],
  ['SPAWN_DNS_LISTEN', 'localhost:99999', 'SPAWN_DNS_LISTEN: expected HOST:PORT'],
  ['SPAWN_INSTANCE_RETENTION', '7', 'SPAWN_INSTANCE_RETENTION: expected a duration of at most 3650d'],
  ['SPAWN_INSTANCE_RETENTION', '3651d', 'SPAWN_INSTANCE_RETENTION: expected a duration of at most 3650d'],
])('%s=%s is refused', (name, value, message) => {
  expect(() => readInstanceSettings({ [name]: value })).toThrow(message);
});

test('how instances are kept apart', () => {
  expect([undefined, '', 'plain', 'separate'].map((text) => readSandboxSetting({ SPAWN_SANDBOX: text }))).toEqual([
    'auto',
    'auto',
    'plain',
    'separate',
  ]);
  expect(() => readSandboxSetting({ SPAWN_SANDBOX: 'no' })).toThrow('SPAWN_SANDBOX: expected auto, separate or plain');
});

test('whether what cannot be honoured is ignored', () => {
  const read = (text?: string) => readIgnoreUnsupported({ SPAWN_IGNORE_UNSUPPORTED: text });
  expect([read(), read(''), read('0'), read('1')]).toEqual([false, false, false, true]);
  expect(() => read('true')).toThrow('SPAWN_IGNORE_UNSUPPORTED: expected 0 or 1, found "true"');
});
