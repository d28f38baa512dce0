import { lookup } from 'node:dns/promises';
import { type ClientRequest, type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { type IpRange, isInRange, parseIp, unmapped, whyNotPublic } from '../core/ip-class.ts';

export interface OutboundOptions {
  /** Addresses that may be reached although they are not public. */
  readonly allow: readonly IpRange[];
  /** Of the whole request. */
  readonly timeoutMs: number;
  /** Certificates in PEM of who may have signed the receiver's, instead of those that Node knows. */
  readonly ca?: string;
  /** All addresses of a name; default that of the system. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
}

export interface OutboundReply {
  readonly status: number;
  readonly retryAfter: string | undefined;
  /** The beginning of the body, of replies that are no success. */
  readonly body: string;
}

/** The URL cannot be used, now or later. Holds no part of the URL but the host. */
export class OutboundRefused extends Error {}

const MOST_BODY_BYTES = 2_048;
const MOST_ADDRESSES = 3;
/** Nothing was sent: another address of the same name may answer. */
const NOBODY_THERE = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL']);

/**
 * Posts to a URL that a stranger may have given. The name is resolved here, each time; the connection goes to an address that was looked at, so that
 * nothing can be another one by then. Redirects are not followed.
 *
 * @throws OutboundRefused; or what the network says
 */
export async function post(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
  options: OutboundOptions,
  signal: AbortSignal,
): Promise<OutboundReply> {
  checkUrl(url);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs)]);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const addresses = await within(limit, allowedAddresses(host, options));
  let failure: unknown;
  for (const address of addresses.slice(0, MOST_ADDRESSES)) {
    try {
      return await postTo(address, host, url, headers, body, options, limit);
    } catch (error) {
      // Node gives an error of its own for both of them.
      failure = limit.aborted ? limit.reason : error;
      if (limit.aborted || !NOBODY_THERE.has((error as NodeJS.ErrnoException).code ?? '')) break;
    }
  }
  throw failure;
}

/** @throws OutboundRefused */
function checkUrl(url: URL): void {
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new OutboundRefused(`expected a URL with https or http, found ${url.protocol.replace(/:$/, '')}`);
  if (url.username !== '' || url.password !== '')
    throw new OutboundRefused('expected a URL without user and password, found one with them');
}

async function allowedAddresses(host: string, { allow, resolve = resolveAll }: OutboundOptions): Promise<string[]> {
  const all = parseIp(host) === undefined ? await resolve(host) : [host];
  const refused: string[] = [];
  const open = all.filter((address) => {
    const why = whyNotAllowed(address, allow);
    if (why !== undefined) refused.push(`${address} (${why})`);
    return why === undefined;
  });
  if (open.length > 0) return open;
  const found = refused.slice(0, MOST_ADDRESSES).join(', ') || 'no address';
  const place = parseIp(host) === undefined ? `${host} is at ${found}` : `${host} is ${whyNotAllowed(host, allow)}`;
  throw new OutboundRefused(
    `${place}; the setting webhook_allow names what may be reached besides the public internet`,
  );
}

/** Why nothing may be sent there; undefined: it may. */
function whyNotAllowed(address: string, allow: readonly IpRange[]): string | undefined {
  const bytes = parseIp(address);
  if (bytes === undefined) return 'no plain address';
  const why = whyNotPublic(bytes);
  if (why === undefined) return undefined;
  return allow.some((range) => isInRange(range, bytes) || isInRange(range, unmapped(bytes))) ? undefined : why;
}

async function resolveAll(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

/** A name server may never answer. */
function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

function postTo(
  address: string,
  host: string,
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
  { ca }: OutboundOptions,
  signal: AbortSignal,
): Promise<OutboundReply> {
  const isName = parseIp(host) === undefined;
  const options: RequestOptions & { servername?: string; ca?: string } = {
    method: 'POST',
    host: address,
    ...(url.port === '' ? {} : { port: url.port }),
    path: `${url.pathname}${url.search}`,
    headers: { ...headers, host: url.host, 'content-length': String(body.length) },
    agent: false,
    signal,
    ...(isName ? { servername: host } : {}),
    ...(ca === undefined ? {} : { ca }),
  };
  return new Promise((resolve, reject) => {
    const request: ClientRequest = url.protocol === 'https:' ? requestHttps(options) : requestHttp(options);
    request.on('error', reject);
    request.on('response', (response) => {
      const status = response.statusCode ?? 0;
      const retryAfter = response.headers['retry-after'];
      // It has what it was sent; what it says to that is of no interest, and may never end.
      if (status >= 200 && status < 300) {
        response.destroy();
        resolve({ status, retryAfter, body: '' });
        return;
      }
      const chunks: Buffer[] = [];
      let size = 0;
      const done = () =>
        resolve({ status, retryAfter, body: Buffer.concat(chunks).toString('utf8').slice(0, MOST_BODY_BYTES) });
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size < MOST_BODY_BYTES) return;
        done();
        response.destroy();
      });
      response.on('end', done);
      response.on('error', done);
    });
    request.end(body);
  });
}
