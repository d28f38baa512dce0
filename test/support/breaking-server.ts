import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/**
 * Where a connection breaks. `before`: the request is not passed on; `head`: in the first line of the reply; `body`: one byte before its
 * end; `after`: when all of it has been sent.
 */
export type Break = 'before' | 'head' | 'body' | 'after';

/** Passes requests on to a server until the test ends; the first connections break, each as told. */
export async function breakingServer(path: string, target: string, breaks: readonly Break[]) {
  const sockets = new Set<Socket>();
  let connections = 0;
  const relay = createServer((near) => {
    const how = breaks[connections++];
    sockets.add(near.on('error', () => {}));
    if (how === 'before') {
      near.once('data', () => near.destroy());
      return;
    }
    const far = connect(target);
    sockets.add(far.on('error', () => {}));
    near.pipe(far);
    near.on('close', () => far.destroy());
    if (how === undefined) far.pipe(near);
    else far.once('data', (bytes) => void near.write(part(bytes, how), () => near.destroy()));
  });
  await new Promise<void>((resolve) => void relay.listen(path, resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    relay.close();
  });
  return { connections: () => connections };
}

function part(bytes: Buffer, how: 'head' | 'body' | 'after'): Buffer {
  if (how === 'after') return bytes;
  return bytes.subarray(0, how === 'head' ? 10 : bytes.length - 1);
}
