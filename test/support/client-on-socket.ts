import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { SpawnClient } from '../../src/client/client.ts';
import type { ClientOptions } from '../../src/client/connection.ts';
import { unixTransport } from '../../src/client/node/unix-transport.ts';

/** A client that is closed when the test ends. */
export function clientOf(path: string, options: Partial<ClientOptions> = {}): SpawnClient {
  const client = new SpawnClient({ transport: unixTransport(path), ...options });
  onTestFinished(() => client.close());
  return client;
}

/** Passes bytes on to a server until `cut` says, of what came back on one connection, that it breaks there. */
export async function unreliable(path: string, target: string, cut: (connection: number, bytes: string) => boolean) {
  const sockets = new Set<Socket>();
  let connections = 0;
  const relay = createServer((near) => {
    const number = connections++;
    const far = connect(target);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    near.pipe(far);
    far.on('data', (bytes) => {
      if (cut(number, bytes.toString())) near.destroy();
      else near.write(bytes);
    });
    far.on('end', () => near.end());
    near.on('close', () => far.destroy());
  });
  await new Promise<void>((resolve) => void relay.listen(path, resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    relay.close();
  });
  return { connections: () => connections };
}
