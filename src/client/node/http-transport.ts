import { isLoopback } from '../../core/address.ts';
import { SpawnError } from '../../core/errors.ts';
import type { Transport } from '../transport.ts';
import { nodeTransport } from './http-request.ts';

export interface HttpTransportOptions {
  /** Sent as `Authorization: Bearer` with every request. */
  readonly token?: string;
  /** Certificates in PEM of who may have signed that of the server, in place of those that Node trusts. */
  readonly ca?: string;
}

/**
 * To a server elsewhere. The URL has no path of its own, and no user or password: they would be seen in process lists.
 * Errors: BAD_REQUEST for such a URL, and for a token that no header can carry.
 */
export function httpTransport(url: string, { token, ca }: HttpTransportOptions = {}): Transport {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const plain = parsed?.username === '' && parsed.password === '' && parsed.pathname === '/' && parsed.search === '';
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol) || !plain) {
    const expected = 'http://HOST:PORT or https://HOST:PORT';
    throw new SpawnError('BAD_REQUEST', { where: 'server URL', expected, found: parsed?.origin ?? url });
  }
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new SpawnError('BAD_REQUEST', { where: 'token', expected: 'a token', found: 'other characters' });
  }
  const secure = parsed.protocol === 'https:';
  return nodeTransport({
    address: parsed.origin,
    load: () => process.getBuiltinModule(secure ? 'node:https' : 'node:http'),
    target: {
      hostname: hostOf(parsed),
      port: parsed.port === '' ? (secure ? 443 : 80) : Number(parsed.port),
      headers: { host: parsed.host, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      ...(secure ? { minVersion: 'TLSv1.2' as const, ...(ca === undefined ? {} : { ca }) } : {}),
    },
  });
}

/** Whether a token that is sent to this URL can be read on its way: plain HTTP to another machine. */
export function isOpenToOthers(url: string): boolean {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  return parsed?.protocol === 'http:' && !isLoopback(hostOf(parsed));
}

/** An IPv6 address without its brackets. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}
