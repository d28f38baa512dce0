import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket as TcpSocket } from 'node:net';
import { promisify } from 'node:util';
import { decode, encode } from 'dns-packet';
import { afterEach, describe, expect, it } from 'vitest';
import { hasProgram, requireOr } from '../../test/support/require.ts';
import type { DnsServer } from './dns.ts';
import { startDnsServer } from './server.ts';

const DOMAIN = 'spore.host';
const GROUP = `compute.1kpqzg2c.${DOMAIN}`;
const withDig = requireOr('dig (bind9-dnsutils)', hasProgram('dig'));

const started: DnsServer[] = [];
afterEach(async () => {
  for (const server of started.splice(0)) await server.close();
});

async function serve(members = 0): Promise<DnsServer> {
  const server = await startDnsServer({ domain: DOMAIN, listen: { host: '127.0.0.1', port: 0 } });
  started.push(server);
  for (let index = 0; index < members; index++) add(server, index);
  return server;
}

function add({ zone }: DnsServer, index: number, id = `i-${index}`, generation = 1): void {
  const address = `127.4.${index >> 8}.${index & 255}`;
  zone.set({ id, arrayId: 'a', generation }, [
    { name: `compute-${index}.1kpqzg2c.${DOMAIN}`, address, shared: false },
    { name: GROUP, address, shared: true },
  ]);
}

async function dig({ address, port }: DnsServer, ...words: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(
    'dig',
    [`@${address}`, '-p', String(port), '+tries=1', '+time=5', ...words],
    {
      maxBuffer: 16 * 1024 * 1024,
    },
  );
  return stdout;
}

const lines = (text: string) => text.split('\n').filter((line) => line !== '');

describe('dig', () => {
  withDig('finds members and the group, as they come and go', async () => {
    const server = await serve(3);
    expect(await dig(server, '+short', `compute-1.1kpqzg2c.${DOMAIN}`)).toBe('127.4.0.1\n');
    expect(lines(await dig(server, '+short', GROUP)).sort()).toEqual(['127.4.0.0', '127.4.0.1', '127.4.0.2']);
    server.zone.remove('i-1');
    expect(lines(await dig(server, '+short', GROUP)).sort()).toEqual(['127.4.0.0', '127.4.0.2']);
    expect(await dig(server, `compute-1.1kpqzg2c.${DOMAIN}`)).toContain('status: NXDOMAIN');
    // Another machine takes the name; what is said late of the first one changes nothing.
    add(server, 1, 'i-new', 2);
    server.zone.remove('i-1');
    expect(await dig(server, '+short', `compute-1.1kpqzg2c.${DOMAIN}`)).toBe('127.4.0.1\n');
    for (const id of ['i-0', 'i-2', 'i-new']) server.zone.remove(id);
    expect(await dig(server, GROUP)).toContain('status: NXDOMAIN');
  });

  withDig('gets an authoritative answer with 60 seconds to live', async () => {
    const answer = await dig(await serve(1), `compute-0.1kpqzg2c.${DOMAIN}`);
    expect(answer).toMatch(/^;; flags: qr aa rd; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1$/m);
    expect(answer).toMatch(/^compute-0\.1kpqzg2c\.spore\.host\.\s+60\s+IN\s+A\s+127\.4\.0\.0$/m);
  });

  withDig.each([
    [['+norec', `compute-0.1kpqzg2c.${DOMAIN}`, 'AAAA'], 'status: NOERROR', 'AUTHORITY: 1'],
    [['+norec', `1kpqzg2c.${DOMAIN}`], 'status: NOERROR', 'AUTHORITY: 1'],
    [['+norec', `nobody.1kpqzg2c.${DOMAIN}`], 'status: NXDOMAIN', 'AUTHORITY: 1'],
    [['+norec', 'www.example.org'], 'status: REFUSED', 'AUTHORITY: 0'],
    [['+norec', '-c', 'CH', 'version.bind', 'TXT'], 'status: REFUSED', 'AUTHORITY: 0'],
    [['+norec', '+edns=3', '+noednsnegotiation', `compute-0.1kpqzg2c.${DOMAIN}`], 'status: BADVERS', 'ANSWER: 0'],
    [['+norec', '+opcode=update', `compute-0.1kpqzg2c.${DOMAIN}`], 'status: NOTIMP', 'ANSWER: 0'],
    [['+norec', '+noedns', DOMAIN, 'SOA'], 'status: NOERROR', 'ADDITIONAL: 0'],
    [['+norec', DOMAIN, 'NS'], `ns.${DOMAIN}.`, 'flags: qr aa;'],
  ])('of %j hears %s, %s', async (words, status, count) => {
    const answer = await dig(await serve(1), ...words);
    expect(answer).toContain(status);
    expect(answer).toContain(count);
  });

  withDig('asks again over TCP for a thousand members and gets all', async () => {
    const server = await serve(1_000);
    const short = await dig(server, '+ignore', GROUP);
    expect(short).toMatch(/^;; flags: qr aa tc rd;/m);
    const whole = await dig(server, GROUP);
    expect(whole).toContain('Truncated, retrying in TCP mode');
    expect(whole).toContain('ANSWER: 1000,');
    expect(new Set(lines(await dig(server, '+short', '+tcp', GROUP))).size).toBe(1_000);
  });

  withDig('is given no zone', async () => {
    expect(await dig(await serve(2), DOMAIN, 'AXFR')).toContain('Transfer failed');
  });

  withDig('asks many names on one connection', async () => {
    const server = await serve(50);
    const names = Array.from({ length: 50 }, (_, index) => `compute-${index}.1kpqzg2c.${DOMAIN}`);
    expect(lines(await dig(server, '+tcp', '+keepopen', '+short', ...names))).toHaveLength(50);
  });
});

const query = (name: string, id = 1) => encode({ type: 'query', id, questions: [{ type: 'A', name }] });
const framed = (bytes: Uint8Array) => Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);

/** Messages that come over a connection. */
async function* messages(socket: TcpSocket): AsyncIterableIterator<Buffer> {
  let held = Buffer.alloc(0);
  for await (const bytes of socket) {
    held = Buffer.concat([held, bytes as Buffer]);
    while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
      const length = held.readUInt16BE(0);
      yield held.subarray(2, 2 + length);
      held = held.subarray(2 + length);
    }
  }
}

async function open({ address, port }: DnsServer): Promise<TcpSocket> {
  const socket = connect(port, address);
  await once(socket, 'connect');
  return socket;
}

describe('over TCP', () => {
  it('answers queries that come in pieces and several at once, in order', async () => {
    const server = await serve(3);
    const socket = await open(server);
    const all = Buffer.concat([0, 1, 2].map((index) => framed(query(`compute-${index}.1kpqzg2c.${DOMAIN}`, index))));
    socket.write(all.subarray(0, 1));
    for (let at = 1; at < all.length; at += 7) socket.write(all.subarray(at, at + 7));
    const ids: (number | undefined)[] = [];
    for await (const message of messages(socket)) {
      ids.push(decode(message).id);
      if (ids.length === 3) break;
    }
    expect(ids).toEqual([0, 1, 2]);
  });

  it('waits for an asker who does not read, and gives every answer when he does', async () => {
    const server = await serve(1_000);
    const socket = await open(server);
    const many = 400;
    const asked = framed(query(GROUP));
    for (let at = 0; at < many; at++) socket.write(asked);
    let answers = 0;
    for await (const message of messages(socket)) {
      expect(message.length).toBeGreaterThan(16_000);
      answers += 1;
      if (answers === many) break;
    }
    expect(answers).toBe(many);
  });

  it.each([
    ['what is no query', framed(Buffer.alloc(3))],
    ['a length that no query has', Buffer.from([0xff, 0xff, 1, 2])],
  ])('ends the connection after %s', async (_, bytes) => {
    const socket = await open(await serve(1));
    socket.write(bytes);
    await once(socket.resume(), 'close');
  });

  it('is ended with the server, whoever is connected', async () => {
    const server = await serve(1);
    const socket = await open(server);
    started.splice(0);
    await server.close();
    await once(socket.resume(), 'close');
  });
});

describe('over UDP', () => {
  it('and TCP answers on after random bytes', async () => {
    const server = await serve(1);
    const udp = createSocket('udp4');
    // The same each time: xorshift.
    let state = 2_463_534_242;
    const byte = () => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state & 255;
    };
    for (let at = 0; at < 2_000; at++) {
      const noise = Buffer.from(Array.from({ length: byte() }, byte));
      // Half of them look like a query with one question and one more record.
      if (at % 2 === 0) noise.fill(Buffer.from([0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1]), 0, Math.min(12, noise.length));
      udp.send(noise, server.port, server.address);
    }
    for (let at = 0; at < 20; at++) {
      const socket = await open(server);
      socket.on('error', () => {});
      const closed = once(socket.resume(), 'close');
      socket.end(Buffer.from(Array.from({ length: 2_000 }, byte)));
      await closed;
    }
    const socket = await open(server);
    socket.end(framed(query(`compute-0.1kpqzg2c.${DOMAIN}`, 7)));
    const { value } = await messages(socket).next();
    expect(decode(value!)).toMatchObject({ id: 7, rcode: 'NOERROR', answers: [{ data: '127.4.0.0' }] });
    udp.close();
  });

  it('goes on after anything that is no query', async () => {
    const server = await serve(1);
    const udp = createSocket('udp4');
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.alloc(1_400, 0xff),
      Buffer.alloc(12),
    ])
      udp.send(bytes, server.port, server.address);
    udp.send(query(`compute-0.1kpqzg2c.${DOMAIN}`, 99), server.port, server.address);
    for (;;) {
      const [message] = (await once(udp, 'message')) as [Buffer];
      if (decode(message).id === 99) break;
    }
    udp.close();
  });
});
