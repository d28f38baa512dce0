import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PAIRS } from '../../test/support/certificates.ts';
import { Receiver } from '../../test/support/receiver.ts';
import type { AlertChannel } from '../api/alert.ts';
import { verifySignature } from '../client/verify-signature.ts';
import { parseIpRange } from '../core/ip-class.ts';
import type { Letter } from './notify.ts';
import { type NotifierOptions, openNotifier } from './open.ts';
import { readRetryAfter } from './webhook.ts';

const NOW = 1_767_225_600_000;
const LOOPBACK = [parseIpRange('127.0.0.0/8')!];
const ENV = { HOOK_KEY: 'k3y of the signature' };
const LETTER: Letter = {
  id: 'feedfeedfeed-a1-12-ended-1',
  subject: 'spawn: job 12 (größer) completed <b>',
  text: 'a & b\n',
  facts: { event: 'ended', job: { id: 12 } },
};

let receiver: Receiver;
const open = (options: Partial<NotifierOptions> = {}) =>
  openNotifier({ env: ENV, now: () => NOW, allow: LOOPBACK, timeoutMs: 5_000, ca: PAIRS.a.cert, ...options });
const send = (channel: AlertChannel, options?: Partial<NotifierOptions>) =>
  open(options).send(channel, LETTER, new AbortController().signal);
const hook = (url = receiver.url()): AlertChannel => ({ kind: 'webhook', url, secret: { env: 'HOOK_KEY' } });

beforeEach(async () => {
  receiver = new Receiver();
  await receiver.start();
});
afterEach(() => receiver.kill());

describe('a webhook', () => {
  test('gets the facts, signed so that its receiver can tell', async () => {
    expect(await send(hook())).toEqual({ kind: 'sent' });
    const [{ headers, body }] = receiver.received as [(typeof receiver.received)[0]];
    expect(JSON.parse(body)).toEqual({ id: LETTER.id, subject: LETTER.subject, text: 'a & b\n', ...LETTER.facts });
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'spawn-delivery': LETTER.id,
      'spawn-timestamp': String(NOW / 1_000),
    });
    const check = (changed: object = {}) =>
      verifySignature({ headers, body, secret: ENV.HOOK_KEY, now: NOW + 1_000, ...changed });
    expect(await check()).toBe(true);
    expect(await check({ body: body.replace('12', '13') })).toBe(false);
    expect(await check({ secret: 'another' })).toBe(false);
    expect(await check({ now: NOW + 300_001 })).toBe(false);
    expect(await check({ now: NOW + 300_001, windowMs: 600_000 })).toBe(true);
    expect(await check({ now: NOW - 300_001 })).toBe(false);
    expect(await check({ headers: { ...headers, 'spawn-timestamp': String(NOW / 1_000 + 1) } })).toBe(false);
    expect(await check({ headers: { ...headers, 'spawn-timestamp': 'x' } })).toBe(false);
    expect(await check({ headers: { ...headers, 'spawn-signature': 'v1=00' } })).toBe(false);
    expect(await check({ headers: {} })).toBe(false);
  });

  test('without a key is not signed', async () => {
    await send({ kind: 'webhook', url: receiver.url() });
    expect(receiver.received[0]!.headers['spawn-signature']).toBeUndefined();
  });

  test('by TLS goes to the name of the URL, whose certificate is checked', async () => {
    const secure = new Receiver(true);
    await secure.start();
    try {
      expect(await send(hook(secure.url()))).toEqual({ kind: 'sent' });
      expect(await send(hook(secure.url('127.0.0.1')))).toEqual({ kind: 'sent' });
      const resolve = async () => ['127.0.0.1'];
      expect(await send(hook(secure.url('other.example')), { resolve })).toMatchObject({
        kind: 'later',
        reason: 'ERR_TLS_CERT_ALTNAME_INVALID',
      });
      expect(await send(hook(secure.url()), { ca: PAIRS.b.cert })).toMatchObject({ kind: 'later' });
      expect(secure.received.map(({ headers }) => headers.host)).toEqual([
        `localhost:${secure.port}`,
        `127.0.0.1:${secure.port}`,
      ]);
    } finally {
      await secure.kill();
    }
  });

  test('of Slack gets text in which nothing is a command', async () => {
    expect(await send({ kind: 'slack', url: receiver.url() })).toEqual({ kind: 'sent' });
    const { text } = JSON.parse(receiver.received[0]!.body) as { text: string };
    expect(text).toBe('*spawn: job 12 (größer) completed &lt;b&gt;*\n```\na &amp; b\n```');
  });

  test.each([
    [400, 'never'],
    [404, 'never'],
    [410, 'never'],
    [301, 'never'],
    [307, 'never'],
    [408, 'later'],
    [429, 'later'],
    [500, 'later'],
    [503, 'later'],
  ] as const)('that answers %i is %s tried again', async (status, kind) => {
    receiver.answer = (_, reply) =>
      reply.writeHead(status, { location: receiver.url(), 'retry-after': '7' }).end('no\nsuch thing');
    const sent = await send(hook());
    expect(sent).toMatchObject({
      kind,
      reason: expect.stringContaining(`the receiver answered ${status}: no such thing`),
    });
    if (kind === 'later') expect(sent).toMatchObject({ afterMs: 7_000 });
    expect(receiver.received).toHaveLength(1);
  });

  test('that says back what it was asked keeps the way to it secret', async () => {
    const secret = 'T00secret/B00secret/XXsecretXX';
    receiver.answer = ({ path }, reply) =>
      reply.writeHead(404).end(`no ${path} and XXsecretXX at ${receiver.url('localhost', path)}`);
    const sent = await send({ kind: 'slack', url: receiver.url('localhost', `/services/${secret}`) });
    expect(JSON.stringify(sent)).not.toContain('secret');
    expect(sent).toMatchObject({ kind: 'never' });
  });

  test('that says very much, or never ends, is answered for by its status', async () => {
    receiver.answer = (_, reply) => {
      reply.writeHead(500);
      const more = () => void (reply.destroyed || reply.write('x'.repeat(10_000), () => setImmediate(more)));
      more();
    };
    expect(await send(hook())).toMatchObject({
      kind: 'later',
      reason: expect.stringMatching(/^the receiver answered 500: x{120}$/),
    });
    receiver.answer = (_, reply) => reply.writeHead(200).write('x');
    expect(await send(hook())).toEqual({ kind: 'sent' });
  });

  test('that does not answer is tried later', async () => {
    receiver.answer = () => {};
    expect(await send(hook(), { timeoutMs: 100 })).toEqual({ kind: 'later', reason: 'no answer within 0.1 s' });
  });

  test('that is killed in the middle, and one that is not there, are tried later', async () => {
    receiver.answer = () => void receiver.kill();
    expect(await send(hook())).toEqual({ kind: 'later', reason: 'ECONNRESET' });
    expect(await send(hook())).toEqual({ kind: 'later', reason: 'ECONNREFUSED' });
    receiver.answer = (_, reply) => reply.end();
    await receiver.start();
    expect(await send(hook())).toEqual({ kind: 'sent' });
    expect(new Set(receiver.received.map(({ headers }) => headers['spawn-delivery']))).toEqual(new Set([LETTER.id]));
  });

  test('is broken off when the coordinator stops', async () => {
    const stop = new AbortController();
    receiver.answer = () => stop.abort();
    expect(await open().send(hook(), LETTER, stop.signal)).toEqual({
      kind: 'later',
      reason: 'the coordinator stopped',
    });
  });

  test('whose secret is missing is tried later, and says which', async () => {
    const sent = await send({ kind: 'slack', url: { env: 'NOT_THERE' } });
    expect(sent).toMatchObject({ kind: 'later', reason: expect.stringContaining('NOT_THERE') });
    expect(await send({ kind: 'slack', url: { env: 'HOOK_KEY' } })).toEqual({
      kind: 'never',
      reason: 'expected a URL, found something else',
    });
  });
});

describe('what may not be reached', () => {
  const refused = { kind: 'never', reason: expect.stringContaining('webhook_allow') };

  test.each([
    'http://127.0.0.1:PORT/',
    'http://127.1:PORT/',
    'http://0x7f000001:PORT/',
    'http://2130706433:PORT/',
    'http://[::1]:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'http://localhost:PORT/',
    'http://0.0.0.0:PORT/',
    'http://169.254.169.254/latest/meta-data/',
    'http://[fd00:ec2::254]/',
    'http://10.0.0.1/',
    'http://100.100.100.200/',
  ])('%s', async (url) => {
    expect(await send(hook(url.replace('PORT', String(receiver.port))), { allow: [] })).toEqual(refused);
    expect(receiver.received).toEqual([]);
  });

  test('a name that means a public address when it is looked at, and then another one, is looked at each time', async () => {
    const answers = [['127.0.0.1'], ['10.0.0.7']];
    const notifier = open({ resolve: async () => answers.shift() ?? [] });
    const to = hook(receiver.url('rebind.example'));
    const { signal } = new AbortController();
    expect(await notifier.send(to, LETTER, signal)).toEqual({ kind: 'sent' });
    expect(await notifier.send(to, LETTER, signal)).toEqual(refused);
    expect(await notifier.send(to, LETTER, signal)).toMatchObject({
      kind: 'never',
      reason: expect.stringContaining('no address'),
    });
    expect(receiver.received).toHaveLength(1);
    expect(receiver.received[0]!.headers.host).toBe(`rebind.example:${receiver.port}`);
  });

  test('of several addresses only allowed ones are used, the next when nobody is at one', async () => {
    const resolve = async () => ['10.0.0.1', '127.0.0.2', '127.0.0.1'];
    expect(await send(hook(receiver.url('many.example')), { resolve })).toEqual({ kind: 'sent' });
    const none = async () => ['10.0.0.1', 'fe80::1%eth0'];
    expect(await send(hook(receiver.url('many.example')), { resolve: none })).toEqual({
      kind: 'never',
      reason: expect.stringContaining('many.example is at 10.0.0.1 (private), fe80::1%eth0 (no plain address)'),
    });
  });

  test('other protocols, and URLs with a password', async () => {
    expect(await send(hook('ftp://example.org/'))).toEqual({
      kind: 'never',
      reason: 'expected a URL with https or http, found ftp',
    });
    const sent = await send(hook('https://ada:hunter2@example.org/'));
    expect(sent).toMatchObject({ kind: 'never' });
    expect(JSON.stringify(sent)).not.toContain('hunter2');
  });

  test('a name server that does not answer is not waited for', async () => {
    const resolve = () => new Promise<never>(() => {});
    expect(await send(hook(), { resolve, timeoutMs: 50 })).toEqual({
      kind: 'later',
      reason: 'no answer within 0.05 s',
    });
  });
});

test.each([
  [undefined, undefined],
  ['7', 7_000],
  ['Thu, 01 Jan 2026 00:00:10 GMT', 10_000],
  ['Thu, 01 Jan 2015 00:00:10 GMT', 0],
  ['soon', undefined],
])('Retry-After %j is %j ms', (text, ms) => {
  expect(readRetryAfter(text, NOW)).toBe(ms);
});
