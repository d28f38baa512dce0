import { SpawnClient } from '../client/client.ts';
import { dataFiles } from '../client/node/data-files.ts';
import { packageVersion } from '../client/node/package-files.ts';
import { makePrivateDirectory } from '../client/node/private-directory.ts';
import { readRecord } from '../client/node/process-record.ts';
import { unixTransport } from '../client/node/unix-transport.ts';
import type { Transport } from '../client/transport.ts';
import type { Settings } from '../config/settings.ts';

/**
 * The client of the coordinator that the settings mean. Usually nothing is sent yet; a first call that finds nobody starts the
 * embedded coordinator.
 *
 * @param announce gets one line when it was started, or is of another release
 * @throws SpawnError those of a token or certificate that cannot be read; SOCKET_NOT_PRIVATE: whoever could replace the socket would be sent scripts and environments
 */
export async function connect(settings: Settings, announce: (line: string) => void): Promise<SpawnClient> {
  if (settings.server !== undefined) {
    const { remoteTransport } = await import('./remote-transport.ts');
    return new SpawnClient({ transport: remoteTransport(settings, settings.server, announce) });
  }
  makePrivateDirectory(settings.runtimeDir);
  const transport = new MovingTransport(settings.socketPath);
  const ensure = async (): Promise<void> => {
    const { ensureServer } = await import('../client/node/ensure-server.ts');
    const { socketPath } = await ensureServer(settings, { announce });
    transport.moveTo(socketPath);
  };
  const running = readRecord(dataFiles(settings.dataDir).server);
  if (running !== undefined && running.version !== packageVersion()) await ensure();
  return new SpawnClient({ transport, onUnreachable: ensure });
}

/** A client that starts no coordinator; undefined where none runs. */
export async function connectIfRunning(settings: Settings): Promise<SpawnClient | undefined> {
  if (settings.server !== undefined) {
    const { remoteTransport } = await import('./remote-transport.ts');
    return new SpawnClient({ transport: remoteTransport(settings, settings.server, () => {}), retryForMs: 0 });
  }
  const running = readRecord(dataFiles(settings.dataDir).server);
  if (running === undefined) return undefined;
  return new SpawnClient({ transport: unixTransport(running.socketPath), retryForMs: 0 });
}

/**
 * The coordinator of a data directory may have been started with its socket elsewhere, by a process with another runtime
 * directory; where is known only after it was not found in its usual place.
 */
class MovingTransport implements Transport {
  private current: Transport;

  constructor(socketPath: string) {
    this.current = unixTransport(socketPath);
  }

  moveTo(socketPath: string): void {
    if (socketPath === this.current.address) return;
    this.current.close();
    this.current = unixTransport(socketPath);
  }

  get address(): string {
    return this.current.address;
  }

  request: Transport['request'] = (request) => this.current.request(request);

  close(): void {
    this.current.close();
  }
}
