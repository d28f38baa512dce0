import { createSocket, type Socket } from 'node:dgram';
import type { Server, Socket as TcpSocket } from 'node:net';
import { type Address, addressText } from '../core/address.ts';
import { checkDomain } from '../core/dns-label.ts';
import { SpawnError } from '../core/errors.ts';
import { Answerer } from './answer.ts';
import type { DnsServer } from './dns.ts';
import { createTcpServer } from './tcp.ts';
import { Zone } from './zone.ts';

export interface DnsOptions {
  /** What all names end in. */
  readonly domain: string;
  /** An IPv4 address of this machine; port 0: any that is free over UDP and TCP. */
  readonly listen: Address;
  /** Something went wrong that stops nothing: a socket failed on one answer. */
  readonly onError?: (error: Error) => void;
}

/** So often a port that is free over TCP and taken over UDP is tried, when any will do. */
const TRIES = 20;
/** Room for questions that wait while the process does something else, bytes. */
const RECEIVE_BUFFER = 1024 * 1024;

/**
 * Starts a DNS server for a domain; it knows no names at first.
 *
 * @throws SpawnError CONFLICT when another program has the port, NOT_PERMITTED when this user may not have it, BAD_REQUEST when the
 *   address is none of this machine, or the domain is none
 */
export async function startDnsServer({ domain, listen, onError }: DnsOptions): Promise<DnsServer> {
  const zone = new Zone(checkDomain(domain, 'dns-domain'));
  const answerer = new Answerer(zone, listen.host);
  const connections = new Set<TcpSocket>();
  const tcp = createTcpServer((query) => answerer.answer(query, 'tcp'));
  tcp.on('connection', (socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  const { udp, port } = await listenBoth(tcp, listen);
  const failed = (error: Error): void => onError?.(error);
  tcp.on('error', failed);
  udp.on('error', failed);
  udp.on('message', (query, asker) => {
    const response = answerer.answer(query, 'udp');
    // What goes wrong with it is an error of the socket.
    if (response !== undefined) udp.send(response, asker.port, asker.address);
  });
  return {
    zone,
    address: listen.host,
    port,
    async close() {
      for (const socket of connections) socket.destroy();
      await Promise.all([
        new Promise<void>((resolve) => udp.close(resolve)),
        new Promise<void>((resolve) => tcp.close(() => resolve())),
      ]);
    },
  };
}

/** Both protocols at one port. */
async function listenBoth(tcp: Server, listen: Address): Promise<{ udp: Socket; port: number }> {
  for (let tried = 1; ; tried++) {
    const port = await listenTcp(tcp, listen);
    try {
      return { udp: await bindUdp({ ...listen, port }), port };
    } catch (error) {
      await new Promise<void>((resolve) => tcp.close(() => resolve()));
      if (listen.port !== 0 || tried === TRIES) throw error;
    }
  }
}

function listenTcp(tcp: Server, { host, port }: Address): Promise<number> {
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException) => reject(listenError(error, { host, port }, 'TCP'));
    tcp.once('error', refuse);
    tcp.listen({ host, port }, () => {
      tcp.off('error', refuse);
      resolve((tcp.address() as { port: number }).port);
    });
  });
}

function bindUdp(at: Address): Promise<Socket> {
  const udp = createSocket({
    type: 'udp4',
    // Every asker is an address already; the look-up of names would only cost time.
    lookup: (host, _, found) => found(null, host, 4),
  });
  return new Promise((resolve, reject) => {
    udp.once('error', (error: NodeJS.ErrnoException) => {
      udp.close();
      reject(listenError(error, at, 'UDP'));
    });
    udp.bind({ address: at.host, port: at.port, exclusive: true }, () => {
      udp.removeAllListeners('error');
      udp.setRecvBufferSize(RECEIVE_BUFFER);
      resolve(udp);
    });
  });
}

function listenError(cause: NodeJS.ErrnoException, address: Address, protocol: string): SpawnError {
  const what = `DNS address ${addressText(address)}`;
  switch (cause.code) {
    case 'EADDRINUSE': {
      const found = `another program that listens there over ${protocol}`;
      return new SpawnError('CONFLICT', { what, expected: 'a free one', found }, { cause });
    }
    case 'EACCES':
      return new SpawnError('NOT_PERMITTED', { action: `listen on ${what}`, why: cause.message }, { cause });
    default: {
      const found = cause.code ?? cause.message;
      return new SpawnError(
        'BAD_REQUEST',
        { where: what, expected: 'an IPv4 address of this machine', found },
        { cause },
      );
    }
  }
}
