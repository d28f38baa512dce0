import { SpawnError } from './errors.ts';

/** Where a server listens, or shall. */
export interface Address {
  /** A name or an IP address, an IPv6 one without brackets. */
  readonly host: string;
  /** 0 = any that is free. */
  readonly port: number;
}

const ADDRESS = /^(?:\[([0-9A-Fa-f:.%\w]+)\]|([^\s:/[\]@]+)):(\d{1,5})$/;

/** `HOST:PORT`, `[IPV6]:PORT`. Errors: BAD_REQUEST at `where`. */
export function parseAddress(text: string, where: string): Address {
  const [, ipv6, name, digits] = ADDRESS.exec(text) ?? [];
  const host = ipv6 ?? name;
  const port = Number(digits);
  if (host === undefined || port > 65_535) {
    const expected = 'HOST:PORT, such as 0.0.0.0:7700 or [::1]:7700';
    throw new SpawnError('BAD_REQUEST', { where, expected, found: text });
  }
  return { host, port };
}

/** As in a URL. */
export function addressText({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** A name or address that never leaves this machine (RFC 1122, 3.2.1.3; RFC 4291, 2.5.3). */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/i.test(host);
}
