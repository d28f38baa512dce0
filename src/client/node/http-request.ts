import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import type { SecureContextOptions } from 'node:tls';
import { SpawnError } from '../../core/errors.ts';
import { type Transport, TransportFailure, type TransportRequest, type TransportResponse } from '../transport.ts';

/** What node:http and node:https have in common here. */
interface HttpModule {
  Agent: typeof Agent;
  request(options: Target): ClientRequest;
}

/** What node:https takes more is not used by node:http. */
type Target = RequestOptions & Pick<SecureContextOptions, 'ca' | 'minVersion'>;

interface NodeTransportOptions {
  address: string;
  /**
   * Called at the first request, so that a command that sends none does not pay. `process.getBuiltinModule` and not `import`:
   * that evaluates every getter of node:http, WebSocket among them: 15 to 25 ms of a command that lasts 50.
   */
  load: () => HttpModule;
  /** Where to connect to, and headers of every request. */
  target: Target;
}

/** Connections that are kept for later requests: after a burst the others are closed. */
const MOST_IDLE = 64;

/** A Transport over node:http that keeps connections open between requests. */
export function nodeTransport({ address, load, target }: NodeTransportOptions): Transport {
  let loaded: { http: HttpModule; agent: Agent } | undefined;
  const prepare = () => {
    const http = load();
    return { http, agent: new http.Agent({ keepAlive: true, maxFreeSockets: MOST_IDLE }) };
  };
  return {
    address,
    async request(request) {
      loaded ??= prepare();
      const { http, agent } = loaded;
      return send(address, http, { ...target, agent: request.fresh ? false : agent }, request);
    },
    close() {
      loaded?.agent.destroy();
    },
  };
}

function send(
  address: string,
  http: HttpModule,
  target: Target,
  request: TransportRequest,
): Promise<TransportResponse> {
  const { method, path, headers, body, signal } = request;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const sent = http.request({
      ...target,
      method,
      path,
      headers: { ...target.headers, ...headers, ...lengthOf(method, body) },
    });
    const stop = (): void => {
      sent.destroy(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
    };
    signal?.addEventListener('abort', stop, { once: true });
    sent.once('close', () => signal?.removeEventListener('abort', stop));
    sent.once('error', (error) =>
      reject(untrusted(error, address) ?? otherProtocol(error, address) ?? reasonOf(error, signal)),
    );
    sent.once('response', (response) => resolve(toResponse(response, signal)));
    sent.end(body);
  });
}

/** Named, since otherwise node:http sends the body in chunks. */
function lengthOf(method: string, body: string | Uint8Array | undefined): Record<string, number> {
  if (body === undefined) return method === 'GET' ? {} : { 'content-length': 0 };
  return { 'content-length': typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength };
}

function toResponse(response: IncomingMessage, signal: AbortSignal | undefined): TransportResponse {
  return {
    status: response.statusCode ?? 0,
    header(name) {
      const value = response.headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    },
    body: readBody(response, signal),
  };
}

async function* readBody(response: IncomingMessage, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response) yield chunk;
  } catch (error) {
    throw reasonOf(error, signal);
  }
}

/** Nobody listens there, or the queue of a Unix socket is full: the request did not leave. */
const UNSENT = new Set(['ECONNREFUSED', 'ENOENT', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTSOCK', 'EAGAIN']);

function reasonOf(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EACCES' || code === 'EPERM') {
    return new SpawnError('NOT_PERMITTED', { action: 'connect to the server', why: message }, { cause: error });
  }
  const kind = code !== undefined && UNSENT.has(code) ? 'unsent' : 'broken';
  return new TransportFailure(kind, describe(code, message), { cause: error });
}

/** Codes of node:tls for a certificate that is not trusted: to try again would not help. */
const UNTRUSTED = /^(?:ERR_TLS_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA)/;

function untrusted(error: Error, address: string): SpawnError | undefined {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (!UNTRUSTED.test(code)) return undefined;
  const why = `its certificate is not trusted (${message}); SPAWN_CA_FILE or --ca-file names who signed it`;
  return new SpawnError('SERVER_UNREACHABLE', { address, why }, { cause: error });
}

/** Whether an error of a request says that the certificate of the server is not trusted. */
export function isUntrusted(error: unknown): boolean {
  const code = (error as { cause?: { code?: unknown } } | undefined)?.cause?.code;
  return typeof code === 'string' && UNTRUSTED.test(code);
}

/** To who speaks without TLS a server with TLS replies with an alert, or hangs up; and the other way round the reply is no TLS. */
function otherProtocol(error: NodeJS.ErrnoException, address: string): TransportFailure | undefined {
  const { code = '' } = error;
  if (code === 'EPROTO') return new TransportFailure('broken', 'it does not speak TLS (is it http?)', { cause: error });
  if (!address.startsWith('http://') || !(code === 'ECONNRESET' || code.startsWith('HPE_'))) return undefined;
  return new TransportFailure('broken', 'it does not speak plain HTTP (is it https?)', { cause: error });
}

function describe(code: string | undefined, message: string): string {
  if (code === 'ENOENT') return 'there is no socket';
  if (code === 'ECONNREFUSED') return 'nobody listens there';
  return code === 'ECONNRESET' || code === 'EPIPE' ? 'the connection broke' : message;
}
