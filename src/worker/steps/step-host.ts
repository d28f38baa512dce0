import { constants } from 'node:os';
import { createServer, type TLSSocket } from 'node:tls';
import { STEP_TLS, stepIdentity } from '../../client/node/steps/step-wire.ts';
import { HostedStep } from './hosted-step.ts';
import { portPath, readPlace, writePrivate } from './place-file.ts';

const MOST_CONNECTIONS = 256;
const HANDSHAKE_WITHIN_MS = 10_000;
const { SIGTERM } = constants.signals;

/**
 * `spored step-host FOLDER`: the place of a member of a gang. Listens for the srun of the gang's first node, which starts steps here. A worker's forker
 * starts it, so that it and all it starts end with the attempt.
 * @returns the exit code, after SIGTERM
 */
export async function stepHost([folder]: readonly string[]): Promise<number> {
  if (folder === undefined) {
    process.stderr.write('spored step-host: expected the folder of an attempt; a worker starts it\n');
    return 2;
  }
  const { fence, secret, address, env } = readPlace(folder);
  const psk = Buffer.from(secret, 'hex');
  const steps = new Set<HostedStep>();
  const server = createServer({
    ...STEP_TLS,
    handshakeTimeout: HANDSHAKE_WITHIN_MS,
    pskCallback: (_, identity) => (identity === stepIdentity(fence) ? psk : null),
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.on('secureConnection', (socket: TLSSocket) => {
    const step = new HostedStep({ socket, folder, env });
    steps.add(step);
    void step.ended.then(() => steps.delete(step));
  });
  // Who does not know the secret gets no further; there is nobody to tell.
  server.on('tlsClientError', (_, socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ host: address, port: 0 }, resolve);
  });
  writePrivate(portPath(folder), String((server.address() as { port: number }).port));
  await new Promise<void>((resolve) => process.once('SIGTERM', () => resolve()));
  server.close();
  for (const step of steps) step.signal(SIGTERM);
  await Promise.all([...steps].map(({ ended }) => ended));
  return 0;
}
