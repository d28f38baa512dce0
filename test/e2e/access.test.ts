import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { CertificateFiles } from '../../src/server/certificates.ts';
import { certificateFiles, writePair } from '../support/certificates.ts';
import { type Ended, makeSandbox, type RunOptions, type Sandbox } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

let box: Sandbox;
beforeEach(() => {
  box = makeSandbox();
});
afterEach(async () => {
  await box.close();
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function ok(args: readonly string[], options?: RunOptions): Promise<Ended> {
  const ended = await box.spawn(args, options);
  if (ended.code !== 0) throw new Error(`spawn ${args.join(' ')}: ${ended.code}: ${ended.err}`);
  return ended;
}

/** Starts a listener with TLS; gives how someone elsewhere reaches it with a new token. */
async function listen(files: CertificateFiles) {
  const port = await freePort();
  const tls = ['--tls-cert', files.certFile, '--tls-key', files.keyFile];
  await ok(['server', 'start', '--listen', `127.0.0.1:${port}`, ...tls]);
  const elsewhere = async (...words: string[]): Promise<RunOptions & { env: Record<string, string> }> => {
    const path = join(box.folder, `${words[0]}.token`);
    writeFileSync(path, (await ok(['token', 'create', ...words])).out, { mode: 0o600 });
    const env = { SPAWN_SERVER: `https://127.0.0.1:${port}`, SPAWN_TOKEN_FILE: path, SPAWN_CA_FILE: files.certFile };
    return { env };
  };
  return { port, tls, elsewhere };
}

function recorded(name: 'keeper' | 'server'): number {
  return JSON.parse(readFileSync(join(box.dataDir, 'run', `${name}.json`), 'utf8')).pid;
}

function issuerAt(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().issuer.CN));
      socket.destroy();
    });
    socket.on('error', (error) => resolve(error.message));
  });
}

test('users elsewhere submit, look and change what is theirs, until their token is revoked', async () => {
  const { elsewhere } = await listen(certificateFiles('a'));
  const [ada, bob] = [await elsewhere('ada', '--role', 'submit'), await elsewhere('bob', '--role', 'submit')];
  expect((await ok(['submit', '--wait', '--', 'sh', '-c', 'echo "hello $((20 + 3))"'], ada)).err).toContain(
    'completed',
  );
  expect((await ok(['logs', '1'], bob)).out).toBe('hello 23\n');
  const sleeper = await ok(['submit', '--quiet', '--', 'sh', '-c', 'echo up; exec sleep 1000'], ada);
  expect(sleeper.out).toBe('2\n');
  expect(await box.spawn(['cancel', '2'], bob)).toMatchObject({
    code: 77,
    err: "spawn: not permitted: cancel job 2 (it belongs to ada, and the token's owner is bob)\n",
  });
  const following = box.start(['logs', '--follow', '2'], ada);
  await until('the log', () => following.out() === 'up\n');
  await ok(['token', 'revoke', 'ada']);
  expect((await following.ended).code).toBe(77);
  expect(await box.spawn(['jobs'], ada)).toMatchObject({
    code: 77,
    err: 'spawn: not authenticated: expected a valid token\n',
  });
  await ok(['cancel', '2']);
});

test('it listens again after server and keeper were killed, with no port open after a stop', async () => {
  const files = certificateFiles('a');
  const { port, tls, elsewhere } = await listen(files);
  const reader = await elsewhere('eve', '--role', 'read');
  const url = `https://127.0.0.1:${port}`;
  const first = recorded('server');
  process.kill(first, 'SIGKILL');
  await until('another server', () => recorded('server') !== first);
  await ok(['jobs'], reader);

  process.kill(recorded('keeper'), 'SIGKILL');
  process.kill(recorded('server'), 'SIGKILL');
  await ok(['jobs']);
  expect((await ok(['server', 'status'])).out).toContain(`  listens    ${url}\n`);
  await ok(['jobs'], reader);
  const again = await ok(['server', 'start', '--listen', `127.0.0.1:${port}`, ...tls]);
  expect(again.out).toMatch(/^runs already: pid \d+, .*\nlistens on https:\/\/127\.0\.0\.1:\d+\n$/);

  await ok(['server', 'stop']);
  await ok(['jobs']);
  expect(JSON.parse((await ok(['server', 'status', '-o', 'json'])).out).listens).toBeNull();
  const why = await box.spawn(['server', 'start', '--listen', `127.0.0.1:${port}`, ...tls]);
  expect(why.code).toBe(65);
  expect(why.err).toMatch(
    new RegExp(
      `^spawn: server: expected one that listens on 127.0.0.1:${port}, found one that has no port open \\(pid \\d+\\); stop it first: spawn server stop\n$`,
    ),
  );
});

test('what cannot be listened on is told by the command, and leaves nothing behind', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;
  expect(await box.spawn(['server', 'start', '--listen', `127.0.0.1:${port}`])).toMatchObject({
    code: 65,
    err: `spawn: address 127.0.0.1:${port}: expected a free one, found another program that listens there\n`,
  });
  const files = certificateFiles('a');
  writeFileSync(files.certFile, 'nonsense');
  const tls = ['--tls-cert', files.certFile, '--tls-key', files.keyFile];
  const wrong = await box.spawn(['server', 'start', '--listen', '127.0.0.1:0', ...tls]);
  expect([wrong.code, wrong.err]).toEqual([
    2,
    expect.stringContaining('expected a certificate and its private key in PEM'),
  ]);
  await until('the end of every process', () => box.processes().length === 0);
  expect(await box.spawn(['server', 'status'])).toMatchObject({ code: 3, out: 'not running\n' });
  await ok(['jobs']);
  expect(JSON.parse((await ok(['server', 'status', '-o', 'json'])).out).listens).toBeNull();
});

test('a server in the foreground listens too, and reads its certificate anew at SIGHUP', async () => {
  const files = certificateFiles('a');
  const port = await freePort();
  const env = { SPAWN_LISTEN: `127.0.0.1:${port}`, SPAWN_TLS_CERT: files.certFile, SPAWN_TLS_KEY: files.keyFile };
  const serving = box.start(['server', 'start', '--foreground'], { env });
  await until('it to listen', async () => (await issuerAt(port)) === 'spawn test a');
  writePair(files, 'b');
  serving.child.kill('SIGHUP');
  await until('the new certificate', async () => (await issuerAt(port)) === 'spawn test b');
  writeFileSync(files.certFile, 'nonsense');
  serving.child.kill('SIGHUP');
  await until('it to say so', () => serving.err().includes('the old one stays in use'));
  expect(await issuerAt(port)).toBe('spawn test b');
  serving.child.kill('SIGTERM');
  expect((await serving.ended).code).toBe(0);
});
