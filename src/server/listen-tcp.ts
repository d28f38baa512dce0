import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Address, addressText, isLoopback } from '../core/address.ts';
import { SpawnError } from '../core/errors.ts';
import { type CertificateFiles, certificateState, readCertificate } from './certificates.ts';
import { rawRefusal } from './error-reply.ts';
import { MAX_HEADER_BYTES, MAX_TCP_CONNECTIONS, type Timing } from './options.ts';

export interface TcpOptions extends Address {
  readonly tls?: CertificateFiles;
  /** Tokens and all else may be read on their way: only with this on an address that others can reach. */
  readonly plainHttp?: boolean;
}

export interface TcpListener {
  /** For people and clients, with the real port: `https://0.0.0.0:7700`. */
  readonly url: string;
  /** Reads the certificate anew. `failed` hears what is wrong with it; the old one stays in use then. */
  reload(): void;
  /** Accepts nothing more; resolves when the last connection is gone. */
  close(): Promise<void>;
  closeAllConnections(): void;
}

const MIN_TLS = 'TLSv1.2';
const KEEP_ALIVE_MS = 72_000;
const IDLE_LOOK_MS = 20;

/**
 * Listens on an address, with TLS where there is a certificate.
 *
 * @param failed hears why a certificate that changed is not used
 * @throws BAD_REQUEST for an address that needs TLS or is not of this machine, CONFLICT when it is taken, NOT_PERMITTED; and those
 * of readCertificate
 */
export async function listenTcp(
  options: TcpOptions,
  timing: Timing,
  take: RequestListener,
  failed: (error: unknown) => void,
): Promise<TcpListener> {
  refusePlain(options);
  const { tls } = options;
  const server = await create(options, timing, take);
  server.maxConnections = MAX_TCP_CONNECTIONS;
  server.on('clientError', (error: Error & { code?: string }, socket) => {
    if (socket.writable) socket.end(rawRefusal(error));
    else socket.destroy();
  });
  await listening(server, options);
  let state = tls === undefined ? '' : certificateState(tls);
  const reload = (): void => {
    if (tls === undefined) return;
    state = certificateState(tls);
    try {
      // Only a server with TLS has certificates.
      (server as ReturnType<typeof import('node:https')['createServer']>).setSecureContext({
        ...readCertificate(tls),
        minVersion: MIN_TLS,
      });
    } catch (error) {
      failed(error);
    }
  };
  const look = setInterval(() => {
    if (tls !== undefined && certificateState(tls) !== state) reload();
  }, timing.certificateLookMs);
  look.unref();
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${addressText({ host: options.host, port })}`,
    reload,
    close: () => {
      clearInterval(look);
      // A connection that becomes idle later would be kept for its next request.
      const idle = setInterval(() => server.closeIdleConnections(), IDLE_LOOK_MS);
      return new Promise((resolve) => {
        server.close(() => {
          clearInterval(idle);
          resolve();
        });
      });
    },
    closeAllConnections: () => server.closeAllConnections(),
  };
}

function refusePlain({ host, tls, plainHttp = false }: TcpOptions): void {
  if (tls !== undefined || plainHttp || isLoopback(host)) return;
  throw new SpawnError('BAD_REQUEST', {
    where: '--listen',
    expected:
      'TLS on an address that others can reach (--tls-cert and --tls-key; or --plain-http on a network that you trust)',
    found: host,
  });
}

async function create({ tls }: TcpOptions, timing: Timing, take: RequestListener): Promise<Server> {
  const limits: ServerOptions = {
    maxHeaderSize: MAX_HEADER_BYTES,
    requestTimeout: timing.requestMs,
    // Also for one that has sent nothing yet.
    headersTimeout: Math.min(timing.headersMs, timing.requestMs),
    connectionsCheckingInterval: Math.min(2_000, timing.headersMs),
    keepAliveTimeout: KEEP_ALIVE_MS,
    // A link that is half open is found out also when nothing is sent.
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
  };
  if (tls === undefined) return createServer(limits, take);
  const certificate = readCertificate(tls);
  const https = await import('node:https');
  return https.createServer(
    { ...limits, ...certificate, minVersion: MIN_TLS, handshakeTimeout: timing.headersMs },
    take,
  );
}

function listening(server: Server, address: Address): Promise<void> {
  const { host, port } = address;
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, address)));
    server.listen({ host, port }, resolve);
  });
}

function listenError(cause: NodeJS.ErrnoException, address: Address): SpawnError {
  const text = addressText(address);
  switch (cause.code) {
    case 'EADDRINUSE': {
      const found = 'another program that listens there';
      return new SpawnError('CONFLICT', { what: `address ${text}`, expected: 'a free one', found }, { cause });
    }
    case 'EACCES':
      return new SpawnError('NOT_PERMITTED', { action: `listen on ${text}`, why: cause.message }, { cause });
    default: {
      const where = `--listen ${text}`;
      const found = cause.code ?? cause.message;
      return new SpawnError('BAD_REQUEST', { where, expected: 'an address of this machine', found }, { cause });
    }
  }
}
