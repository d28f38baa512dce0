import type { Transport } from '../transport.ts';
import { nodeTransport } from './http-request.ts';

/** To the server of this user on this machine. */
export function unixTransport(socketPath: string): Transport {
  return nodeTransport({
    address: socketPath,
    load: () => process.getBuiltinModule('node:http'),
    target: { socketPath, headers: { host: 'spawn' } },
  });
}
