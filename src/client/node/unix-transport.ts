import type { Transport } from '../transport.ts';
import { nodeTransport } from './http-request.ts';

/** To the server of this user on this machine. */
export function unixTransport(socketPath: string): Transport {
  return nodeTransport({
    address: socketPath,
    // An import would evaluate every getter of node:http, WebSocket among them: 15 ms of a command that lasts 50.
    load: async () => process.getBuiltinModule('node:http'),
    target: { socketPath, headers: { host: 'spawn' } },
  });
}
