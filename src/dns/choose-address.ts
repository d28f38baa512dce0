import { isIPv4 } from 'node:net';
import { type Address, isLoopback } from '../core/address.ts';
import { SpawnError } from '../core/errors.ts';
import type { DnsServer } from './dns.ts';
import { type DnsOptions, startDnsServer } from './server.ts';

/** The only port that a resolver asks: its configuration has no place for another. */
export const DNS_PORT = 53;
/** Where root is not: one that no program is known by. */
const OTHER_PORT = 5_300;
/** No distribution listens there; 127.0.0.53 is the resolver of systemd. */
export const DNS_ADDRESS = '127.0.53.1';

/** Where to try in turn when no address is configured; the last cannot be taken. */
const PLACES: readonly Address[] = [DNS_PORT, OTHER_PORT, 0].map((port) => ({ host: DNS_ADDRESS, port }));

/**
 * Starts the DNS server at the address given, or else at the first of 127.0.53.1:53, 127.0.53.1:5300 and any free port that this user
 * can have. Only port 53 serves resolvers; at another one names are found by programs that ask there, `dig @127.0.53.1 -p 5300`.
 *
 * @throws SpawnError CONFLICT, NOT_PERMITTED or BAD_REQUEST of the address given, or of the last one
 */
export async function startDns(
  options: Omit<DnsOptions, 'listen'> & { readonly listen?: Address | undefined },
): Promise<DnsServer> {
  const { listen } = options;
  if (listen === undefined) return startAtFirst(options, PLACES);
  if (!isIPv4(listen.host) || !isLoopback(listen.host)) {
    const expected = 'a loopback address 127.x.y.z: names of instances are told to this machine only';
    throw new SpawnError('BAD_REQUEST', { where: 'DNS address', expected, found: listen.host });
  }
  return startDnsServer({ ...options, listen });
}

async function startAtFirst(
  options: Omit<DnsOptions, 'listen'>,
  [listen, ...others]: readonly Address[],
): Promise<DnsServer> {
  try {
    return await startDnsServer({ ...options, listen: listen! });
  } catch (error) {
    if (others.length === 0) throw error;
    return startAtFirst(options, others);
  }
}
