import { request } from 'node:http';
import type { ServerView } from '../../api/server-view.ts';

/** What is behind a socket path. `absent`: nobody listens there now. */
export type Probe =
  | { readonly kind: 'up'; readonly server: ServerView }
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly why: string };

const ABSENT: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE']);

/** Asks once, without retries, which the client would make: here it matters whether anybody is there at all. */
export async function probeServer(socketPath: string, timeoutMs = 2_000): Promise<Probe> {
  try {
    const { status, body } = await ask(socketPath, 'GET', '/v1/server', timeoutMs);
    if (status === 503) return { kind: 'absent' };
    if (status !== 200) return { kind: 'failed', why: `status ${status}: ${body.slice(0, 200)}` };
    const server: ServerView = JSON.parse(body);
    return { kind: 'up', server };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code !== undefined && ABSENT.has(code) ? { kind: 'absent' } : { kind: 'failed', why: message };
  }
}

/** One request over the socket. Rejects with the system's error when it gets no answer. */
export function ask(
  socketPath: string,
  method: 'GET' | 'POST',
  path: string,
  timeoutMs: number,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { socketPath, method, path, agent: false, signal: AbortSignal.timeout(timeoutMs) },
      (reply) => {
        let text = '';
        reply.setEncoding('utf8');
        reply.on('data', (part: string) => {
          text += part;
        });
        reply.on('end', () => resolve({ status: reply.statusCode ?? 0, body: text }));
        reply.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}
