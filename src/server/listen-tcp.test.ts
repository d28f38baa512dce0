import { once } from 'node:events';
import { chmodSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { connect } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { certificateFiles, PAIRS, writePair } from '../../test/support/certificates.ts';
import { FakeUseCases } from '../../test/support/fake-use-cases.ts';
import { askTcp, serveOnTcp } from '../../test/support/server-on-tcp.ts';
import { until } from '../../test/support/until.ts';
import { SpawnClient } from '../client/client.ts';
import { httpTransport } from '../client/node/http-transport.ts';

const LIST = { line: 'GET /v1/jobs', token: 'a' };

function useCases(): FakeUseCases {
  const fake = new FakeUseCases();
  fake.bearers.set('a', { owner: 'ada', tenant: 'local', sameHost: false, role: 'admin', token: 1 });
  return fake;
}

function issuerOf(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().issuer.CN));
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

test('with a certificate the client that trusts it is served', async () => {
  const { url } = await serveOnTcp(useCases(), {}, { tls: certificateFiles('a') });
  expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  const client = new SpawnClient({ transport: httpTransport(url, { token: 'a', ca: PAIRS.a.cert }) });
  onTestFinished(() => client.close());
  expect((await client.jobs()).jobs).toHaveLength(1);
});

test('a client that does not trust the certificate says so at once, and sends nothing', async () => {
  const fake = useCases();
  const { url } = await serveOnTcp(fake, {}, { tls: certificateFiles('a') });
  for (const ca of [undefined, PAIRS.b.cert]) {
    const transport = httpTransport(url, { token: 'a', ...(ca === undefined ? {} : { ca }) });
    const client = new SpawnClient({ transport, retryForMs: 60_000 });
    onTestFinished(() => client.close());
    await expect(client.jobs()).rejects.toMatchObject({
      code: 'SERVER_UNREACHABLE',
      message: expect.stringContaining('its certificate is not trusted'),
    });
  }
  expect(fake.calls).toEqual([]);
});

test('nothing older than TLS 1.2 is spoken', async () => {
  const { url } = await serveOnTcp(useCases(), {}, { tls: certificateFiles('a') });
  const port = Number(new URL(url).port);
  const speak = async (version: 'TLSv1.1' | 'TLSv1.2') => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      minVersion: version,
      maxVersion: version,
      // OpenSSL itself offers nothing older at its default level.
      ciphers: 'DEFAULT:@SECLEVEL=0',
    });
    onTestFinished(() => void socket.destroy());
    return await once(socket, 'secureConnect').then(
      () => socket.getProtocol(),
      (error: NodeJS.ErrnoException) => error.code,
    );
  };
  expect(await speak('TLSv1.2')).toBe('TLSv1.2');
  expect(await speak('TLSv1.1')).toMatch(/^ERR_SSL_|ECONNRESET/);
});

test('a certificate that changed is used without a restart; one that is wrong is not', async () => {
  const files = certificateFiles('a');
  const { url, server } = await serveOnTcp(useCases(), { certificateLookMs: 20 }, { tls: files });
  expect(await issuerOf(url)).toBe('spawn test a');
  writePair(files, 'b');
  await until('the new certificate', async () => (await issuerOf(url)) === 'spawn test b');
  writeFileSync(files.certFile, 'not a certificate');
  server.reloadCertificates();
  expect(await issuerOf(url)).toBe('spawn test b');
  writePair(files, 'a');
  server.reloadCertificates();
  expect(await issuerOf(url)).toBe('spawn test a');
  // Whoever renews it may leave links that lead nowhere, or a folder that is none.
  for (const breakLink of [
    () => symlinkSync(files.certFile, files.certFile),
    () => symlinkSync('/dev/null/x', files.certFile),
  ]) {
    rmSync(files.certFile);
    breakLink();
    server.reloadCertificates();
    expect(await issuerOf(url)).toBe('spawn test a');
  }
});

test('without TLS only loopback is listened on, unless the user says that the network is trusted', async () => {
  for (const host of ['0.0.0.0', '::', '10.1.2.3', 'head.example']) {
    await expect(serveOnTcp(useCases(), {}, { host })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: expect.stringMatching(/^--listen: expected TLS on an address that others can reach .*--plain-http/),
    });
  }
  const { url } = await serveOnTcp(useCases(), {}, { host: '0.0.0.0', plainHttp: true });
  expect((await askTcp(url, LIST)).status).toBe(200);
  await serveOnTcp(useCases(), {}, { host: 'localhost' });
});

test('an address that is taken, or is none of this machine, is refused', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  onTestFinished(() => void other.close());
  const { port } = other.address() as { port: number };
  await expect(serveOnTcp(useCases(), {}, { port })).rejects.toMatchObject({
    code: 'CONFLICT',
    message: `address 127.0.0.1:${port}: expected a free one, found another program that listens there`,
  });
  await expect(serveOnTcp(useCases(), {}, { host: '192.0.2.1', plainHttp: true })).rejects.toMatchObject({
    code: 'BAD_REQUEST',
    message: '--listen 192.0.2.1:0: expected an address of this machine, found "EADDRNOTAVAIL"',
  });
});

test('files that are no pair, or a key that everybody may read, are refused', async () => {
  const files = certificateFiles('a');
  const listen = () => serveOnTcp(useCases(), {}, { tls: files });
  chmodSync(files.keyFile, 0o644);
  await expect(listen()).rejects.toMatchObject({
    message: `--tls-key: file ${files.keyFile}: expected a private key that others may not read (chmod 600), found "mode 0644"`,
  });
  chmodSync(files.keyFile, 0o600);
  writeFileSync(files.certFile, PAIRS.b.cert);
  await expect(listen()).rejects.toMatchObject({
    code: 'BAD_REQUEST',
    message: expect.stringMatching(/key values mismatch/),
  });
  await expect(serveOnTcp(useCases(), {}, { tls: { ...files, certFile: '/nowhere' } })).rejects.toMatchObject({
    code: 'FILE_NOT_FOUND',
    message: '--tls-cert: file "/nowhere" not found',
  });
  await expect(serveOnTcp(useCases(), {}, { tls: { ...files, keyFile: '/' } })).rejects.toMatchObject({
    code: 'FILE_UNREADABLE',
  });
});
