import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PAIRS } from '../../test/support/certificates.ts';
import { PostOffice } from '../../test/support/post-office.ts';
import type { SmtpSettings } from './mail.ts';
import type { Letter } from './notify.ts';
import { openNotifier } from './open.ts';

const LETTER: Letter = {
  id: 'feedfeedfeed-a1-12-ended-1',
  subject: 'spawn: job 12 (größer) completed',
  text: 'All of it.\n.\nBcc: eve@example.org\n',
  facts: {},
};
const PASSWORD = 'correct horse';

let folder: string;
let office: PostOffice;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-mail-'));
  writeFileSync(join(folder, 'password'), `${PASSWORD}\n`);
});
afterEach(async () => {
  await office.kill();
  rmSync(folder, { recursive: true });
});

async function openOffice(...args: ConstructorParameters<typeof PostOffice>): Promise<void> {
  office = new PostOffice(...args);
  await office.start();
}

function send(to: string[], smtp: Partial<SmtpSettings> = {}, signal = new AbortController().signal) {
  const settings: SmtpSettings = {
    host: 'localhost',
    port: office.port,
    tls: 'none',
    from: 'spawn@example.org',
    ca: PAIRS.a.cert,
    ...smtp,
  };
  return openNotifier({ env: {}, smtp: settings }).send({ kind: 'email', to }, LETTER, signal);
}

test('a message is one mail to all, which no robot answers and which is known when it comes twice', async () => {
  await openOffice({ hideSTARTTLS: true });
  expect(await send(['ada@example.org', 'bob@example.org'])).toEqual({ kind: 'sent' });
  const [{ from, to, text }] = office.mails as [(typeof office.mails)[0]];
  expect([from, to]).toEqual(['spawn@example.org', ['ada@example.org', 'bob@example.org']]);
  expect(text).toContain(`Message-ID: <${LETTER.id}@example.org>`);
  expect(text).toContain('Auto-Submitted: auto-generated');
  expect(text).toContain('Subject: =?UTF-8?');
  expect(text.split('\r\n\r\n')[0]).not.toContain('eve');
});

test.each([
  ['implicit', { secure: true }],
  ['starttls', {}],
] as const)('by TLS (%s) with a password from a file', async (tls, options) => {
  await openOffice(options, PASSWORD);
  const secret = { user: 'ada', password: { file: join(folder, 'password') } };
  expect(await send(['ada@example.org'], { tls, ...secret })).toEqual({ kind: 'sent' });
  expect(office.mails[0]).toMatchObject({ user: 'ada', secure: true });
  writeFileSync(join(folder, 'password'), 'wrong one');
  const sent = await send(['ada@example.org'], { tls, ...secret });
  expect(sent).toMatchObject({ kind: 'later', reason: expect.stringContaining('535') });
  expect(JSON.stringify(sent)).not.toContain('wrong one');
  expect(await send(['ada@example.org'], { tls, ...secret, ca: PAIRS.b.cert })).toMatchObject({ kind: 'later' });
  rmSync(join(folder, 'password'));
  expect(await send(['ada@example.org'], { tls, ...secret })).toMatchObject({
    kind: 'later',
    reason: expect.stringContaining('no such file'),
  });
  expect(office.mails).toHaveLength(1);
});

test('without TLS nothing is sent where TLS is asked for', async () => {
  await openOffice({ disabledCommands: ['AUTH', 'STARTTLS'] });
  expect(await send(['ada@example.org'], { tls: 'starttls' })).toMatchObject({ kind: 'later' });
  expect(office.mails).toEqual([]);
});

test.each([
  [550, 'never'],
  [450, 'later'],
] as const)('a receiver that is refused with %i is %s tried again', async (code, kind) => {
  await openOffice({ hideSTARTTLS: true });
  office.refuse = (address) => (address.startsWith('no') ? { code, message: 'Not here' } : undefined);
  expect(await send(['no@example.org'])).toMatchObject({ kind, reason: expect.stringContaining('Not here') });
  expect(await send(['no@example.org', 'ada@example.org'])).toEqual({
    kind: 'sent',
    note: 'the server refused no@example.org',
  });
});

test('a server that is killed in the middle, and one that is not there, are tried later', async () => {
  await openOffice({ hideSTARTTLS: true });
  office.onData = () => office.kill();
  expect(await send(['ada@example.org'])).toMatchObject({ kind: 'later' });
  office.onData = () => {};
  expect(await send(['ada@example.org'])).toMatchObject({
    kind: 'later',
    reason: expect.stringContaining('ECONNREFUSED'),
  });
  office.mails.length = 0;
  await office.start();
  expect(await send(['ada@example.org'])).toEqual({ kind: 'sent' });
  expect(office.mails).toHaveLength(1);
});

test('it is broken off when the coordinator stops', async () => {
  const stop = new AbortController();
  await openOffice({ hideSTARTTLS: true });
  let goOn = () => {};
  office.onData = () => {
    stop.abort();
    return new Promise<void>((resolve) => (goOn = resolve));
  };
  expect(await send(['ada@example.org'], {}, stop.signal)).toEqual({
    kind: 'later',
    reason: 'the coordinator stopped',
  });
  goOn();
});

test('without a server no mail is sent', async () => {
  await openOffice({});
  const sent = await openNotifier({ env: {} }).send(
    { kind: 'email', to: ['a@b.c'] },
    LETTER,
    new AbortController().signal,
  );
  expect(sent).toMatchObject({ kind: 'never' });
});
