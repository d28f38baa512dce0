import { SpawnError } from '../../core/errors.ts';
import type { Transport } from '../transport.ts';
import { nodeTransport } from './http-request.ts';

/**
 * To a server elsewhere. The URL has no path of its own, and no user or password: they would be seen in process lists.
 * Errors: BAD_REQUEST for such a URL.
 */
export function httpTransport(url: string, token?: string): Transport {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const plain = parsed?.username === '' && parsed.password === '' && parsed.pathname === '/' && parsed.search === '';
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol) || !plain) {
    const expected = 'http://HOST:PORT or https://HOST:PORT';
    throw new SpawnError('BAD_REQUEST', { where: 'server URL', expected, found: parsed?.origin ?? url });
  }
  const secure = parsed.protocol === 'https:';
  return nodeTransport({
    address: parsed.origin,
    load: () => process.getBuiltinModule(secure ? 'node:https' : 'node:http'),
    target: {
      hostname: parsed.hostname.replace(/^\[|\]$/g, ''),
      port: parsed.port === '' ? (secure ? 443 : 80) : Number(parsed.port),
      headers: { host: parsed.host, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    },
  });
}
