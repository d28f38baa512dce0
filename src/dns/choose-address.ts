import { isIPv4 } from 'node:net';
import { type Address, isLoopback } from '../core/address.ts';
import { SpawnError } from '../core/errors.ts';
import type { DnsServer } from './dns.ts';
import { type DnsOptions, startDnsServer } from './server.ts';

/** The only port that a resolver asks: its configuration has no place for another. */
const DNS_PORT = 53;
/** Where root is not: one that no program is known by. */
const OTHER_PORT = 5_300;
/** No distribution listens there; 127.0.0.53 is the resolver of systemd. */
export const DNS_ADDRESS = '127.0.53.1';

/** Tried in turn when no address is configured; the last cannot be taken. */
const PORTS = [DNS_PORT, OTHER_PORT, 0];

export interface DnsChoice extends Omit<DnsOptions, 'listen'> {
  /** Exactly there. */
  readonly listen?: Address | undefined;
  /** Else at this loopback address, which another server of this machine has not, so that each can have port 53. Default DNS_ADDRESS. */
  readonly host?: string | undefined;
}

/**
 * Starts the DNS server at the address given, or else at the first of the ports 53, 5300 and any free one of `host` that this user can
 * have. Only port 53 serves resolvers; at another one names are found by programs that ask there, `dig @127.0.53.1 -p 5300`.
 *
 * @throws SpawnError CONFLICT, NOT_PERMITTED or BAD_REQUEST of the address given, or of the last port
 */
export async function startDns({ listen, host = DNS_ADDRESS, ...options }: DnsChoice): Promise<DnsServer> {
  const at = checkLoopback(listen?.host ?? host);
  if (listen !== undefined) return startDnsServer({ ...options, listen });
  for (const port of PORTS.slice(0, -1)) {
    // The reason says only why another port is next.
    const server = await startDnsServer({ ...options, listen: { host: at, port } }).catch(() => undefined);
    if (server !== undefined) return server;
  }
  return startDnsServer({ ...options, listen: { host: at, port: PORTS.at(-1)! } });
}

function checkLoopback(host: string): string {
  if (isIPv4(host) && isLoopback(host)) return host;
  const expected = 'a loopback address 127.x.y.z: names of instances are told to this machine only';
  throw new SpawnError('BAD_REQUEST', { where: 'DNS address', expected, found: host });
}
