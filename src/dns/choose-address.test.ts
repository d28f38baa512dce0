import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { DNS_ADDRESS, startDns } from './choose-address.ts';
import type { DnsServer } from './dns.ts';
import { startDnsServer } from './server.ts';

const DOMAIN = 'spore.host';

const started: DnsServer[] = [];
afterEach(async () => {
  for (const server of started.splice(0)) await server.close();
});

describe('a port that is taken', () => {
  const taken: { close(): unknown }[] = [];
  afterEach(() => {
    for (const socket of taken.splice(0)) socket.close();
  });

  async function takeUdp(): Promise<number> {
    const udp: Socket = createSocket('udp4');
    taken.push(udp);
    udp.bind(0, '127.0.0.1');
    await once(udp, 'listening');
    return udp.address().port;
  }

  it('over UDP is told, and TCP is let go again', async () => {
    const port = await takeUdp();
    const listen = { host: '127.0.0.1', port };
    await expect(startDnsServer({ domain: DOMAIN, listen })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: `DNS address 127.0.0.1:${port}: expected a free one, found another program that listens there over UDP`,
    });
    const tcp = createServer().listen(port, '127.0.0.1');
    await once(tcp, 'listening');
    tcp.close();
  });

  it('over TCP is told', async () => {
    const tcp = createServer().listen(0, '127.0.0.1');
    taken.push(tcp);
    await once(tcp, 'listening');
    const { port } = tcp.address() as { port: number };
    await expect(startDns({ domain: DOMAIN, listen: { host: '127.0.0.1', port } })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
  });

  it('is no reason to have none when no address was asked for', async () => {
    // Addresses that no other server of this machine is likely to have.
    const [host, other] = [77, 78].map((second) => `127.${second}.${(process.pid >> 8) & 255}.${process.pid & 255}`);
    const first = await startDns({ domain: DOMAIN, host });
    started.push(first);
    const second = await startDns({ domain: DOMAIN, host });
    started.push(second);
    expect([first.address, second.address]).toEqual([host, host]);
    expect(second.port).not.toBe(first.port);
    // A server with an address of its own takes nobody's port.
    const third = await startDns({ domain: DOMAIN, host: other });
    started.push(third);
    expect(third).toMatchObject({ address: other, port: first.port });
  });

  it('is looked for on an address of its own when none is named', async () => {
    const server = await startDns({ domain: DOMAIN });
    started.push(server);
    expect(server.address).toBe(DNS_ADDRESS);
  });

  it('is not looked for on an address that is none of this machine alone', async () => {
    await expect(startDns({ domain: DOMAIN, host: '0.0.0.0' })).rejects.toThrow('expected a loopback address');
  });
});

describe('an address that cannot be', () => {
  it.each([
    [{ host: '192.0.2.1', port: 0 }, 'DNS address: expected a loopback address 127.x.y.z'],
    [{ host: '::1', port: 0 }, 'DNS address: expected a loopback address 127.x.y.z'],
    [{ host: 'localhost', port: 0 }, 'DNS address: expected a loopback address 127.x.y.z'],
  ])('%j', async (listen, message) => {
    await expect(startDns({ domain: DOMAIN, listen })).rejects.toThrow(message);
  });

  it('of another machine, or in another domain than one', async () => {
    await expect(startDnsServer({ domain: DOMAIN, listen: { host: '192.0.2.1', port: 0 } })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: 'DNS address 192.0.2.1:0: expected an IPv4 address of this machine, found "EADDRNOTAVAIL"',
    });
    await expect(startDnsServer({ domain: 'Not a domain', listen: { host: '127.0.0.1', port: 0 } })).rejects.toThrow(
      'dns-domain',
    );
  });
});
